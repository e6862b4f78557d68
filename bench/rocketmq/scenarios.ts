/** What is measured: one entry, one table of the result, with the row of the list of targets that it belongs to. */
import { type Contestant, RINGMQ, ROCKETMQ } from './contestant.ts';
import { descriptorLimit } from './descriptors.ts';
import { type Goal, share, times } from './goals.ts';
import type { TargetOutcome } from './outcome.ts';
import { ASYNC_SENDS, SYNC_SENDS } from './plain-sends.ts';
import { BOTH, inBothFormats, type Load, load, type Scenario, send, WITH_LIMIT } from './scenario.ts';
import { median } from './statistics.ts';
import { QUEUES } from './work/broker.ts';
import { clientWork } from './work/client.ts';
import { coldReadWork } from './work/cold-read.ts';
import { DELAYED, type DueKind, dueWork, TIMED } from './work/due.ts';
import { endToEndWork } from './work/end-to-end.ts';
import { popWork } from './work/pop.ts';
import { proxyReceiveWork, proxySendWork } from './work/proxy.ts';
import { pullWork } from './work/pull.ts';
import { replicatedWork } from './work/replicated.ts';
import { requestWork } from './work/request.ts';
import { restartWork } from './work/restart.ts';
import { sendWork } from './work/send.ts';
import { topicsWork } from './work/topics.ts';
import { transactionWork } from './work/transactions.ts';

export type { FlushMode, Scenario } from './scenario.ts';

const MANY_TOPICS = 10_000;

/** The most of these with which RocketMQ stays below 20,000 open files, where a system allows no more. */
const TOPICS_OF_20_000_FILES = 4000;
/** What RocketMQ has open besides a file for each queue. */
const OTHER_FILES = 1500;

function rocketMqWithFiles(queues: number): Contestant {
  const skip = (): string | undefined => {
    const allowed = descriptorLimit();
    if (allowed >= queues + OTHER_FILES) return undefined;
    return `it keeps a file open for each of ${queues} queues, and this system allows ${allowed} (ulimit -Hn)`;
  };
  return { ...ROCKETMQ, skip };
}

const TOPICS: readonly Scenario[] = [1, 100, TOPICS_OF_20_000_FILES, MANY_TOPICS].map((count) => {
  const name = `topics-${count}`;
  const goals = [times('rate', 5)];
  if (count === MANY_TOPICS) {
    const rate = { contestant: 'ringmq', figure: 'rate' };
    goals.push({ value: rate, over: { ...rate, scenario: 'topics-1' }, atLeast: 0.7 });
    goals.push({ value: { contestant: 'ringmq', figure: 'dispatchLag' }, atMost: 1e6 });
  }
  const title = `1 KiB to ${count} ${count === 1 ? 'topic' : 'topics'} × 4 queues, 8 × 32 in flight`;
  return send(9, name, title, [8, 32, 1024], goals, {
    plan: topicsWork(load([8, 32, 1024]), count),
    contestants: [rocketMqWithFiles(count * QUEUES), RINGMQ],
  });
});

const STOCK_HEAP = '8g';
const SMALLER_HEAPS = ['512m', '1g', '2g', '4g'];
/** A heap is large enough when RocketMQ has this share of its rate with the stock heap. */
const ENOUGH_RATE = 0.95;

function heapOf(heap: string): Contestant {
  return { ...ROCKETMQ, name: `rocketmq-${heap}`, title: `RocketMQ ${heap}`, heap };
}

/** The first, that is smallest, of the heaps with which the median rate is large enough. */
export function smallestHeap(rates: ReadonlyMap<string, number>): string | undefined {
  const stock = rates.get(heapOf(STOCK_HEAP).name);
  if (stock === undefined) return undefined;
  return SMALLER_HEAPS.map((heap) => heapOf(heap).name).find(
    (name) => (rates.get(name) ?? 0) >= ENOUGH_RATE * stock,
  );
}

function medianRates(outcomes: readonly TargetOutcome[]): Map<string, number> {
  return new Map(
    outcomes.map(({ name, rounds }) => [
      name,
      median(rounds.flatMap(({ figures }) => figures['rate'] ?? [])),
    ]),
  );
}

