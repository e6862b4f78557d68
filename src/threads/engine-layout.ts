/**
 * Which of writer, dispatcher and flusher share a thread (and its sleep).
 *
 *     dedicated   each has its own
 *     paired      writer and dispatcher share one: on few cores a wake-up of the dispatcher per batch costs more than
 *                 what it could do beside the writer (10 to 16 % more messages a second on two cores)
 *     merged      the writer runs inside the one network thread: a lone send needs no wake-up at all
 *     inline      all three run inside it: starts fastest, carries least (a worker takes 45 ms to come up, one after
 *                 the other: measured)
 */
import { availableParallelism } from 'node:os';

export const ENGINE_LAYOUTS = ['dedicated', 'paired', 'merged', 'inline'] as const;
export type EngineLayout = (typeof ENGINE_LAYOUTS)[number];

/** Whether the layout works inside the network thread, of which there must be one. */
export function needsOneNetworkThread(layout: EngineLayout): boolean {
  return layout === 'merged' || layout === 'inline';
}

const FEW_CORES = 4;

/** What a broker gets that asks for none, on this machine. */
export function defaultEngineLayout(): EngineLayout {
  return availableParallelism() <= FEW_CORES ? 'paired' : 'dedicated';
}
