/** Targets as data: a figure, alone or divided by another one, and its bound. The verdicts follow from the medians. */

import { figureTitle, formatFigure } from './figures.ts';
import { factor } from './format.ts';
import type { ScenarioSummary } from './summary.ts';

export interface FigureRef {
  /** Another scenario than the one that the goal belongs to. */
  scenario?: string;
  contestant: string;
  figure: string;
}

export interface Goal {
  value: FigureRef;
  /** What the value is divided by. */
  over?: FigureRef;
  atLeast?: number;
  atMost?: number;
}

export type Ruling = 'met' | 'not met' | 'not measured';

export interface Verdict {
  row: number;
  scenario: string;
  target: string;
  measured: string;
  ruling: Ruling;
}

/** RingMQ's figure is at least so many times RocketMQ's. */
export function times(figure: string, atLeast: number, over = 'rocketmq'): Goal {
  return { value: { contestant: 'ringmq', figure }, over: { contestant: over, figure }, atLeast };
}

/** RingMQ's figure is at most such a share of RocketMQ's. */
export function share(figure: string, atMost: number, over = 'rocketmq', contestant = 'ringmq'): Goal {
  return { value: { contestant, figure }, over: { contestant: over, figure }, atMost };
}

function bound({ atLeast, atMost, over }: Goal, figure: string): string {
  const limit = (atLeast ?? atMost) as number;
  const sign = atLeast === undefined ? '≤' : '≥';
  if (over === undefined) return `${sign} ${formatFigure(figure, limit)}`;
  const inverse = 1 / limit;
  const whole = limit < 0.5 && Math.abs(inverse - Math.round(inverse)) < 1e-9;
  return whole ? `${sign} 1/${Math.round(inverse)} of` : `${sign} ${limit} ×`;
}

const TITLES: Record<string, string> = {
  ringmq: 'RingMQ',
  rocketmq: 'RocketMQ',
  'rocketmq-8g': 'RocketMQ with 8g of heap',
  merged: 'RingMQ merged',
  bare: 'the bare loop',
  limit: 'the limit',
};

function whose(ref: FigureRef, goal: Goal): string {
  const name = TITLES[ref.contestant] ?? ref.contestant;
  if (ref.scenario !== undefined) return `${name} in ${ref.scenario}`;
  return ref.figure === goal.value.figure ? name : `${name}'s ${figureTitle(ref.figure)}`;
}

export function goalText(goal: Goal): string {
  const { value, over } = goal;
  const subject = value.contestant === 'ringmq' ? '' : `${whose(value, goal)}: `;
  const head = `${subject}${figureTitle(value.figure)} ${bound(goal, value.figure)}`;
  return over === undefined ? head : `${head} ${whose(over, goal)}`;
}

function find(summaries: readonly ScenarioSummary[], own: string, ref: FigureRef): number | undefined {
  const summary = summaries.find(({ name }) => name === (ref.scenario ?? own));
  const name = summary?.aliases[ref.contestant] ?? ref.contestant;
  return summary?.targets.find((target) => target.name === name)?.figures[ref.figure]?.median;
}

export function rule(
  row: number,
  scenario: string,
  goal: Goal,
  summaries: readonly ScenarioSummary[],
): Verdict {
  const value = find(summaries, scenario, goal.value);
  const over = goal.over === undefined ? 1 : find(summaries, scenario, goal.over);
  const target = goalText(goal);
  if (value === undefined || over === undefined || over === 0)
    return { row, scenario, target, measured: '-', ruling: 'not measured' };
  const result = value / over;
  const met = result >= (goal.atLeast ?? -Infinity) && result <= (goal.atMost ?? Infinity);
  const measured = goal.over === undefined ? formatFigure(goal.value.figure, value) : factor(result);
  return { row, scenario, target, measured, ruling: met ? 'met' : 'not met' };
}
