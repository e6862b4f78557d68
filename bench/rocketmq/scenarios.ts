/** What is measured: one entry, one table of the result, with the row of the list of targets that it belongs to. */
import { type Contestant, MERGED, RINGMQ, ROCKETMQ } from './contestant.ts';
import { type Goal, share, times } from './goals.ts';
import type { TargetSummary } from './summary.ts';
import { bareAppend, bareSync } from './work/bare.ts';
import { type SendLoad, sendWork } from './work/send.ts';
import { topicsWork } from './work/topics.ts';
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

const BOTH = [ROCKETMQ, RINGMQ] as const;

type Load = [connections: number, inFlight: number, bodyBytes: number];

function load([connections, inFlight, bodyBytes]: Load): SendLoad {
  return { connections, inFlight, bodyBytes };
}

type Extras = Partial<Pick<Scenario, 'contestants' | 'plan'>>;

function send(
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

const fast = (atLeast: number): Goal[] => [times('rate', atLeast), share('p50', 1 / 5), share('p99', 1 / 8)];

const SENDS: readonly Scenario[] = [
  send(1, 'async-1k', '1 KiB, 8 × 32 in flight', [8, 32, 1024], fast(6)),
  send(1, 'async-1k-16x64', '1 KiB, 16 × 64 in flight', [16, 64, 1024], fast(6)),
  send(1, 'sync-1k', '1 KiB, 8 × 32 in flight', [8, 32, 1024], fast(4.5)),
  send(1, 'sync-1k-16x64', '1 KiB, 16 × 64 in flight', [16, 64, 1024], fast(4.5)),
  send(2, 'async-128b', '128 B, 16 × 64 in flight', [16, 64, 128], [times('rate', 9)]),
  ...[4, 64].map((kib) =>
    send(
      3,
      `async-${kib}k`,
      `${kib} KiB, 16 × 4 in flight`,
      [16, 4, kib * 1024],
      [times('rate', 4), times('rate', 0.9, 'bare')],
      { contestants: [...BOTH, bareAppend(kib * 1024)] },
    ),
  ),
  send(4, 'async-batch', 'batches of 32 × 1 KiB, 8 × 4 in flight', [8, 4, 1024], [times('rate', 3)], {
    plan: sendWork({ ...load([8, 4, 1024]), batch: 32 }),
  }),
  send(
    5,
    'async-single',
    '1 KiB, one in flight',
    [1, 1, 1024],
    [share('p50', 1 / 3), share('p50', 1 / 4, 'rocketmq', 'merged')],
    { contestants: [...BOTH, MERGED] },
  ),
  send(
    5,
    'sync-single',
    '1 KiB, one in flight',
    [1, 1, 1024],
    [share('p50', 0.6), share('p50', 1.5, 'bare')],
    { contestants: [...BOTH, bareSync(1224)] },
  ),
];

const OPEN_LOOPS: readonly Scenario[] = [5, 10, 20].map((thousands) =>
  send(
    6,
    `open-${thousands}k`,
    `1 KiB, open loop at ${thousands},000 a second`,
    [8, 128, 1024],
    [share('p50', 1 / 4), share('p99', 1 / 8)],
    { plan: sendWork({ ...load([8, 128, 1024]), rate: thousands * 1000 }) },
  ),
);

const MANY_TOPICS = 10_000;

const TOPICS: readonly Scenario[] = [1, 100, MANY_TOPICS].map((count) => {
  const name = `topics-${count}`;
  const goals = [times('rate', 5)];
  if (count === MANY_TOPICS) {
    const rate = { contestant: 'ringmq', figure: 'rate' };
    goals.push({ value: rate, over: { ...rate, scenario: 'topics-1' }, atLeast: 0.7 });
    goals.push({ value: { contestant: 'ringmq', figure: 'dispatchLag' }, atMost: 1e6 });
  }
  const title = `1 KiB to ${count} ${count === 1 ? 'topic' : 'topics'} × 4 queues, 8 × 32 in flight`;
  return send(9, name, title, [8, 32, 1024], goals, { plan: topicsWork(load([8, 32, 1024]), count) });
});

export const SCENARIOS: readonly Scenario[] = [...SENDS, ...OPEN_LOOPS, ...TOPICS];

/** How long each part of a scenario takes. */
export interface Timing {
  /** Warm-up of a freshly started broker: ends after so many seconds or messages, whichever comes first. */
  warmupSeconds: number;
  warmupMessages: number;
  /** Run-in of each round, for the generator's own compiler and the broker's caches; not measured. */
  runInSeconds: number;
  measuredSeconds: number;
  /** Size of the store that brokers are restarted on. */
  restartStoreBytes: number;
  /** Size of the cold backlog that one round reads. */
  coldBacklogBytes: number;
  /** Messages of the warm backlog. */
  pullBacklogMessages: number;
}

/** RocketMQ's rate, watched from a cold start, rose for 45 to 50 s and some 1.5 million messages, then no more. */
export const FULL: Timing = {
  warmupSeconds: 60,
  warmupMessages: 2_500_000,
  runInSeconds: 2,
  measuredSeconds: 10,
  restartStoreBytes: 10 * 2 ** 30,
  coldBacklogBytes: 2 * 2 ** 30,
  pullBacklogMessages: 1_000_000,
};
export const QUICK: Timing = {
  warmupSeconds: 10,
  warmupMessages: 500_000,
  runInSeconds: 1,
  measuredSeconds: 3,
  restartStoreBytes: 2 ** 30,
  coldBacklogBytes: 2 ** 29,
  pullBacklogMessages: 300_000,
};