const MEMORY: Scenario = {
  ...send(
    13,
    'memory',
    'memory after 1 KiB, 8 × 32 in flight',
    [8, 32, 1024],
    [
      share('memory', 1 / 20, `rocketmq-${STOCK_HEAP}`),
      share('memory', 1 / 3, 'RocketMQ with its smallest sufficient heap'),
    ],
  ),
  oneAtATime: true,
  contestants: [
    heapOf(STOCK_HEAP),
    RINGMQ,
    ...SMALLER_HEAPS.map((heap) => ({
      ...heapOf(heap),
      mayFail: true,
      fullRunOnly: true,
      skip: (before: readonly TargetOutcome[]) =>
        smallestHeap(medianRates(before)) === undefined ? undefined : 'not needed: a smaller heap is enough',
    })),
  ],
  aliases: (targets) => {
    const rates = new Map(targets.map(({ name, figures }) => [name, figures['rate']?.median ?? 0]));
    const name = smallestHeap(rates);
    return name === undefined ? {} : { 'RocketMQ with its smallest sufficient heap': name };
  },
};

function endToEnd(name: string, title: string, shape: Load, goal: Goal, rate = 0): Scenario[] {
  return inBothFormats((header) =>
    send(8, name, title, shape, [goal], {
      plan: endToEndWork({ ...load(shape), rate, header }),
      contestants: WITH_LIMIT,
    }),
  );
}

const READS: readonly Scenario[] = [
  ...inBothFormats((header) => ({
    row: 7,
    name: 'pull',
    title: 'pull a warm backlog of 1 KiB messages, 32 a batch, 4 queues',
    flush: 'ASYNC_FLUSH',
    plan: pullWork({ pullBatch: 32, header }),
    contestants: WITH_LIMIT,
    goals: [times('rate', 0.6, 'limit'), times('rate', 2.5), share('cpu', 1 / 3)],
  })),
  {
    row: 17,
    name: 'pull-sql',
    title: 'the same pulls with a SQL filter that looks at three properties of each message',
    flush: 'ASYNC_FLUSH',
    plan: pullWork({
      pullBatch: 32,
      sql: "TAGS IN ('TagA', 'TagB') AND UNIQ_KEY IS NOT NULL AND (missing IS NULL OR missing > 5)",
    }),
    contestants: BOTH.map((contestant) => ({ ...contestant, conf: { enablePropertyFilter: 'true' } })),
    goals: [times('rate', 2), share('cpu', 1 / 2)],
  },
  ...endToEnd(
    'end-to-end-10k',
    'send 1 KiB at 10,000 a second and consume',
    [8, 128, 1024],
    share('endToEndP99', 1 / 5),
    10_000,
  ),
  ...endToEnd(
    'end-to-end-flat',
    'send 1 KiB, 8 × 32 in flight, and consume',
    [8, 32, 1024],
    times('consumedRate', 4),
  ),
];

const POP: Scenario = {
  row: 20,
  name: 'pop',
  title: 'pop 1 KiB messages, 32 at a time from 8 queues, each acknowledged; 8 consumers',
  flush: 'ASYNC_FLUSH',
  plan: popWork(32),
  contestants: BOTH,
  goals: [times('rate', 2)],
};

const COLD_READ = send(
  10,
  'cold-read',
  'send 1 KiB at 20,000 a second while a cold backlog is read',
  [8, 128, 1024],
  [{ value: { contestant: 'ringmq', figure: 'p99Growth' }, atMost: 2 }],
  { plan: coldReadWork({ ...load([8, 128, 1024]), rate: 20_000 }) },
);

const CLIENTS: readonly Scenario[] = (['java', 'go'] as const).map((language) =>
  send(
    11,
    `${language}-client`,
    `${language === 'java' ? 'Java client, 64 threads' : 'Go client, 64 goroutines'}, 1 KiB, each send awaited`,
    [1, 64, 1024],
    [times('rate', 1), share('cpu', 1 / 4)],
    { plan: clientWork(language, 64) },
  ),
);

const RESTART: Scenario = {
  row: 12,
  name: 'restart',
  title: 'start on an empty store, on a large one after kill -9, and after a clean stop',
  flush: 'ASYNC_FLUSH',
  plan: restartWork(),
  contestants: BOTH,
  goals: [share('emptyStart', 1 / 20), share('crashStart', 1 / 5), share('cleanStart', 1 / 10)],
};

const TRANSACTIONS = send(
  14,
  'transactions',
  'transactions, half and commit, 1 KiB, 8 × 32 in flight',
  [8, 32, 1024],
  [times('rate', 2)],
  { plan: transactionWork(load([8, 32, 1024])) },
);

const TLS = send(18, 'tls', '1 KiB, 8 × 32 in flight, by TLS', [8, 32, 1024], [times('rate', 2)], {
  plan: sendWork({ ...load([8, 32, 1024]), tls: true }),
});

