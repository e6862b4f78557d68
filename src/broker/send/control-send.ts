/**
 * Sends that the network threads leave to control: delayed messages, sends to retry topics, and what is not offered.
 * Slower, in plain steps, with the same checks and answers as the fast path.
 */

import { delayLevelOf, delayProblem, rewriteForDelay } from '../../delivery/delay/rewrite.ts';
import { isNotSendableTopic, isRetryTopic, topicNameProblem } from '../../lib/names.ts';
import { quote } from '../../lib/quote.ts';
import type { Asker } from '../../metadata/config-table.ts';
import { hostAddress } from '../../net/addresses.ts';
import { RequestCode, ResponseCode } from '../../protocol/codes.ts';
import { type RemotingCommand, responseTo } from '../../protocol/command.ts';
import {
  booleanField,
  int32Field,
  RequestError,
  requiredInt32,
  requiredInt64,
  requiredText,
  succeed,
} from '../../protocol/request-fields.ts';
import { MAX_PROPERTIES } from '../../record/layout.ts';
import { encodeMessageId } from '../../record/message-id.ts';
import {
  encodeProperties,
  NUL_REMARK,
  PROPERTY_CLUSTER,
  PROPERTY_MSG_REGION,
  PROPERTY_TRACE_ON,
  PROPERTY_TRANSACTION,
  PROPERTY_UNIQUE_KEY,
  parseProperties,
} from '../../record/properties.ts';
import type { ClientConnection } from '../../remoting/connection.ts';
import { type InternalMessage, isStored, type PutResult } from '../../store/put/put-message.ts';
import { askerOf, type BrokerContext, type BrokerHandler } from '../context.ts';
import { sendToRetryTopic } from '../retry/retry-send.ts';
import { reasonOf } from './refused-sends.ts';

/** Full field names by the letters of SEND_MESSAGE_V2. */
const LETTERS: Readonly<Record<string, string>> = {
  a: 'producerGroup',
  b: 'topic',
  c: 'defaultTopic',
  d: 'defaultTopicQueueNums',
  e: 'queueId',
  f: 'sysFlag',
  g: 'bornTimestamp',
  h: 'flag',
  i: 'properties',
  j: 'reconsumeTimes',
  k: 'unitMode',
  l: 'maxReconsumeTimes',
  m: 'batch',
};

const TIMER_PROPERTIES = ['TIMER_DELIVER_MS', 'TIMER_DELAY_SEC', 'TIMER_DELAY_MS'];

export const specialSend: BrokerHandler = async (context, request, connection) => {
  const refused = (code: number, remark: string) => {
    const topic = withFullNames(request).fields['topic'] ?? '';
    const example = { client: connection.remoteAddress, topic: quote(topic), remark: quote(remark, 256) };
    context.refusedSend({ reason: reasonOf(code, remark), count: 1, ...example });
  };
  try {
    const reply = await send(context, request, connection);
    if (!isStored(reply.code)) refused(reply.code, reply.remark ?? '');
    return reply;
  } catch (error) {
    if (error instanceof RequestError) refused(error.code, error.message);
    throw error;
  }
};

async function send(
  context: BrokerContext,
  request: RemotingCommand,
  connection: ClientConnection,
): Promise<RemotingCommand> {
  const full = withFullNames(request);
  const topic = requiredText(full, 'topic');
  const by = askerOf(request, connection);
  checkTopic(context, full, topic, by);
  if (booleanField(full, 'batch', false) || request.code === RequestCode.SEND_BATCH_MESSAGE) {
    throw new RequestError(
      ResponseCode.MESSAGE_ILLEGAL,
      'batch request does not support retry group or delays',
    );
  }
  const propertiesText = full.fields['properties'] ?? '';
  if (propertiesText.includes('\0')) throw new RequestError(ResponseCode.MESSAGE_ILLEGAL, NUL_REMARK);
  const properties = parseProperties(propertiesText);
  checkProperties(context, properties, requiredInt32(full, 'sysFlag'));
  const target = isRetryTopic(topic) ? retryTarget(context, full, topic, properties, by) : undefined;
  const queueId = queueOf(context, target?.topic ?? topic, target?.queueId ?? requiredInt32(full, 'queueId'));
  addBrokerProperties(context, target?.properties ?? properties);
  const plain: InternalMessage = {
    topic: target?.topic ?? topic,
    queueId,
    body: full.body ?? new Uint8Array(0),
    properties: target?.properties ?? properties,
    flag: requiredInt32(full, 'flag'),
    sysFlag: requiredInt32(full, 'sysFlag'),
    bornTimestamp: requiredInt64(full, 'bornTimestamp'),
    bornHost: peerHost(connection.remoteAddress),
    reconsumeTimes: int32Field(full, 'reconsumeTimes') ?? 0,
    preparedTransactionOffset: 0,
  };
  const message = rewriteForDelay(plain, context.levels.max);
  checkSize(message);
  return answer(context, request, plain, await context.put(message));
}

