/** The form of a scenario, and what scenarios of the same kind are made with. */
import type { HeaderFormat } from '../load/send-template.ts';
import { type Contestant, LIMIT, RINGMQ, ROCKETMQ } from './contestant.ts';
import type { Goal } from './goals.ts';
import type { TargetSummary } from './summary.ts';
import { type SendLoad, sendWork } from './work/send.ts';
import type { WorkPlan } from './work/work.ts';

export type FlushMode = 'ASYNC_FLUSH' | 'SYNC_FLUSH';

export interface Scenario {
  row: number;
  name: string;
  title: string;
  flush: FlushMode;
  plan: WorkPlan;
  contestants: readonly Contestant[];
  goals: readonly Goal[];
  /** Only one contestant is alive at a time. */
  oneAtATime?: boolean;
  /** Names that goals use for a contestant which only the figures tell. */
  aliases?(targets: readonly TargetSummary[]): Record<string, string>;
}

export const BOTH = [ROCKETMQ, RINGMQ] as const;
/** Where what the machine lets any broker do is known, too. */
export const WITH_LIMIT: readonly Contestant[] = [...BOTH, LIMIT];

export type Load = [connections: number, inFlight: number, bodyBytes: number];

export function load([connections, inFlight, bodyBytes]: Load): SendLoad {
  return { connections, inFlight, bodyBytes };
}

type Extras = Partial<Pick<Scenario, 'contestants' | 'plan'>>;

export function send(
  row: number,
  name: string,
  title: string,
  shape: Load,
  goals: Goal[],
  extras: Extras = {},
): Scenario {
  const sync = name.startsWith('sync');
  return {
    row,
    name,
    title: `${title}, ${sync ? 'sync' : 'async'} flush`,
    flush: sync ? 'SYNC_FLUSH' : 'ASYNC_FLUSH',
    plan: sendWork(load(shape)),
    contestants: BOTH,
    goals,
    ...extras,
  };
}

/** A scenario with each header format; the one with binary headers follows its twin, from which it gets warm brokers. */
export function inBothFormats(make: (header: HeaderFormat | undefined) => Scenario): Scenario[] {
  const { contestants, goals, ...twin } = make('binary');
  const binary: Scenario = {
    ...twin,
    name: `${twin.name}-binary`,
    title: `${twin.title}, binary headers`,
    // a bare loop knows no headers: it stands in one of the two
    contestants: contestants.filter(({ kind }) => kind !== 'bare'),
    goals: goals.filter(({ over }) => over?.contestant !== 'bare'),
  };
  return [make(undefined), binary];
}
