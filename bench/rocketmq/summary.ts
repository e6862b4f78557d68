/** From rounds to figures: median, minimum and maximum per contestant, ratio of the medians. */
import { FIGURES } from './figures.ts';
import { type LedgerCount, ledgerTotal, type ScenarioOutcome, type TargetOutcome } from './outcome.ts';
import { ratio, type Spread, spread } from './statistics.ts';

export interface TargetSummary {
  name: string;
  title: string;
  failure?: string;
  excused?: boolean;
  rounds: number;
  repeated: number;
  disturbedKept: number;
  errors: number;
  ledger?: LedgerCount;
  figures: Record<string, Spread>;
}

export interface ScenarioSummary {
  name: string;
  title: string;
  targets: TargetSummary[];
  /** RingMQ's median divided by RocketMQ's; missing unless both were measured. */
  ratios: Record<string, number>;
  /** The same, divided by that of the limit. */
  limitRatios: Record<string, number>;
  aliases: Record<string, string>;
}

function summarizeTarget({ rounds, ...outcome }: TargetOutcome): TargetSummary {
  const figures: Record<string, Spread> = {};
  for (const key of Object.keys(FIGURES)) {
    const values = rounds.flatMap((round) => round.figures[key] ?? []);
    if (values.length > 0) figures[key] = spread(values);
  }
  const errors = rounds.reduce((sum, round) => sum + round.errors, 0);
  const ledger = ledgerTotal(rounds);
  return { ...outcome, rounds: rounds.length, errors, figures, ...(ledger === undefined ? {} : { ledger }) };
}

/** The first one's medians divided by the other's. */
function ratiosOf(ours: TargetSummary | undefined, other: TargetSummary | undefined): Record<string, number> {
  const ratios: Record<string, number> = {};
  for (const key of Object.keys(FIGURES)) {
    const value = ratio(ours?.figures[key], other?.figures[key]);
    if (Number.isFinite(value)) ratios[key] = value;
  }
  return ratios;
}

type Aliases = (targets: readonly TargetSummary[]) => Record<string, string>;

export function summarize(
  { scenario, targets }: Pick<ScenarioOutcome, 'scenario' | 'targets'>,
  aliases?: Aliases,
): ScenarioSummary {
  const summaries = targets.map(summarizeTarget);
  const named = (wanted: string): TargetSummary | undefined => summaries.find(({ name }) => name === wanted);
  const ours = named('ringmq');
  return {
    ...scenario,
    targets: summaries,
    ratios: ratiosOf(ours, named('rocketmq')),
    limitRatios: ratiosOf(ours, named('limit')),
    aliases: aliases?.(summaries) ?? {},
  };
}
