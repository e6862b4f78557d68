/**
 * Messages with a priority, which is no more than the queue that they go to: priority 3 goes to queue 3, and what is
 * higher than the topic has queues to the last one. Who consumes takes the queues in their order.
 */
import { TIMER_PROPERTIES } from '../../delivery/timer/rewrite.ts';
import { isHalf } from '../../delivery/transaction/half-message.ts';
import { PROPERTY_DELAY, PROPERTY_PRIORITY, PROPERTY_SHARDING_KEY } from '../../record/properties.ts';

const MAX_INT32 = 0x7f_ff_ff_ff;
/** A message with one of these is of another type, and no message is of two. */
const OTHER_TYPES: readonly string[] = [PROPERTY_DELAY, ...TIMER_PROPERTIES, PROPERTY_SHARDING_KEY];

/**
 * The queue that a message goes to whose sender has named `queueId`. As in RocketMQ a priority counts in every topic,
 * and is taken off a message of another type.
 */
export function queueByPriority(
  properties: Map<string, string>,
  queueId: number,
  writeQueueNums: number,
): number {
  const priority = priorityIn(properties.get(PROPERTY_PRIORITY));
  if (priority < 0) return queueId;
  if (isHalf(properties) || OTHER_TYPES.some((name) => properties.has(name))) {
    properties.delete(PROPERTY_PRIORITY);
    return queueId;
  }
  return Math.max(0, Math.min(priority, writeQueueNums - 1));
}

/** -1 for what is no number of 32 bits. */
function priorityIn(text: string | undefined): number {
  if (text === undefined || !/^[+-]?\d{1,64}$/.test(text)) return -1;
  const priority = Number(text);
  return priority <= MAX_INT32 ? priority : -1;
}
