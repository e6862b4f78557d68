/**
 * Which of writer, dispatcher and flusher share a thread (and its sleep): all, the first two, or none. On few cores a
 * wake-up of the dispatcher per batch costs more than what it could do beside the writer: paired gave 10 to 16 % more
 * messages a second on two cores.
 */
import { availableParallelism } from 'node:os';

export type EngineLayout = 'shared' | 'paired' | 'dedicated';

const FEW_CORES = 4;

export function engineLayoutOf(sharedEngine: boolean): EngineLayout {
  if (sharedEngine) return 'shared';
  return availableParallelism() <= FEW_CORES ? 'paired' : 'dedicated';
}
