/**
 * CONSUMER_SEND_MSG_BACK (36): a consumer could not handle a message. It is stored anew under the group's retry topic,
 * after a delay that grows with each try, and after the last one in the group's dead letter queue.
 */

import { limitRemark, MAX_SEND_BACK_BYTES } from '../../lib/limits.ts';
import { retryTopicOf } from '../../lib/names.ts';
import type { Asker } from '../../metadata/config-table.ts';
import type { GroupConfig } from '../../metadata/group-config.ts';
import { PERM_WRITE, TOPIC_UNIT_SUB } from '../../metadata/topic-config.ts';
import { ResponseCode, responseName } from '../../protocol/codes.ts';
import type { RemotingCommand } from '../../protocol/command.ts';
import {
  booleanField,
  int32Field,
  RequestError,
  requiredInt32,
  requiredInt64,
  requiredText,
  succeed,
} from '../../protocol/request-fields.ts';
import { decodeRecord, type StoredMessage } from '../../record/decode.ts';
import { PROPERTY_DELAY } from '../../record/properties.ts';
import { type InternalMessage, isStored } from '../../store/put/put-message.ts';
import { askerOf, type BrokerContext, type BrokerHandler } from '../context.ts';
import { SNDBCK_PUT_NUMS } from '../stats/stats.ts';
import { countDead, deadLetterPlace, markDead, originTopicOf } from './dead-letter.ts';
import { redeliveryOf } from './redelivery.ts';
import { retryWait, waitingRetry } from './retry-delay.ts';
import { groupMissing, type RetryLimit, retryLimit, usedUp } from './rules.ts';

export const sendBack: BrokerHandler = async (context, request, connection) => {
  const by = askerOf(request, connection);
  const groupName = requiredText(request, 'group');
  const group = context.groups.findOrCreate(groupName, by);
  if (group === undefined) throw groupMissing(groupName);
  if ((context.settings.brokerPermission & PERM_WRITE) === 0) {
    throw new RequestError(
      ResponseCode.NO_PERMISSION,
      `the broker[${context.settings.brokerIP1}] sending message is forbidden`,
    );
  }
  if (group.retryQueueNums <= 0) return succeed(request);
  createRetryTopic(context, group, by, booleanField(request, 'unitMode', false));
  const position = requiredInt64(request, 'offset');
  const size = context.store.recordSize(position);
  // Before the record is read: a small request makes a copy of a large message, and many of them come in one packet.
  if (!context.sendBacks.take(size)) throw tooMany();
  try {
    await giveBack(context, request, group, lookUp(context, request, position), by);
  } finally {
    context.sendBacks.give(size);
  }
  return succeed(request);
};

function tooMany(): RequestError {
  const what = 'bytes of messages that are being given back';
  return new RequestError(
    ResponseCode.SYSTEM_BUSY,
    limitRemark(what, MAX_SEND_BACK_BYTES, 'MAX_SEND_BACK_BYTES'),
  );
}

async function giveBack(
  context: BrokerContext,
  request: RemotingCommand,
  group: GroupConfig,
  message: StoredMessage,
  by: Asker,
): Promise<void> {
  const delayLevel = requiredInt32(request, 'delayLevel');
  const limit = retryLimit(group, request.version, int32Field(request, 'maxReconsumeTimes'));
  const reason = whyDead(message, delayLevel, limit);
  const next =
    reason === undefined
      ? retryOf(context, group, message, delayLevel)
      : deadLetterOf(context, group, message, reason, by);
  const result = await context.put(next);
  if (!isStored(result.status)) {
    // The client tries again after a while; any other code makes it send the message anew.
    if (result.status === ResponseCode.SYSTEM_BUSY)
      throw new RequestError(result.status, result.remark ?? '');
    throw new RequestError(ResponseCode.SYSTEM_ERROR, responseName(result.status));
  }
  const origin = originTopicOf(message);
  context.stats.add(SNDBCK_PUT_NUMS, `${origin}@${group.groupName}`, 1);
  if (reason !== undefined) countDead(context, group.groupName, origin);
}

function whyDead(message: StoredMessage, delayLevel: number, limit: RetryLimit): string | undefined {
  if (delayLevel < 0) return `the consumer wanted no further redelivery (delayLevel ${delayLevel})`;
  return message.reconsumeTimes >= limit.most ? usedUp(message.reconsumeTimes, limit) : undefined;
}

/** Parked until it is due. */
function retryOf(
  context: BrokerContext,
  group: GroupConfig,
  message: StoredMessage,
  wantedLevel: number,
): InternalMessage {
  const retry = redeliveryOf(message, retryPlace(context, group, message.queueId));
  const { levels, settings, clock } = context;
  const wait =
    wantedLevel > 0
      ? { level: wantedLevel }
      : retryWait(group.groupRetryPolicy, message.reconsumeTimes, levels, settings);
  return waitingRetry(retry, wait, levels, settings, clock.now());
}

/** It does not wait, whatever its properties ask for. */
function deadLetterOf(
  context: BrokerContext,
  { groupName }: GroupConfig,
  message: StoredMessage,
  reason: string,
  by: Asker,
): InternalMessage {
  const dead = redeliveryOf(message, deadLetterPlace(context, groupName, by));
  dead.properties.set(PROPERTY_DELAY, '0');
  markDead(dead.properties, groupName, reason);
  return dead;
}

function createRetryTopic(context: BrokerContext, group: GroupConfig, by: Asker, unitMode: boolean): void {
  const topic = context.topics.createInternal(
    retryTopicOf(group.groupName),
    group.retryQueueNums,
    by,
    undefined,
    unitMode ? TOPIC_UNIT_SUB : 0,
  );
  if ((topic.perm & PERM_WRITE) !== 0) return;
  throw new RequestError(
    ResponseCode.NO_PERMISSION,
    `the topic[${topic.topicName}] sending message is forbidden`,
  );
}

/**
 * The messages of one queue come again in one queue, and so in the order in which they were given back. It is a queue
 * that consumers read: the topic may be older than the group's number of queues.
 */
function retryPlace(context: BrokerContext, group: GroupConfig, queueId: number) {
  const topic = retryTopicOf(group.groupName);
  const { writeQueueNums = 1, readQueueNums = 1 } = context.topics.get(topic) ?? {};
  const queues = Math.max(1, Math.min(group.retryQueueNums, writeQueueNums, readQueueNums));
  return { topic, queueId: queueId % queues };
}

function lookUp(context: BrokerContext, request: RemotingCommand, offset: number): StoredMessage {
  const { store } = context;
  const inRange = offset >= store.minPhysicalOffset && offset < store.maxPhysicalOffset;
  const record = inRange ? store.recordAt(offset) : undefined;
  const message = record === undefined ? undefined : decodeRecord(record);
  if (message !== undefined) return message;
  throw new RequestError(
    ResponseCode.SYSTEM_ERROR,
    `look message by offset failed, ${request.fields['offset']}`,
  );
}
