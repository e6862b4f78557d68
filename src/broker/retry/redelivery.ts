/** The message that goes to a retry topic or a dead letter queue in place of one that was not consumed. */

import { copyOf } from '../../delivery/due-message.ts';
import { INT32 } from '../../protocol/json-fields.ts';
import { messageIdOf, type StoredMessage } from '../../record/decode.ts';
import { PROPERTY_ORIGIN_MESSAGE_ID, PROPERTY_RETRY_TOPIC, PROPERTY_WAIT } from '../../record/properties.ts';
import type { InternalMessage } from '../../store/put/put-message.ts';

/** `%RETRY%` consumers find the original topic in RETRY_TOPIC and the original id in ORIGIN_MESSAGE_ID. */
export function redeliveryOf(
  message: StoredMessage,
  place: { topic: string; queueId: number },
): InternalMessage {
  const properties = new Map(message.properties);
  if (!properties.has(PROPERTY_RETRY_TOPIC)) properties.set(PROPERTY_RETRY_TOPIC, message.topic);
  properties.set(PROPERTY_WAIT, 'false');
  const origin = properties.get(PROPERTY_ORIGIN_MESSAGE_ID) ?? '';
  if (origin.trim() === '') properties.set(PROPERTY_ORIGIN_MESSAGE_ID, messageIdOf(message));
  return {
    ...copyOf(message, place.topic, place.queueId),
    properties,
    // Clients may send any number: one more than the largest would be stored as the least.
    reconsumeTimes: Math.min(message.reconsumeTimes + 1, INT32.most),
  };
}
