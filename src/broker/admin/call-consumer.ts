/**
 * Requests that are handed on to one client and whose answer goes back as it is: GET_CONSUMER_RUNNING_INFO (307) and
 * CONSUME_MESSAGE_DIRECTLY (309), which takes the message along.
 */

import { ResponseCode } from '../../protocol/codes.ts';
import { type RemotingCommand, requestCommand, responseTo } from '../../protocol/command.ts';
import { RequestError, requiredText, textField } from '../../protocol/request-fields.ts';
import { decodeMessageId } from '../../record/message-id.ts';
import { RemotingError } from '../../remoting/errors.ts';
import { askerOf, type BrokerContext, type BrokerHandler } from '../context.ts';
import { messageAt } from '../query/message-at.ts';

const TIMEOUT_MS = 10_000;
/** MQVersion ordinal of V3_1_8_SNAPSHOT. */
const KNOWS_CALLS = 62;

export const consumerRunningInfo: BrokerHandler = (context, request) =>
  callConsumer(context, request, request.fields, request.body);

export const consumeDirectly: BrokerHandler = (context, request, connection) => {
  const fields: Record<string, string> = { ...request.fields, brokerName: context.settings.brokerName };
  const topic = context.topics.get(textField(request, 'topic') ?? '');
  if (topic !== undefined) fields['topicSysFlag'] = String(topic.topicSysFlag);
  const asker = askerOf(request, connection);
  const group = context.groups.findOrCreate(requiredText(request, 'consumerGroup'), asker);
  if (group !== undefined) fields['groupSysFlag'] = String(group.groupSysFlag);
  return callConsumer(context, request, fields, recordOf(context, requiredText(request, 'msgId')));
};

function recordOf(context: BrokerContext, messageId: string): Uint8Array {
  const record = messageAt(context.store, decodeMessageId(messageId)?.physicalOffset ?? -1);
  if (record !== undefined) return record;
  throw new RequestError(ResponseCode.SYSTEM_ERROR, `can not find message by the id, ${messageId}`);
}

async function callConsumer(
  context: BrokerContext,
  request: RemotingCommand,
  fields: Record<string, string>,
  body: Uint8Array | undefined,
): Promise<RemotingCommand> {
  const group = requiredText(request, 'consumerGroup');
  const clientId = textField(request, 'clientId') ?? '';
  const client = context.clients.consumers.get(group)?.find(clientId);
  if (client === undefined) {
    throw new RequestError(ResponseCode.SYSTEM_ERROR, `The Consumer <${group}> <${clientId}> not online`);
  }
  if (client.version < KNOWS_CALLS) {
    throw new RequestError(
      ResponseCode.SYSTEM_ERROR,
      `The Consumer <${clientId}> Version <${client.version}> too low to finish, ` +
        'please upgrade it to V3_1_8_SNAPSHOT',
    );
  }
  try {
    const answer = await client.connection.request(requestCommand(request.code, fields, body), TIMEOUT_MS);
    return responseTo(request, answer.code, answer.remark, answer.fields, answer.body);
  } catch (error) {
    const text = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
    if (error instanceof RemotingError && error.code === 'TIMEOUT') {
      throw new RequestError(
        ResponseCode.CONSUME_MSG_TIMEOUT,
        `consumer <${group}> <${clientId}> Timeout: ${text}`,
      );
    }
    throw new RequestError(
      ResponseCode.SYSTEM_ERROR,
      `invoke consumer <${group}> <${clientId}> Exception: ${text}`,
    );
  }
}
