/**
 * SEND_REPLY_MESSAGE (324, 325): who has consumed a request answers it. The network threads have checked the reply
 * like all sends; control knows the clients, passes it on to the one that waits for it (326), wherever that is
 * connected, and keeps it in the topic that it was sent to. The answer says whether the requester has the reply: as
 * with RocketMQ, success does not mean that it was kept.
 */
import { TIMER_PROPERTIES } from '../../delivery/timer/rewrite.ts';
import { laterForm, sentSysFlag, waitingProblem, waitingRules } from '../../delivery/waiting-form.ts';
import { MAX_NAME } from '../../lib/limits.ts';
import { quote } from '../../lib/quote.ts';
import { hostText, peerHost } from '../../net/addresses.ts';
import { RequestCode, ResponseCode } from '../../protocol/codes.ts';
import { type RemotingCommand, requestCommand, responseTo } from '../../protocol/command.ts';
import {
  booleanField,
  int32Field,
  RequestError,
  requiredInt32,
  requiredInt64,
  requiredText,
} from '../../protocol/request-fields.ts';
import { encodeMessageId } from '../../record/message-id.ts';
import {
  encodeProperties,
  PROPERTY_DELAY,
  PROPERTY_MSG_REGION,
  PROPERTY_PUSH_REPLY_TIME,
  PROPERTY_REPLY_TO_CLIENT,
  PROPERTY_TRACE_ON,
} from '../../record/properties.ts';
import type { ClientConnection } from '../../remoting/connection.ts';
import { type InternalMessage, isStored, type PutResult, refused } from '../../store/put/put-message.ts';
import type { BrokerContext, BrokerHandler } from '../context.ts';
import { withFullNames } from '../send/full-names.ts';
import { readProperties } from '../send/general-send.ts';
import { reasonOf } from '../send/refused-sends.ts';

const ASKS_FOR_LATER: readonly string[] = [PROPERTY_DELAY, ...TIMER_PROPERTIES];

/** What became of a push: SUCCESS when the requester has the reply. */
interface Pushed {
  readonly code: number;
  readonly remark: string | undefined;
}

export const replyMessage: BrokerHandler = async (context, request, connection) => {
  const send = withFullNames(request);
  const message = messageOf(context, send, connection);
  const fields = pushedFields(context, send, message.properties, connection);
  // Neither waits for the other: who has asked may be slow, and so may the disk.
  const [pushed, stored] = await Promise.all([
    push(context, message, fields),
    context.settings.storeReplyMessageEnable ? store(context, message, connection) : undefined,
  ]);
  return answer(context, request, message, pushed, stored);
};

function messageOf(
  context: BrokerContext,
  send: RemotingCommand,
  connection: ClientConnection,
): InternalMessage {
  const properties = readProperties(send.fields['properties'] ?? '');
  if (!(properties instanceof Map)) throw new RequestError(properties.code, properties.remark);
  const { regionId, traceOn } = context.settings;
  properties.set(PROPERTY_MSG_REGION, regionId).set(PROPERTY_TRACE_ON, String(traceOn));
  const topic = requiredText(send, 'topic');
  const wanted = requiredInt32(send, 'queueId');
  const queues = Math.max(1, context.topics.get(topic)?.writeQueueNums ?? 1);
  return {
    topic,
    queueId: wanted >= 0 ? wanted : Math.floor(Math.random() * queues),
    body: send.body ?? new Uint8Array(0),
    properties,
    flag: requiredInt32(send, 'flag'),
    sysFlag: sentSysFlag(requiredInt32(send, 'sysFlag')),
    bornTimestamp: requiredInt64(send, 'bornTimestamp'),
    bornHost: peerHost(connection.remoteAddress),
    reconsumeTimes: int32Field(send, 'reconsumeTimes') ?? 0,
    preparedTransactionOffset: 0,
  };
}

