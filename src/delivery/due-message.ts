/** From a record that waited for its time to the message that is delivered in its place. */

import { HALF_TOPIC } from '../lib/names.ts';
import { decodeRecord, type StoredMessage } from '../record/decode.ts';
import type { InternalMessage } from '../store/put/put-message.ts';
import { namesQueue, realQueueOf } from './real-queue.ts';

/**
 * Same body, flags, times and properties, under the real topic and queue. DELAY, REAL_TOPIC and REAL_QID stay:
 * proxies and operators read them. A string says why the record cannot be delivered.
 */
export function deliveryOf(record: Uint8Array): InternalMessage | string {
  const message = decodeRecord(record);
  if (message === undefined) return 'the parked bytes are no record';
  const real = realQueueOf(message.properties);
  if (!namesQueue(real)) return 'the record names no real topic and queue';
  if (real.topic === HALF_TOPIC) return 'the real topic is the half topic';
  return copyOf(message, real.topic, real.queueId);
}

/** The message as it is stored, to be put once more. */
export function copyOf(message: StoredMessage, topic: string, queueId: number): InternalMessage {
  return {
    topic,
    queueId,
    body: message.body,
    properties: message.properties,
    flag: message.flag,
    sysFlag: message.sysFlag,
    bornTimestamp: message.bornTimestamp,
    bornHost: message.bornHost,
    reconsumeTimes: message.reconsumeTimes,
    preparedTransactionOffset: 0,
  };
}
