/**
 * RECALL_MESSAGE (370): a timed message is taken back before it is due. The recall is a message of its own in the timer
 * topic, which meets its message in the wheel; whether there is one is not looked at, as in RocketMQ.
 */
import { decodeHandle, type RecallHandle } from '../../delivery/timer/recall-handle.ts';
import { recallOf } from '../../delivery/timer/rewrite.ts';
import { peerHost } from '../../net/addresses.ts';
import { ResponseCode } from '../../protocol/codes.ts';
import { type RemotingCommand, responseTo } from '../../protocol/command.ts';
import { requiredText, succeed, textField } from '../../protocol/request-fields.ts';
import { isStored } from '../../store/put/put-message.ts';
import type { BrokerContext, BrokerHandler } from '../context.ts';

export const recallMessage: BrokerHandler = async (context, request, connection) => {
  const identity = { MSG_REGION: context.settings.regionId };
  const refuse = (code: number, remark: string) => responseTo(request, code, remark, identity);
  if (!context.settings.recallMessageEnable) {
    const remark = 'recall failed, operation is forbidden: recallMessageEnable is false';
    return refuse(ResponseCode.NO_PERMISSION, remark);
  }
  const topic = requiredText(request, 'topic');
  if (context.topics.get(topic) === undefined)
    return refuse(ResponseCode.TOPIC_NOT_EXIST, `recall failed, the topic[${topic}] not exist`);
  const handle = decodeHandle(textField(request, 'recallHandle') ?? '');
  if (handle === undefined) return refuse(ResponseCode.ILLEGAL_OPERATION, 'recall handle is invalid');
  const problem = handleProblem(context, topic, handle);
  if (problem !== undefined) return refuse(ResponseCode.ILLEGAL_OPERATION, problem);
  const { status, remark } = await context.put(
    recallRecord(context, request, handle, connection.remoteAddress),
  );
  if (!isStored(status)) return refuse(status, remark ?? 'recall failed');
  return succeed(request, { ...identity, msgId: handle.messageId });
};

/** Why the handle is not one of a message that waits here for `topic`. */
function handleProblem(context: BrokerContext, topic: string, handle: RecallHandle): string | undefined {
  const { settings, clock } = context;
  if (handle.topic !== topic) return 'recall failed, topic not match';
  if (handle.brokerName !== settings.brokerName) return 'recall failed, broker service not available';
  const left = /^\d+$/.test(handle.time) ? Number(handle.time) - clock.now() : Number.NaN;
  const isAhead = left > 0 && left < settings.timerMaxDelaySec * 1_000;
  return isAhead ? undefined : 'recall failed, timestamp invalid: it is past, no number or too far';
}

function recallRecord(
  { settings, clock }: BrokerContext,
  request: RemotingCommand,
  { topic, time, messageId }: RecallHandle,
  client: string,
) {
  const bornTimestamp = clock.now();
  const group = textField(request, 'producerGroup') ?? '';
  const recall = recallOf({
    topic,
    time,
    uniqueKey: messageId,
    group,
    bornTimestamp,
    precision: settings.timerPrecisionMs,
  });
  return { ...recall, bornHost: peerHost(client) };
}
