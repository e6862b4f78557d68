/**
 * How long a message that was given back waits. A group's retry policy names a time; what waits, waits in the queue of
 * a delay level, so the level that comes nearest without being too short stands for it.
 */
import type { DelayLevels } from '../../delivery/delay/levels.ts';
import type { RetryPolicy } from '../../metadata/retry-policy.ts';

/** Of a first redelivery where the group has no policy; each further one takes the next level. */
const FIRST_DELAY_LEVEL = 3;

/** The level for a message that has been redelivered so many times. What is past the last level counts as the last. */
export function retryLevel(policy: RetryPolicy, redeliveries: number, levels: DelayLevels): number {
  const delayMs = policy.delayMs(redeliveries);
  return delayMs === undefined ? FIRST_DELAY_LEVEL + Math.max(0, redeliveries) : levelFor(delayMs, levels);
}

/**
 * The level with the shortest delay that is not below `delayMs`; when all are below it, the one with the longest.
 * Levels need not ascend; of equal ones the first is taken.
 */
export function levelFor(delayMs: number, levels: DelayLevels): number {
  let best = 1;
  for (let level = 2; level <= levels.max; level++) {
    if (isNearer(levels.delayOf(level), levels.delayOf(best), delayMs)) best = level;
  }
  return best;
}

function isNearer(candidate: number, best: number, wanted: number): boolean {
  if (best < wanted) return candidate > best;
  return candidate >= wanted && candidate < best;
}
