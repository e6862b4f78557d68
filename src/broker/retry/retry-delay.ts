/**
 * How long a message that was given back waits, and where: in the queue of a delay level that has exactly this delay,
 * else with the timed messages. Where those are off, or the delay is beyond their longest, the level stands for it that
 * comes nearest without being too short.
 */
import type { DelayLevels } from '../../delivery/delay/levels.ts';
import { rewriteForDelay } from '../../delivery/delay/rewrite.ts';
import { rewriteForTimer, TIMER_DELAY_MS, type TimerRules } from '../../delivery/timer/rewrite.ts';
import { forgetTimes } from '../../delivery/timer/timed-record.ts';
import type { RetryPolicy } from '../../metadata/retry-policy.ts';
import { PROPERTY_DELAY } from '../../record/properties.ts';
import type { InternalMessage } from '../../store/put/put-message.ts';

/** Of a first redelivery where the group has no policy; each further one takes the next level. */
const FIRST_DELAY_LEVEL = 3;

/** One of both. */
export type RetryWait = { readonly level: number } | { readonly delayMs: number };

/** The wait of a message that has been redelivered so many times. What is past the last level counts as the last. */
export function retryWait(
  policy: RetryPolicy,
  redeliveries: number,
  levels: DelayLevels,
  timers: TimerRules,
): RetryWait {
  const delayMs = policy.delayMs(redeliveries);
  if (delayMs === undefined) return { level: FIRST_DELAY_LEVEL + Math.max(0, redeliveries) };
  const level = levelFor(delayMs, levels);
  const isTimed = timers.timerWheelEnable && delayMs <= timers.timerMaxDelaySec * 1_000;
  return isTimed && levels.delayOf(level) !== delayMs ? { delayMs } : { level };
}

/** The retry as it has to be put: parked until its wait is over. What it waited for before counts no more. */
export function waitingRetry(
  retry: InternalMessage,
  wait: RetryWait,
  levels: DelayLevels,
  timers: TimerRules,
  now: number,
): InternalMessage {
  const properties = new Map(retry.properties);
  if ('level' in wait) {
    properties.set(PROPERTY_DELAY, String(wait.level));
    return rewriteForDelay({ ...retry, properties }, levels.max);
  }
  properties.delete(PROPERTY_DELAY);
  forgetTimes(properties);
  properties.set(TIMER_DELAY_MS, String(wait.delayMs));
  return rewriteForTimer({ ...retry, properties }, timers, now);
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
