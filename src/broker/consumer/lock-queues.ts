/** LOCK_BATCH_MQ (41) and UNLOCK_BATCH_MQ (42): orderly consumers take, refresh and give back their queues. */
import { asArray, asObject, integerIn, parseBody, textIn } from '../../control/json-fields.ts';
import type { MessageQueue } from '../../control/queue-locks.ts';
import { RequestError, succeed, succeedWith } from '../../control/request-fields.ts';
import { ResponseCode } from '../../protocol/codes.ts';
import type { RemotingCommand } from '../../protocol/command.ts';
import type { RocketJson } from '../../protocol/rocketmq-json.ts';
import type { BrokerHandler } from '../context.ts';

export const lockQueues: BrokerHandler = (context, request) => {
  const { group, clientId, queues } = parseLockBody(request);
  return succeedWith(request, { lockOKMQSet: context.locks.lock(group, queues, clientId) });
};

export const unlockQueues: BrokerHandler = (context, request) => {
  const { group, clientId, queues } = parseLockBody(request);
  context.locks.unlock(group, queues, clientId);
  return succeed(request);
};

function parseLockBody(request: RemotingCommand) {
  const body = asObject(parseBody(request.body)) ?? {};
  const group = textIn(body, 'consumerGroup');
  const clientId = textIn(body, 'clientId');
  if (group === undefined || clientId === undefined) {
    throw new RequestError(ResponseCode.SYSTEM_ERROR, 'consumerGroup or clientId is missing');
  }
  return { group, clientId, queues: asArray(body['mqSet']).flatMap((value) => queueFromJson(value) ?? []) };
}

function queueFromJson(value: RocketJson): MessageQueue | undefined {
  const object = asObject(value) ?? {};
  const topic = textIn(object, 'topic');
  const queueId = integerIn(object, 'queueId');
  if (topic === undefined || queueId === undefined) return undefined;
  return { brokerName: textIn(object, 'brokerName') ?? '', queueId, topic };
}
