/** Who takes part in a scenario: a broker in one configuration, or a yardstick: a program that only does what must be done. */
import type { TargetOutcome } from './outcome.ts';
import type { WorkPlan } from './work/work.ts';

export type Kind = 'rocketmq' | 'ringmq' | 'null' | 'bare' | 'limit';

export interface Contestant {
  /** Key in the reports, unique within a scenario. */
  name: string;
  title: string;
  kind: Kind;
  /** RocketMQ's heap, when it is not the one of the command line. */
  heap?: string;
  /** Lines of broker.conf beyond the common ones. */
  conf?: Readonly<Record<string, string>>;
  /** It is a master with one slave of its own maker beside it, in this role. */
  master?: 'ASYNC_MASTER' | 'SYNC_MASTER';
  /** RocketMQ's gRPC proxy stands in front of it. */
  proxy?: boolean;
  /** A Prometheus fetches the page of its metrics every second. */
  scraped?: boolean;
  /** RingMQ's command line file, when it is not this tree's. */
  cli?: string;
  /** What runs RingMQ in place of this Node.js and that file. */
  program?: readonly string[];
  /** Flags of the Node.js that runs RingMQ. */
  nodeFlags?: readonly string[];
  /** What it does instead of the scenario's work. */
  plan?: WorkPlan;
  /** Its failure is a result (a heap that is too small), not a failed run. */
  mayFail?: boolean;
  fullRunOnly?: boolean;
  /** Why it need not start, seen from what the others before it reached; undefined = it is needed. */
  skip?(before: readonly TargetOutcome[]): string | undefined;
}

export const ROCKETMQ: Contestant = { name: 'rocketmq', title: 'RocketMQ', kind: 'rocketmq' };
export const RINGMQ: Contestant = { name: 'ringmq', title: 'RingMQ', kind: 'ringmq' };
export const NULL_SERVER: Contestant = { name: 'null', title: 'null server', kind: 'null' };
/** What this machine lets any broker with our guarantees do (bench/limit). */
export const LIMIT: Contestant = { name: 'limit', title: 'limit', kind: 'limit' };
/** The topology with the writer inside the network thread: a lone send wakes nobody. */
export const MERGED: Contestant = {
  name: 'merged',
  title: 'RingMQ merged',
  kind: 'ringmq',
  conf: { 'ringmq.engineLayout': 'merged' },
};
