/**
 * LOCK_BATCH_MQ (41) and UNLOCK_BATCH_MQ (42): orderly consumers take, refresh and give back their queues. What is no
 * queue of this broker is not granted.
 */

import type { MessageQueue } from '../../clients/queue-locks.ts';
import { MAX_CLIENT_ID } from '../../lib/limits.ts';
import { illegalGroup, isGroupName, isPlainName } from '../../lib/names.ts';
import { ResponseCode } from '../../protocol/codes.ts';
import type { RemotingCommand } from '../../protocol/command.ts';
import { limitError } from '../../protocol/errors.ts';
import { asArray, asObject, integerIn, parseBody, textIn } from '../../protocol/json-fields.ts';
import { queuesOf } from '../../protocol/queue-numbers.ts';
import { RequestError, succeed, succeedWith } from '../../protocol/request-fields.ts';
import type { RocketJson } from '../../protocol/rocketmq-json.ts';
import type { BrokerContext, BrokerHandler } from '../context.ts';

export const lockQueues: BrokerHandler = (context, request) => {
  const { group, clientId, queues } = parseLockBody(context, request);
  return succeedWith(request, { lockOKMQSet: context.locks.lock(group, queues, clientId) });
};

export const unlockQueues: BrokerHandler = (context, request) => {
  const { group, clientId, queues } = parseLockBody(context, request);
  context.locks.unlock(group, queues, clientId);
  return succeed(request);
};

function parseLockBody(context: BrokerContext, request: RemotingCommand) {
  const body = asObject(parseBody(request.body)) ?? {};
  const group = textIn(body, 'consumerGroup');
  const clientId = textIn(body, 'clientId');
  if (group === undefined || clientId === undefined) {
    throw new RequestError(ResponseCode.SYSTEM_ERROR, 'consumerGroup or clientId is missing');
  }
  if (!isGroupName(group)) throw new RequestError(ResponseCode.INVALID_PARAMETER, illegalGroup(group));
  if (clientId.length > MAX_CLIENT_ID)
    throw limitError('characters in clientId', MAX_CLIENT_ID, 'MAX_CLIENT_ID');
  const queues = asArray(body['mqSet']).flatMap((value) => queueFromJson(context, value) ?? []);
  return { group, clientId, queues };
}

function queueFromJson(context: BrokerContext, value: RocketJson): MessageQueue | undefined {
  const object = asObject(value) ?? {};
  const topic = textIn(object, 'topic') ?? '';
  const queueId = integerIn(object, 'queueId') ?? -1;
  const brokerName = textIn(object, 'brokerName') ?? '';
  const config = context.topics.get(topic);
  if (config === undefined || queueId < 0 || queueId >= queuesOf(config)) return undefined;
  return brokerName === '' || isPlainName(brokerName) ? { brokerName, queueId, topic } : undefined;
}