function later(row: number, name: string, title: string, kind: DueKind): Scenario {
  const goals = ['rate', 'throughRate', 'burstRate'].map((figure) => times(figure, 2));
  return send(row, name, `${title}, 1 KiB, 8 × 32 in flight, and consume`, [8, 32, 1024], goals, {
    plan: dueWork(load([8, 32, 1024]), kind),
  });
}

const REQUESTS = send(
  19,
  'requests',
  'requests and replies, 1 KiB, 8 × 32 round trips under way',
  [8, 32, 1024],
  [times('rate', 2), share('p99', 1)],
  { plan: requestWork(load([8, 32, 1024])) },
);

/** The proxy takes most of the machine: the broker behind it must not be what makes the others wait. */
const WITH_PROXY: readonly Contestant[] = BOTH.map((contestant) => ({ ...contestant, proxy: true }));

const PROXY: readonly Scenario[] = [
  send(
    21,
    'proxy-send',
    "1 KiB, 8 × 32 in flight, through RocketMQ's gRPC proxy",
    [8, 32, 1024],
    [times('rate', 1)],
    { plan: proxySendWork(load([8, 32, 1024])), contestants: WITH_PROXY },
  ),
  {
    row: 22,
    name: 'proxy-receive',
    title: "the pops of row 20 through RocketMQ's gRPC proxy",
    flush: 'ASYNC_FLUSH',
    plan: proxyReceiveWork(32),
    contestants: WITH_PROXY,
    goals: [times('rate', 1)],
  },
];

/** Each contestant has a slave of its own maker; an answer of SYNC_MASTER waits for that. */
const REPLICATED: readonly Scenario[] = (['ASYNC_MASTER', 'SYNC_MASTER'] as const).map((master, index) =>
  send(
    23 + index,
    master === 'ASYNC_MASTER' ? 'replicated-async' : 'replicated-sync',
    `1 KiB, 8 × 32 in flight, ${master} with one slave`,
    [8, 32, 1024],
    [times('rate', 3)],
    {
      plan: replicatedWork(load([8, 32, 1024])),
      contestants: BOTH.map((contestant) => ({ ...contestant, master })),
    },
  ),
);

const LATER: readonly Scenario[] = [
  TRANSACTIONS,
  later(15, 'delayed', 'delayed by the level of 1 s', DELAYED),
  later(16, 'timed', 'timed for 2 s later', TIMED),
];

/** In the order in which they are measured: neighbours may share their brokers (hand-over.ts). */
export const SCENARIOS: readonly Scenario[] = [
  ...ASYNC_SENDS,
  ...SYNC_SENDS,
  ...READS,
  POP,
  ...TOPICS,
  COLD_READ,
  TLS,
  ...LATER,
  REQUESTS,
  ...PROXY,
  ...REPLICATED,
  ...CLIENTS,
  RESTART,
  MEMORY,
];

/** How long each part of a scenario takes. */
export interface Timing {
  /** Warm-up of a freshly started broker: ends after so many seconds or messages, whichever comes first. */
  warmupSeconds: number;
  warmupMessages: number;
  /** Warm-up of a broker that the scenario before handed over: only the load is new to it. */
  adaptSeconds: number;
  /** Run-in of each round, for the generator's own compiler and the broker's caches; not measured. */
  runInSeconds: number;
  measuredSeconds: number;
  /** Size of the store that brokers are restarted on. */
  restartStoreBytes: number;
  /** Size of the cold backlog that one round reads. */
  coldBacklogBytes: number;
  /** Messages of the warm backlog. */
  pullBacklogMessages: number;
  /** A burst of delayed messages must be sent within about a second; one of timed messages need not. */
  delayedBurstMessages: number;
  timedBurstMessages: number;
}

/** RocketMQ's rate, watched from a cold start, rose for 45 to 50 s and some 1.5 million messages, then no more. */
export const FULL: Timing = {
  warmupSeconds: 60,
  warmupMessages: 2_500_000,
  adaptSeconds: 10,
  runInSeconds: 2,
  measuredSeconds: 6,
  restartStoreBytes: 10 * 2 ** 30,
  coldBacklogBytes: 2 * 2 ** 30,
  pullBacklogMessages: 1_000_000,
  delayedBurstMessages: 20_000,
  timedBurstMessages: 100_000,
};
export const QUICK: Timing = {
  warmupSeconds: 10,
  warmupMessages: 500_000,
  adaptSeconds: 3,
  runInSeconds: 1,
  measuredSeconds: 3,
  restartStoreBytes: 2 ** 30,
  coldBacklogBytes: 2 ** 29,
  pullBacklogMessages: 300_000,
  delayedBurstMessages: 10_000,
  timedBurstMessages: 20_000,
};
