/** The message that goes to a retry topic or a dead letter queue in place of one that was not consumed. */

import type { StoredMessage } from '../../record/decode.ts';
import {
  PROPERTY_DELAY,
  PROPERTY_ORIGIN_MESSAGE_ID,
  PROPERTY_RETRY_TOPIC,
  PROPERTY_WAIT,
} from '../../record/properties.ts';
import type { InternalMessage } from '../../store/put/put-message.ts';

/** Dead letter topics have one queue. */
export const DEAD_LETTER_QUEUES = 1;

/** `%RETRY%` consumers find the original topic in RETRY_TOPIC and the original id in ORIGIN_MESSAGE_ID. */
export function redeliveryOf(
  message: StoredMessage,
  target: { topic: string; queueId: number; delayLevel: number },
): InternalMessage {
  const properties = new Map(message.properties);
  if (!properties.has(PROPERTY_RETRY_TOPIC)) properties.set(PROPERTY_RETRY_TOPIC, message.topic);
  properties.set(PROPERTY_WAIT, 'false');
  properties.set(PROPERTY_DELAY, String(target.delayLevel));
  const origin = properties.get(PROPERTY_ORIGIN_MESSAGE_ID) ?? '';
  if (origin.trim() === '') properties.set(PROPERTY_ORIGIN_MESSAGE_ID, message.messageId);
  return {
    topic: target.topic,
    queueId: target.queueId,
    body: message.body,
    properties,
    flag: message.flag,
    sysFlag: message.sysFlag,
    bornTimestamp: message.bornTimestamp,
    bornHost: message.bornHost,
    reconsumeTimes: message.reconsumeTimes + 1,
    preparedTransactionOffset: 0,
  };
}
