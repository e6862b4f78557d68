/**
 * CONSUMER_SEND_MSG_BACK (36): a consumer could not handle a message. It is stored anew under the group's retry topic,
 * after a delay that grows with each try, and after the last one in the group's dead letter queue.
 */

import { rewriteForDelay } from '../../delivery/delay/rewrite.ts';
import { limitRemark, MAX_SEND_BACK_BYTES } from '../../lib/limits.ts';
import { deadLetterTopicOf, retryTopicOf } from '../../lib/names.ts';
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
import { PROPERTY_RETRY_TOPIC } from '../../record/properties.ts';
import { isStored } from '../../store/put/put-message.ts';
import { askerOf, type BrokerContext, type BrokerHandler } from '../context.ts';
import { SNDBCK_PUT_NUMS, SNDBCK2DLQ_TIMES } from '../stats/stats.ts';
import { DEAD_LETTER_QUEUES, redeliveryOf } from './redelivery.ts';
import { groupMissing, maxReconsumeTimes } from './rules.ts';

/** The first redelivery comes after 10 s. */
const FIRST_DELAY_LEVEL = 3;

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
  const { groupName } = group;
  const delayLevel = requiredInt32(request, 'delayLevel');
  const tries = maxReconsumeTimes(group, request.version, int32Field(request, 'maxReconsumeTimes'));
  const exhausted = message.reconsumeTimes >= tries || delayLevel < 0;
  const target = exhausted
    ? deadLetterTarget(context, groupName, by)
    : {
        topic: retryTopicOf(groupName),
        queueId: Math.floor(Math.random() * group.retryQueueNums),
        delayLevel: delayLevel === 0 ? FIRST_DELAY_LEVEL + message.reconsumeTimes : delayLevel,
      };
  const { levels } = context;
  const result = await context.put(rewriteForDelay(redeliveryOf(message, target), levels.max));
  if (!isStored(result.status)) {
    // The client tries again after a while; any other code makes it send the message anew.
    if (result.status === ResponseCode.SYSTEM_BUSY)
      throw new RequestError(result.status, result.remark ?? '');
    throw new RequestError(ResponseCode.SYSTEM_ERROR, responseName(result.status));
  }
  count(context, groupName, message, exhausted);
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

function deadLetterTarget(context: BrokerContext, group: string, by: Asker) {
  const topic = deadLetterTopicOf(group);
  context.topics.createInternal(topic, DEAD_LETTER_QUEUES, by);
  return { topic, queueId: 0, delayLevel: 0 };
}

function count(context: BrokerContext, group: string, message: StoredMessage, exhausted: boolean): void {
  const topic = message.properties.get(PROPERTY_RETRY_TOPIC) ?? message.topic;
  context.stats.add(SNDBCK_PUT_NUMS, `${topic}@${group}`, 1);
  if (exhausted) context.stats.add(SNDBCK2DLQ_TIMES, `${topic}@${group}`, 1);
}
