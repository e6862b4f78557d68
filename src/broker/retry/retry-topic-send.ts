/**
 * Sends to a retry topic: consumers do that where giving a message back has failed, and orderly ones when they give one
 * up. The network threads have checked them like all sends; the groups, which say where such a message goes, are here.
 */

import { sentSysFlag, waitingForm, waitingProblem, waitingRules } from '../../delivery/waiting-form.ts';
import { isRetryTopic } from '../../lib/names.ts';
import { quote } from '../../lib/quote.ts';
import { peerHost } from '../../net/addresses.ts';
import { ResponseCode } from '../../protocol/codes.ts';
import { type RemotingCommand, responseTo } from '../../protocol/command.ts';
import {
  int32Field,
  RequestError,
  requiredInt32,
  requiredInt64,
  requiredText,
  succeed,
} from '../../protocol/request-fields.ts';
import { encodeMessageId } from '../../record/message-id.ts';
import { PROPERTY_UNIQUE_KEY } from '../../record/properties.ts';
import type { ClientConnection } from '../../remoting/connection.ts';
import { type InternalMessage, isStored, type PutResult } from '../../store/put/put-message.ts';
import { askerOf, type BrokerContext, type BrokerHandler } from '../context.ts';
import { withFullNames } from '../send/full-names.ts';
import { type BrokerMarks, markProperties, readProperties } from '../send/general-send.ts';
import { reasonOf } from '../send/refused-sends.ts';
import { countDead, originTopicOf } from './dead-letter.ts';
import { type RetryTarget, sendToRetryTopic } from './retry-target.ts';

export const retryTopicSend: BrokerHandler = async (context, request, connection) => {
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
  const reconsumeTimes = int32Field(full, 'reconsumeTimes') ?? 0;
  const read = readProperties(full.fields['properties'] ?? '');
  if (!(read instanceof Map)) throw new RequestError(read.code, read.remark);
  const [rules, now] = [waitingRules(context.settings, context.levels), context.clock.now()];
  const problem = waitingProblem({ properties: read, reconsumeTimes }, rules, now);
  if (problem !== undefined) throw new RequestError(problem.code, problem.remark);
  const target = targetOf(context, full, connection, read);
  markProperties(target.properties, marksOf(context), () => context.uniqueId());
  const { deadTo, ...place } = target;
  const plain: InternalMessage = {
    ...place,
    body: full.body ?? new Uint8Array(0),
    flag: requiredInt32(full, 'flag'),
    sysFlag: sentSysFlag(requiredInt32(full, 'sysFlag')),
    bornTimestamp: requiredInt64(full, 'bornTimestamp'),
    bornHost: peerHost(connection.remoteAddress),
    reconsumeTimes,
    preparedTransactionOffset: 0,
  };
  // A dead letter does not wait, whatever its properties ask for.
  const result = await context.put(deadTo === undefined ? waitingForm(plain, rules, now) : plain);
  if (deadTo !== undefined && isStored(result.status)) countDead(context, deadTo, originTopicOf(plain));
  return answer(context, request, plain, result);
}

function targetOf(
  context: BrokerContext,
  send: RemotingCommand,
  connection: ClientConnection,
  properties: ReadonlyMap<string, string>,
): RetryTarget {
  const topic = requiredText(send, 'topic');
  // What the network threads take themselves does not come here.
  if (!isRetryTopic(topic)) throw new RequestError(ResponseCode.SYSTEM_ERROR, `${topic} is no retry topic`);
  const { writeQueueNums = 1 } = context.topics.get(topic) ?? {};
  const wanted = requiredInt32(send, 'queueId');
  return sendToRetryTopic(context, {
    topic,
    queueId: wanted >= 0 ? wanted : Math.floor(Math.random() * Math.max(1, writeQueueNums)),
    reconsumeTimes: int32Field(send, 'reconsumeTimes'),
    maxReconsumeTimes: int32Field(send, 'maxReconsumeTimes'),
    clientVersion: send.version,
    properties,
    by: askerOf(send, connection),
  });
}

function marksOf({ settings }: BrokerContext): BrokerMarks {
  return { regionId: settings.regionId, traceOn: settings.traceOn, clusterName: settings.brokerClusterName };
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
    TRACE_ON: context.settings.traceOn,
  });
}