async function push(
  context: BrokerContext,
  { properties, body }: InternalMessage,
  fields: Record<string, string>,
): Promise<Pushed> {
  const clientId = properties.get(PROPERTY_REPLY_TO_CLIENT);
  if (clientId === undefined) return failed(`reply message properties[${PROPERTY_REPLY_TO_CLIENT}] is null`);
  const name = quote(clientId, MAX_NAME);
  const requester = context.clients.producers.findConnection(clientId);
  if (requester === undefined) {
    return failed(`push reply message fail, channel of <${name}> not found.`);
  }
  try {
    const command = requestCommand(RequestCode.PUSH_REPLY_MESSAGE_TO_CLIENT, fields, body);
    const { code, remark } = await context.pushes.push(requester, command);
    if (code === ResponseCode.SUCCESS) return { code, remark: undefined };
    return failed(`push reply message to <${name}> fail: it answered ${code} ${remark ?? ''}`);
  } catch (error) {
    if (error instanceof RequestError) return { code: error.code, remark: error.message };
    return failed(`push reply message to <${name}> fail: ${(error as Error).message}`);
  }
}

/** RocketMQ's code for whatever has kept a reply from its requester. */
function failed(remark: string): Pushed {
  return { code: ResponseCode.SYSTEM_ERROR, remark };
}

/** The send's own fields, and what the message would tell of itself if it were pulled. */
function pushedFields(
  context: BrokerContext,
  send: RemotingCommand,
  properties: ReadonlyMap<string, string>,
  { remoteAddress }: ClientConnection,
): Record<string, string> {
  const { storeHost, clock } = context;
  const now = String(clock.now());
  const fields: Record<string, string> = {
    producerGroup: requiredText(send, 'producerGroup'),
    topic: requiredText(send, 'topic'),
    defaultTopic: requiredText(send, 'defaultTopic'),
    unitMode: String(booleanField(send, 'unitMode', false)),
    properties: encodeProperties(new Map(properties).set(PROPERTY_PUSH_REPLY_TIME, now)),
    bornHost: remoteAddress,
    storeHost: hostText(storeHost),
    storeTimestamp: now,
  };
  for (const name of ['defaultTopicQueueNums', 'queueId', 'sysFlag', 'flag']) {
    fields[name] = String(requiredInt32(send, name));
  }
  fields['bornTimestamp'] = String(requiredInt64(send, 'bornTimestamp'));
  const reconsumeTimes = int32Field(send, 'reconsumeTimes');
  if (reconsumeTimes !== undefined) fields['reconsumeTimes'] = String(reconsumeTimes);
  return fields;
}

/** A reply is never half a transaction, whatever its properties say; a delay holds for what is kept, as in RocketMQ. */
function keptForm(
  { settings, levels, clock }: BrokerContext,
  message: InternalMessage,
): InternalMessage | PutResult {
  if (!ASKS_FOR_LATER.some((name) => message.properties.has(name))) return message;
  const [rules, now] = [waitingRules(settings, levels), clock.now()];
  const problem = waitingProblem(message, { ...rules, rejectTransactionMessage: false }, now);
  return problem === undefined ? laterForm(message, rules, now) : refused(problem.code, problem.remark);
}

/** Undefined when it cannot be kept, which the log tells. */
async function store(
  context: BrokerContext,
  message: InternalMessage,
  { remoteAddress }: ClientConnection,
): Promise<PutResult | undefined> {
  const kept = keptForm(context, message);
  const result = 'remark' in kept ? kept : await context.put(kept);
  const { status, remark } = result;
  if (isStored(status)) return result;
  const example = { client: remoteAddress, topic: quote(message.topic), remark: quote(remark ?? '', 256) };
  context.refusedSend({ reason: reasonOf(status, remark ?? ''), count: 1, ...example });
  return undefined;
}

/** `stored`: undefined when the reply is not in the log. */
function answer(
  { settings, storeHost }: BrokerContext,
  request: RemotingCommand,
  { queueId }: InternalMessage,
  { code, remark }: Pushed,
  stored: PutResult | undefined,
): RemotingCommand {
  const fields: Record<string, string> = {
    MSG_REGION: settings.regionId,
    TRACE_ON: String(settings.traceOn),
  };
  if (stored !== undefined || code === ResponseCode.SUCCESS) {
    fields['msgId'] = stored === undefined ? '0' : encodeMessageId(storeHost, stored.physicalOffset);
    fields['queueId'] = String(queueId);
    fields['queueOffset'] = String(stored?.queueOffset ?? 0);
  }
  return responseTo(request, code, remark, fields);
}
