/**
 * Ordinary sends to a retry topic: clients do that when sending back failed, and orderly consumers when they give up.
 * Here it is decided whether the message stays there or has to go to the dead letter queue.
 */
import { groupOfRetryTopic } from '../../lib/names.ts';
import type { Asker } from '../../metadata/config-table.ts';
import type { GroupConfig } from '../../metadata/group-config.ts';
import { PROPERTY_DELAY } from '../../record/properties.ts';
import type { BrokerContext } from '../context.ts';
import { deadLetterPlace, markDead } from './dead-letter.ts';
import { groupMissing, retryLimit, usedUp } from './rules.ts';

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
  /** The group whose dead letter it is now; undefined while it is redelivered. */
  deadTo: string | undefined;
}

/**
 * Where the message has to be put. The dead letter topic is created when it is needed.
 * Throws a RequestError (SUBSCRIPTION_GROUP_NOT_EXIST) when the group is unknown and may not be created.
 */
export function sendToRetryTopic(context: BrokerContext, send: RetrySend): RetryTarget {
  const groupName = groupOfRetryTopic(send.topic);
  const group = context.groups.findOrCreate(groupName, send.by);
  if (group === undefined) throw groupMissing(groupName);
  const properties = new Map(send.properties);
  const reason = whyDead(context, group, send);
  if (reason === undefined)
    return { topic: send.topic, queueId: send.queueId, properties, deadTo: undefined };
  properties.set(PROPERTY_DELAY, '-1');
  markDead(properties, groupName, reason);
  return { ...deadLetterPlace(context, groupName, send.by), properties, deadTo: groupName };
}

function whyDead(context: BrokerContext, group: GroupConfig, send: RetrySend): string | undefined {
  const times = send.reconsumeTimes ?? 0;
  // An orderly consumer sends here only what it has given up on, and it holds locks.
  if (context.locks.anyHeld(group.groupName)) {
    return `given up by an orderly consumer (reconsumeTimes ${times})`;
  }
  const limit = retryLimit(group, send.clientVersion, send.maxReconsumeTimes);
  // The sender has counted the redelivery that it asks for.
  return times > limit.most ? usedUp(times - 1, limit) : undefined;
}
