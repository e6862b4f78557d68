/**
 * Ordinary sends to a retry topic: clients do that when sending back failed, and orderly consumers when they give up.
 * Here it is decided whether the message stays there or has to go to the dead letter queue.
 */
import { deadLetterTopicOf, groupOfRetryTopic } from '../../lib/names.ts';
import type { Asker } from '../../metadata/config-table.ts';
import { PROPERTY_DELAY } from '../../record/properties.ts';
import type { BrokerContext } from '../context.ts';
import { DEAD_LETTER_QUEUES } from './redelivery.ts';
import { groupMissing, maxReconsumeTimes } from './rules.ts';

export interface RetrySend {
  /** A `%RETRY%` topic. */
  topic: string;
  queueId: number;
  /** From the send header; undefined counts as 0. */
  reconsumeTimes: number | undefined;
  maxReconsumeTimes: number | undefined;
  /** MQVersion ordinal of the request. */
  clientVersion: number;
  properties: ReadonlyMap<string, string>;
  by: Asker;
}

export interface RetryTarget {
  topic: string;
  queueId: number;
  properties: Map<string, string>;
}

/**
 * Where the message has to be put. The dead letter topic is created when it is needed.
 * Throws a RequestError (SUBSCRIPTION_GROUP_NOT_EXIST) when the group is unknown and may not be created.
 */
export function sendToRetryTopic(context: BrokerContext, send: RetrySend): RetryTarget {
  const groupName = groupOfRetryTopic(send.topic);
  const group = context.groups.findOrCreate(groupName, send.by);
  if (group === undefined) throw groupMissing(groupName);
  const tries = maxReconsumeTimes(group, send.clientVersion, send.maxReconsumeTimes);
  // An orderly consumer sends here only what it has given up on, and it holds locks.
  const exhausted = (send.reconsumeTimes ?? 0) > tries || context.locks.anyHeld(groupName);
  const properties = new Map(send.properties);
  if (!exhausted) return { topic: send.topic, queueId: send.queueId, properties };
  const topic = deadLetterTopicOf(groupName);
  context.topics.createInternal(topic, DEAD_LETTER_QUEUES, send.by);
  properties.set(PROPERTY_DELAY, '-1');
  return { topic, queueId: 0, properties };
}
