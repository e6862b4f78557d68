/** Rows 1 to 6: sends to one topic. */
import { type Contestant, MERGED } from './contestant.ts';
import { type Goal, share, times } from './goals.ts';
import { inBothFormats, type Load, load, type Scenario, send, WITH_LIMIT } from './scenario.ts';
import { bareAppend, bareSync, bareWrite } from './work/bare.ts';
import { type SendLoad, sendWork } from './work/send.ts';

type More = Omit<SendLoad, 'connections' | 'inFlight' | 'bodyBytes' | 'header'>;

/** With both header formats. */
function sends(
  row: number,
  name: string,
  title: string,
  shape: Load,
  goals: Goal[],
  more: More = {},
  others: readonly Contestant[] = [],
): Scenario[] {
  return inBothFormats((header) =>
    send(row, name, title, shape, goals, {
      plan: sendWork({ ...load(shape), ...more, header }),
      contestants: [...WITH_LIMIT, ...others],
    }),
  );
}

/** At least such a part of the limit's rate, and so many times RocketMQ's. */
function rates(ofLimit: number, ofRocketMq: number): Goal[] {
  return [times('rate', ofLimit, 'limit'), times('rate', ofRocketMq)];
}

const SHORT_WAITS: readonly Goal[] = [share('p50', 1 / 5), share('p99', 1 / 8)];
const ASYNC_GOALS: Goal[] = [...rates(0.75, 8), ...SHORT_WAITS, share('p99', 2, 'limit')];
const SYNC_GOALS: Goal[] = [...rates(0.9, 6), ...SHORT_WAITS];

const ASYNC_1K: readonly Scenario[] = [
  ...sends(1, 'async-1k', '1 KiB, 8 × 32 in flight', [8, 32, 1024], ASYNC_GOALS),
  ...sends(1, 'async-1k-16x64', '1 KiB, 16 × 64 in flight', [16, 64, 1024], ASYNC_GOALS),
];

const OPEN_LOOPS: readonly Scenario[] = [5, 10, 20].flatMap((thousands) =>
  sends(
    6,
    `open-${thousands}k`,
    `1 KiB, open loop at ${thousands},000 a second`,
    [8, 128, 1024],
    [share('p50', 1 / 4), share('p99', 1 / 8)],
    { rate: thousands * 1000, poll: true },
  ),
);

const ONE_IN_FLIGHT: Load = [1, 1, 1024];
/** The client's own wake-up would be half of the way. */
const POLLED: More = { poll: true };

const ASYNC_SINGLE = sends(
  5,
  'async-single',
  '1 KiB, one in flight',
  ONE_IN_FLIGHT,
  [share('p50', 1.5, 'limit'), share('p50', 1 / 3), share('p50', 1 / 4, 'rocketmq', 'merged')],
  POLLED,
  [MERGED],
);

const ASYNC_BATCH = sends(
  4,
  'async-batch',
  'batches of 32 × 1 KiB, 8 × 4 in flight',
  [8, 4, 1024],
  rates(0.6, 3),
  { batch: 32 },
);

const LARGE_BODIES: readonly Scenario[] = [4, 64].map((kib) =>
  send(
    3,
    `async-${kib}k`,
    `${kib} KiB, 16 × 4 in flight`,
    [16, 4, kib * 1024],
    [...rates(0.9, 4), times('rate', 0.9, 'bare')],
    { contestants: [...WITH_LIMIT, bareAppend(kib * 1024), bareWrite(kib * 1024)] },
  ),
);

/** Those that write most come last: a store that has outgrown its limit ends the life of a broker that is shared. */
export const ASYNC_SENDS: readonly Scenario[] = [
  ...ASYNC_1K,
  ...sends(2, 'async-128b', '128 B, 16 × 64 in flight', [16, 64, 128], rates(0.7, 9)),
  ...ASYNC_SINGLE,
  ...OPEN_LOOPS,
  ...ASYNC_BATCH,
  ...LARGE_BODIES,
];

export const SYNC_SENDS: readonly Scenario[] = [
  ...sends(1, 'sync-1k', '1 KiB, 8 × 32 in flight', [8, 32, 1024], SYNC_GOALS),
  ...sends(1, 'sync-1k-16x64', '1 KiB, 16 × 64 in flight', [16, 64, 1024], SYNC_GOALS),
  ...sends(
    5,
    'sync-single',
    '1 KiB, one in flight',
    ONE_IN_FLIGHT,
    [share('p50', 1.2, 'limit'), share('p50', 0.5), share('p50', 1.5, 'bare')],
    POLLED,
    [bareSync(1024)],
  ),
];
