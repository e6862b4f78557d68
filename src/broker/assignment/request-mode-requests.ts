/** SET_MESSAGE_REQUEST_MODE (401) and GET_ALL_MESSAGE_REQUEST_MODE (402): whether a group pulls or pops a topic. */
import { isRetryTopic } from '../../lib/names.ts';
import { quote } from '../../lib/quote.ts';
import { REQUEST_MODES, type RequestMode, requestModeNamed } from '../../metadata/request-modes.ts';
import { ResponseCode } from '../../protocol/codes.ts';
import { asObject, INT32, integerWithin, parseBody, textIn } from '../../protocol/json-fields.ts';
import { RequestError, succeed, succeedWith } from '../../protocol/request-fields.ts';
import type { RocketJsonObject } from '../../protocol/rocketmq-json.ts';
import { askerOf, type BrokerHandler } from '../context.ts';

export const setRequestMode: BrokerHandler = async (context, request, connection) => {
  const body = asObject(parseBody(request.body)) ?? {};
  const topic = required(body, 'topic');
  if (isRetryTopic(topic)) {
    throw new RequestError(ResponseCode.NO_PERMISSION, 'retry topic is not allowed to set mode');
  }
  if (!context.topics.has(topic)) {
    throw new RequestError(ResponseCode.TOPIC_NOT_EXIST, `the topic ${quote(topic)} does not exist`);
  }
  const group = required(body, 'consumerGroup');
  const mode = modeIn(body, topic, group);
  const by = askerOf(request, connection);
  if (context.groups.findOrCreate(group, by) === undefined) {
    throw new RequestError(
      ResponseCode.SUBSCRIPTION_GROUP_NOT_EXIST,
      `the consumer group ${quote(group)} does not exist`,
    );
  }
  const { topics, groups } = context;
  context.requestModes.set(mode, (other) => topics.has(other.topic) && groups.has(other.consumerGroup));
  context.log.info({ ...mode, ...by }, 'message request mode set');
  await context.requestModes.saved();
  return succeed(request);
};

export const allRequestModes: BrokerHandler = (context, request) =>
  succeedWith(request, context.requestModes.toJson());

function modeIn(body: RocketJsonObject, topic: string, consumerGroup: string): RequestMode {
  const mode = requestModeNamed(body['mode'] ?? 'PULL');
  if (mode === undefined) {
    throw new RequestError(ResponseCode.SYSTEM_ERROR, `the mode is none of ${REQUEST_MODES.join(', ')}`);
  }
  return { consumerGroup, mode, popShareQueueNum: integerWithin(body, 'popShareQueueNum', INT32, 0), topic };
}

function required(body: RocketJsonObject, name: string): string {
  const text = textIn(body, name);
  if (text === undefined) throw new RequestError(ResponseCode.SYSTEM_ERROR, `${name} is missing`);
  return text;
}
