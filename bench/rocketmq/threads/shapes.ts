/** What the threads are measured with: a few scenarios of bench:rocketmq, and the broker's variants. */
import type { Contestant } from '../contestant.ts';
import type { FlushMode } from '../scenarios.ts';
import { pullWork } from '../work/pull.ts';
import { sendWork } from '../work/send.ts';
import type { WorkPlan } from '../work/work.ts';

export interface Shape {
  /** As bench:rocketmq calls it. */
  name: string;
  title: string;
  flush: FlushMode;
  plan: WorkPlan;
}

const kibibyte = { connections: 8, inFlight: 32, bodyBytes: 1024 };

export const SHAPES: readonly Shape[] = [
  {
    name: 'async-1k',
    title: 'Sends of 1 KiB, 8 × 32 in flight, async flush',
    flush: 'ASYNC_FLUSH',
    plan: sendWork(kibibyte),
  },
  {
    name: 'async-128b',
    title: 'Sends of 128 B, 16 × 64 in flight, async flush',
    flush: 'ASYNC_FLUSH',
    plan: sendWork({ connections: 16, inFlight: 64, bodyBytes: 128 }),
  },
  {
    name: 'sync-1k',
    title: 'Sends of 1 KiB, 8 × 32 in flight, sync flush',
    flush: 'SYNC_FLUSH',
    plan: sendWork(kibibyte),
  },
  {
    name: 'pull',
    title: 'Pulls of a warm backlog of 1 KiB messages, 32 a batch, 4 queues',
    flush: 'ASYNC_FLUSH',
    plan: pullWork({ pullBatch: 32 }),
  },
];

/** A broker whose threads are measured. */
export interface Variant extends Contestant {
  /** Undefined: what this machine gives a broker that asks for nothing. */
  networkThreads: number | undefined;
}

export function variantsOf(networkThreads: readonly number[], conf: Record<string, string>): Variant[] {
  const counted = networkThreads.map((n): Variant => {
    const title = `${n} network ${n === 1 ? 'thread' : 'threads'}`;
    const own = { 'ringmq.engineLayout': 'dedicated', 'ringmq.networkThreads': String(n) };
    return { name: `network-${n}`, title, kind: 'ringmq', networkThreads: n, conf: { ...own, ...conf } };
  });
  const byDefault: Variant = {
    name: 'default',
    title: "this machine's default",
    kind: 'ringmq',
    networkThreads: undefined,
    conf,
  };
  return [...counted, byDefault];
}
