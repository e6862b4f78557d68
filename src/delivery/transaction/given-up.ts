/**
 * Which ends a start has to read to know what was given up and may still be ended. That a transaction was given up, and
 * that its producer has ended it after all, stands in the op queue behind the message in TRANS_CHECK_MAX_TIME_TOPIC: so
 * the oldest of those that count says where to begin. Where nothing was given up nothing is read.
 */
import { MAX_GIVEN_UP, MAX_OPS_AFTER_GIVE_UP } from '../../lib/limits.ts';
import { OP_HALF_TOPIC, TRANS_CHECK_MAX_TIME_TOPIC } from '../../lib/names.ts';
import type { TransactionContext } from './context.ts';
import { ONLY_QUEUE } from './half-message.ts';

type Queues = Pick<TransactionContext['store'], 'minOffset' | 'maxOffset' | 'readQueue'>;

/** Offset of the first op message to read; `needed`: the first one for what is open. */
export function firstOpToRead(store: Queues, needed: number): number {
  const givenUp = TRANS_CHECK_MAX_TIME_TOPIC;
  const newest = store.maxOffset(givenUp, ONLY_QUEUE) - MAX_GIVEN_UP;
  const oldest = positionOf(store, givenUp, Math.max(newest, store.minOffset(givenUp, ONLY_QUEUE)));
  if (oldest === undefined) return needed;
  const lastEnds = store.maxOffset(OP_HALF_TOPIC, ONLY_QUEUE) - MAX_OPS_AFTER_GIVE_UP;
  let low = Math.max(lastEnds, store.minOffset(OP_HALF_TOPIC, ONLY_QUEUE));
  for (let high = needed; low < high; ) {
    const middle = Math.floor((low + high) / 2);
    if ((positionOf(store, OP_HALF_TOPIC, middle) ?? -1) > oldest) high = middle;
    else low = middle + 1;
  }
  return Math.min(low, needed);
}

/** In the log, of what a queue holds at this offset. */
function positionOf(store: Queues, topic: string, offset: number): number | undefined {
  return store.readQueue(topic, ONLY_QUEUE, offset, 1)[0]?.physicalOffset;
}
