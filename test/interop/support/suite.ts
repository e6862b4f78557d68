// A suite with one cluster for the whole file, the time of each test, and nothing left behind.

import { suite, type Test } from 'uvu';
import { stopEverything } from './program.ts';
import type { BrokerOptions } from './servers.ts';
import { type Cluster, startCluster, target } from './target.ts';

export interface ClusterSuite {
  readonly test: Test;
  cluster(): Cluster;
}

export function clusterSuite(name: string, options: BrokerOptions = {}): ClusterSuite {
  let cluster: Cluster | undefined;
  const test = interopSuite(name, async () => {
    cluster = await startCluster(options);
    return cluster;
  });
  return {
    test,
    cluster() {
      if (cluster === undefined) throw new Error('the cluster did not start');
      return cluster;
    },
  };
}

/** For files that start their own servers; `start` may return something to stop before everything else. */
export function interopSuite(name: string, start?: () => Promise<{ stop(): Promise<void> }>): Test {
  const test = suite(`${name} (${target})`);
  let running: { stop(): Promise<void> } | undefined;
  let started = performance.now();
  const lap = (what: string): void => {
    const seconds = ((performance.now() - started) / 1_000).toFixed(1);
    started = performance.now();
    if (process.env['INTEROP_TIMES'] === '1') console.error(`${seconds.padStart(7)} s  ${what}`);
  };
  // uvu drops what a before hook throws and calls the run a success: the failure waits for the first test.
  let failure: unknown;
  test.before(async () => {
    started = performance.now();
    try {
      running = await start?.();
    } catch (error) {
      failure = error;
    }
    lap('start');
  });
  test.before.each(() => {
    if (failure !== undefined) throw failure;
  });
  test.after.each((context) => lap(String((context as { __test__?: string }).__test__)));
  test.after(async () => {
    try {
      await running?.stop();
    } finally {
      await stopEverything();
      lap('stop');
    }
  });
  return test;
}
