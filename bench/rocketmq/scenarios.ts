/** What is measured: one entry, one row of the result. */

export type FlushMode = 'ASYNC_FLUSH' | 'SYNC_FLUSH';

export interface Scenario {
  name: string;
  title: string;
  flush: FlushMode;
  connections: number;
  inFlight: number;
  bodyBytes: number;
  topics: number;
  /** Messages a second in the open loop; 0 = closed loop. */
  rate: number;
}

function scenario(name: string, title: string, flush: FlushMode, load: [number, number, number]): Scenario {
  const [connections, inFlight, bodyBytes] = load;
  return { name, title, flush, connections, inFlight, bodyBytes, topics: 1, rate: 0 };
}

export const SCENARIOS: readonly Scenario[] = [
  scenario('async-1k', '1 KiB, 8 × 32 in flight, async flush', 'ASYNC_FLUSH', [8, 32, 1024]),
  scenario('sync-1k', '1 KiB, 8 × 32 in flight, sync flush', 'SYNC_FLUSH', [8, 32, 1024]),
  scenario('async-128b', '128 B, 16 × 64 in flight, async flush', 'ASYNC_FLUSH', [16, 64, 128]),
  scenario('async-single', '1 KiB, one in flight, async flush', 'ASYNC_FLUSH', [1, 1, 1024]),
  scenario('sync-single', '1 KiB, one in flight, sync flush', 'SYNC_FLUSH', [1, 1, 1024]),
];

/** How long each part of a scenario takes. */
export interface Timing {
  /** Warm-up of a freshly started broker: ends after so many seconds or messages, whichever comes first. */
  warmupSeconds: number;
  warmupMessages: number;
  /** Run-in of each round, for the generator's own compiler and the broker's caches; not measured. */
  runInSeconds: number;
  measuredSeconds: number;
}

/**
 * What a broker is warmed up with: the scenario's messages, but never fewer in flight than 8 × 32, since a JVM compiles
 * by the number of calls and a lone request makes too few of them.
 */
export function warmupLoad(scenario: Scenario): Scenario {
  const inFlight = scenario.connections * scenario.inFlight;
  return inFlight >= 256 ? { ...scenario, rate: 0 } : { ...scenario, connections: 8, inFlight: 32, rate: 0 };
}

/** RocketMQ's rate, watched from a cold start, rose for 45 to 50 s and some 1.5 million messages, then no more. */
export const FULL: Timing = {
  warmupSeconds: 60,
  warmupMessages: 2_500_000,
  runInSeconds: 2,
  measuredSeconds: 10,
};
export const QUICK: Timing = {
  warmupSeconds: 20,
  warmupMessages: 1_000_000,
  runInSeconds: 1,
  measuredSeconds: 4,
};