function withFullNames(request: RemotingCommand): RemotingCommand {
  if (request.code === RequestCode.SEND_MESSAGE) return request;
  const fields: Record<string, string> = Object.create(null);
  for (const [name, value] of Object.entries(request.fields)) fields[LETTERS[name] ?? name] = value;
  return { ...request, fields };
}

function checkTopic(context: BrokerContext, send: RemotingCommand, topic: string, by: Asker): void {
  const problem = topicNameProblem(topic);
  if (problem !== undefined) throw new RequestError(ResponseCode.INVALID_PARAMETER, problem);
  if (isNotSendableTopic(topic)) {
    throw new RequestError(ResponseCode.NO_PERMISSION, `Sending message to topic[${topic}] is forbidden.`);
  }
  if (context.topics.has(topic)) return;
  const created = isRetryTopic(topic)
    ? context.topics.createInternal(topic, 1, by)
    : context.topics.createForSend({
        topic,
        defaultTopic: send.fields['defaultTopic'] ?? '',
        queueNums: int32Field(send, 'defaultTopicQueueNums') ?? 0,
        by,
      });
  if (created === undefined) {
    throw new RequestError(ResponseCode.TOPIC_NOT_EXIST, `topic[${topic}] not exist, apply first please!`);
  }
}

function checkProperties(
  context: BrokerContext,
  properties: ReadonlyMap<string, string>,
  sysFlag: number,
): void {
  const problem = delayProblem(properties, sysFlag, context.levels.max);
  if (problem !== undefined) throw new RequestError(ResponseCode.SYSTEM_ERROR, problem);
  if (properties.get(PROPERTY_TRANSACTION)?.toLowerCase() === 'true') {
    throw new RequestError(
      ResponseCode.NO_PERMISSION,
      'this broker does not take transactional messages yet: send it as a plain message',
    );
  }
  const timed = TIMER_PROPERTIES.some((name) => properties.has(name));
  if (timed && delayLevelOf(properties) <= 0) {
    throw new RequestError(
      ResponseCode.SYSTEM_ERROR,
      'timer message is not supported by this broker yet: use a delay level (DELAY) instead',
    );
  }
}

function retryTarget(
  context: BrokerContext,
  send: RemotingCommand,
  topic: string,
  properties: ReadonlyMap<string, string>,
  by: Asker,
) {
  return sendToRetryTopic(context, {
    topic,
    queueId: requiredInt32(send, 'queueId'),
    reconsumeTimes: int32Field(send, 'reconsumeTimes'),
    maxReconsumeTimes: int32Field(send, 'maxReconsumeTimes'),
    clientVersion: send.version,
    properties,
    by,
  });
}

function queueOf(context: BrokerContext, topic: string, wanted: number): number {
  const config = context.topics.get(topic);
  const { readQueueNums = 1, writeQueueNums = 1 } = config ?? {};
  if (wanted >= Math.max(readQueueNums, writeQueueNums)) {
    throw new RequestError(
      ResponseCode.INVALID_PARAMETER,
      `request queueId[${wanted}] is illegal, topic: ${topic}`,
    );
  }
  return wanted >= 0 ? wanted : Math.floor(Math.random() * Math.max(1, writeQueueNums));
}

function addBrokerProperties(context: BrokerContext, properties: Map<string, string>): void {
  if (!properties.has(PROPERTY_UNIQUE_KEY)) properties.set(PROPERTY_UNIQUE_KEY, context.uniqueId());
  properties.set(PROPERTY_MSG_REGION, context.settings.regionId);
  properties.set(PROPERTY_TRACE_ON, 'true');
  properties.set(PROPERTY_CLUSTER, context.settings.brokerClusterName);
}

function checkSize(message: InternalMessage): void {
  const properties = Buffer.byteLength(encodeProperties(message.properties));
  if (message.body.length > 0 && properties <= MAX_PROPERTIES) return;
  throw new RequestError(
    ResponseCode.MESSAGE_ILLEGAL,
    'the message is illegal, maybe msg body or properties length not matched. msg properties length limit 32KB.',
  );
}

/** `ip:port` or `[ip]:port` as a record's host. */
function peerHost(remoteAddress: string) {
  const colon = remoteAddress.lastIndexOf(':');
  return hostAddress(
    remoteAddress.slice(0, colon).replace(/^\[|\]$/g, ''),
    Number(remoteAddress.slice(colon + 1)),
  );
}

function answer(
  context: BrokerContext,
  request: RemotingCommand,
  message: InternalMessage,
  result: PutResult,
): RemotingCommand {
  if (result.status !== ResponseCode.SUCCESS) return responseTo(request, result.status, result.remark);
  return succeed(request, {
    msgId: encodeMessageId(context.storeHost, result.physicalOffset),
    queueId: message.queueId,
    queueOffset: result.queueOffset,
    transactionId: message.properties.get(PROPERTY_UNIQUE_KEY) ?? '',
    MSG_REGION: context.settings.regionId,
    TRACE_ON: 'true',
  });
}
