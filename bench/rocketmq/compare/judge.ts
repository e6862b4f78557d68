/** Is the second commit worse than the first one? By medians, for the figures that say something about the code. */
import { figureTitle, formatFigure } from '../figures.ts';
import type { ScenarioSummary } from '../summary.ts';

/** What is compared, and whether more of it is better. Tails and maxima are too noisy to fail a change. */
const COMPARED: Readonly<Record<string, 'more' | 'less'>> = {
  rate: 'more',
  consumedRate: 'more',
  throughRate: 'more',
  burstRate: 'more',
  p50: 'less',
  ackP50: 'less',
  endToEndP50: 'less',
  dispatchLag: 'less',
  emptyStart: 'less',
  crashStart: 'less',
  cleanStart: 'less',
  cpu: 'less',
  slaveCpu: 'less',
  memory: 'less',
  slaveMemory: 'less',
};

export interface Comparison {
  scenario: string;
  figure: string;
  before: number;
  after: number;
  /** How much worse the second is, in per cent of the first; negative = better. */
  worsePercent: number;
  failed: boolean;
}

export function compare(summary: ScenarioSummary, thresholdPercent: number): Comparison[] {
  const [before, after] = summary.targets;
  return Object.entries(COMPARED).flatMap(([figure, better]) => {
    const [first, second] = [before?.figures[figure]?.median, after?.figures[figure]?.median];
    if (first === undefined || second === undefined || first === 0) return [];
    const change = ((second - first) / first) * 100;
    const worsePercent = better === 'more' ? -change : change;
    const failed = worsePercent > thresholdPercent;
    return [{ scenario: summary.name, figure, before: first, after: second, worsePercent, failed }];
  });
}

export function comparisonRows(comparisons: readonly Comparison[]): string[][] {
  return comparisons.map(({ scenario, figure, before, after, worsePercent, failed }) => [
    scenario,
    figureTitle(figure),
    formatFigure(figure, before),
    formatFigure(figure, after),
    `${Math.abs(worsePercent).toFixed(1)} % ${worsePercent > 0 ? 'worse' : 'better'}`,
    failed ? '**too much**' : 'ok',
  ]);
}
