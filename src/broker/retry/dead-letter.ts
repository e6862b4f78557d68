/**
 * Dead letters: messages that their group will not see again, in the topic `%DLQ%group`. Each of them tells where it
 * comes from and why it is there, in properties of its own: RocketMQ reserves names for the first two and writes none.
 */
import { deadLetterTopicOf } from '../../lib/names.ts';
import type { Asker } from '../../metadata/config-table.ts';
import { MAX_PROPERTIES } from '../../record/layout.ts';
import {
  encodeProperties,
  PROPERTY_DEAD_LETTER_GROUP,
  PROPERTY_DEAD_LETTER_REASON,
  PROPERTY_DLQ_ORIGIN_MESSAGE_ID,
  PROPERTY_DLQ_ORIGIN_TOPIC,
  PROPERTY_ORIGIN_MESSAGE_ID,
  PROPERTY_RETRY_TOPIC,
} from '../../record/properties.ts';
import type { InternalMessage } from '../../store/put/put-message.ts';
import type { BrokerContext } from '../context.ts';
import { SNDBCK2DLQ_TIMES } from '../stats/stats.ts';

/** Dead letter topics have one queue, and consumers may read it. */
const DEAD_LETTER_QUEUES = 1;

export interface DeadLetterPlace {
  topic: string;
  queueId: number;
}

/** Where the dead letters of a group go; the topic is created when it is needed. */
export function deadLetterPlace(context: BrokerContext, group: string, by: Asker): DeadLetterPlace {
  const topic = deadLetterTopicOf(group);
  context.topics.createInternal(topic, DEAD_LETTER_QUEUES, by);
  return { topic, queueId: 0 };
}

/**
 * Has a message tell that it is dead to this group, in place of what it said before: it may have been a dead letter of
 * another group. What its other properties leave no room for is left out, the reason first.
 */
export function markDead(properties: Map<string, string>, group: string, reason: string): void {
  const marks: [string, string | undefined][] = [
    [PROPERTY_DLQ_ORIGIN_TOPIC, properties.get(PROPERTY_RETRY_TOPIC)],
    [PROPERTY_DLQ_ORIGIN_MESSAGE_ID, properties.get(PROPERTY_ORIGIN_MESSAGE_ID)],
    [PROPERTY_DEAD_LETTER_GROUP, group],
    [PROPERTY_DEAD_LETTER_REASON, reason],
  ];
  for (const [name] of marks) properties.delete(name);
  let length = Buffer.byteLength(encodeProperties(properties));
  for (const [name, value] of marks) {
    if (value === undefined) continue;
    length += Buffer.byteLength(encodeProperties([[name, value]]));
    if (length > MAX_PROPERTIES) return;
    properties.set(name, value);
  }
}

/** The topic of a redelivery or dead letter before its group got it for the first time, as far as it says so. */
export function originTopicOf({ topic, properties }: Pick<InternalMessage, 'topic' | 'properties'>): string {
  return properties.get(PROPERTY_RETRY_TOPIC) ?? topic;
}

/** Counts a dead letter that is stored. */
export function countDead(context: BrokerContext, group: string, originTopic: string): void {
  context.stats.add(SNDBCK2DLQ_TIMES, `${originTopic}@${group}`, 1);
}
