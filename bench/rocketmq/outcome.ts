/** What a scenario yields, before it is summarized: rounds of each contestant, and why one has none. */
import type { Disturbance } from './disturbance.ts';

/** Messages sent against messages consumed, by unique key. */
export interface LedgerCount {
  lost: number;
  duplicates: number;
  foreign: number;
}

export interface Round {
  /** By the keys of `figures.ts`. */
  figures: Record<string, number>;
  /** Requests that failed; they are in no figure. */
  errors: number;
  /** Only where messages are consumed. */
  ledger?: LedgerCount;
  /** CPU that the other brokers used meanwhile, as a share of one processor: 0 where they stand still. */
  idleShare: number;
  disturbance: Disturbance;
  /** The generator's own results. */
  raw?: unknown;
}

export interface TargetOutcome {
  name: string;
  title: string;
  /** Rounds that count. */
  rounds: Round[];
  /** Rounds thrown away because others used the machine. */
  repeated: number;
  /** Rounds that count although disturbed, because the machine never became quiet. */
  disturbedKept: number;
  /** Why there is no figure. */
  failure?: string;
  /** The failure, or having been left out, is part of the result and fails no run. */
  excused?: boolean;
}

/** Goes into the JSON report and comes back from it (`--continue`) as it is: nothing in it that JSON cannot hold. */
export interface ScenarioOutcome {
  scenario: { name: string; title: string };
  /** ISO times. */
  startedAt: string;
  finishedAt: string;
  targets: TargetOutcome[];
}

/** A figure without a value is none: a loop of copies has no latencies. JSON would make null of it. */
export function keepRealFigures({ figures }: Round): void {
  for (const [key, value] of Object.entries(figures)) if (!Number.isFinite(value)) delete figures[key];
}

export function ledgerTotal(rounds: readonly Round[]): LedgerCount | undefined {
  const ledgers = rounds.flatMap(({ ledger }) => ledger ?? []);
  if (ledgers.length === 0) return undefined;
  const sum = (pick: (ledger: LedgerCount) => number): number =>
    ledgers.reduce((total, one) => total + pick(one), 0);
  return {
    lost: sum((one) => one.lost),
    duplicates: sum((one) => one.duplicates),
    foreign: sum((one) => one.foreign),
  };
}

export function isClean({ lost, duplicates, foreign }: LedgerCount): boolean {
  return lost === 0 && duplicates === 0 && foreign === 0;
}

/** The run succeeded: nobody failed who had to succeed, and all ledgers are clean. */
export function succeeded(outcomes: readonly Pick<ScenarioOutcome, 'scenario' | 'targets'>[]): boolean {
  return outcomes.every(({ targets }) =>
    targets.every(({ rounds, failure, excused }) => {
      const ledger = ledgerTotal(rounds);
      return (failure === undefined || excused === true) && (ledger === undefined || isClean(ledger));
    }),
  );
}
