/** UPDATE_CONSUMER_OFFSET (15): a group's progress, mostly one-way. The value is stored as given, lower ones too. */
import { offsetsFull } from '../../metadata/offsets.ts';
import { ResponseCode } from '../../protocol/codes.ts';
import { responseTo } from '../../protocol/command.ts';
import {
  checkQueueId,
  int32Field,
  offsetField,
  RequestError,
  requiredText,
  succeed,
} from '../../protocol/request-fields.ts';
import type { BrokerHandler } from '../context.ts';

export const updateOffset: BrokerHandler = (context, request) => {
  const group = requiredText(request, 'consumerGroup');
  const topic = requiredText(request, 'topic');
  if (!context.groups.has(group)) {
    throw new RequestError(ResponseCode.SUBSCRIPTION_GROUP_NOT_EXIST, `Group ${group} not exist!`);
  }
  const config = context.topics.get(topic);
  if (config === undefined) {
    throw new RequestError(ResponseCode.TOPIC_NOT_EXIST, `Topic ${topic} not exist!`);
  }
  const queueId = int32Field(request, 'queueId', ResponseCode.INVALID_PARAMETER);
  if (queueId === undefined) {
    throw new RequestError(ResponseCode.INVALID_PARAMETER, `QueueId is null, topic is ${topic}`);
  }
  checkQueueId(queueId, config);
  const offset = offsetField(request, 'commitOffset');
  if (offset === undefined) {
    throw new RequestError(ResponseCode.INVALID_PARAMETER, `Offset is null, topic is ${topic}`);
  }
  if (context.settings.useServerSideResetOffset && context.offsets.hasReset(group, topic, queueId)) {
    return responseTo(request, ResponseCode.SUCCESS, 'Offset has been previously reset');
  }
  if (!context.offsets.commit(group, topic, queueId, offset)) throw offsetsFull();
  return succeed(request);
};
