/**
 * Which agents of the engine share a thread (and its sleep).
 *
 *     dedicated   each has its own
 *     paired      writer and dispatcher share one: on few cores a wake-up of the dispatcher per batch costs more than
 *                 what it could do beside the writer (10 to 16 % more messages a second on two cores)
 *     merged      the writer runs inside the one network thread: a lone send needs no wake-up at all
 *     inline      all of them run inside it: starts fastest, carries least (a worker takes 45 ms to come up, one after
 *                 the other: measured)
 *
 * Delivery shares only with all: it may have to wait for pages of old files, and nobody else is to wait with it. Its
 * own thread starts with the first message that is to be delivered later (a thread is 9 MiB of memory: measured).
 */
import { availableParallelism } from 'node:os';

export const ENGINE_LAYOUTS = ['dedicated', 'paired', 'merged', 'inline'] as const;
export type EngineLayout = (typeof ENGINE_LAYOUTS)[number];

export type EngineRole = 'writer' | 'dispatcher' | 'flusher' | 'delivery';

interface Placement {
  /** What runs inside the network thread, of which there must be one then. */
  readonly network: readonly EngineRole[];
  /** What runs in each other thread, which is called after the first; but delivery. */
  readonly workers: readonly (readonly [EngineRole, ...EngineRole[]])[];
}

export const PLACEMENTS: Readonly<Record<EngineLayout, Placement>> = {
  dedicated: { network: [], workers: [['writer'], ['dispatcher'], ['flusher']] },
  paired: { network: [], workers: [['writer', 'dispatcher'], ['flusher']] },
  merged: { network: ['writer'], workers: [['dispatcher'], ['flusher']] },
  inline: { network: ['writer', 'dispatcher', 'flusher', 'delivery'], workers: [] },
};

/** Whether the layout works inside the network thread, of which there must be one. */
export function needsOneNetworkThread(layout: EngineLayout): boolean {
  return PLACEMENTS[layout].network.length > 0;
}

/** Whether delivery has a thread of its own. */
export function deliversApart(layout: EngineLayout): boolean {
  return !PLACEMENTS[layout].network.includes('delivery');
}

const FEW_CORES = 4;

/** What a broker gets that asks for none, on this machine. */
export function defaultEngineLayout(): EngineLayout {
  return availableParallelism() <= FEW_CORES ? 'paired' : 'dedicated';
}
