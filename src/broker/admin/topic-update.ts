/** UPDATE_AND_CREATE_TOPIC (17), its list form (18) and DELETE_TOPIC_IN_BROKER (215). Answered when it is on disk. */

import { MAX_QUEUES_ASKED } from '../../lib/limits.ts';
import { isBlank, popRetryTopicOf, popRetryTopicV2Of, topicNameProblem } from '../../lib/names.ts';
import { quote } from '../../lib/quote.ts';
import { MESSAGE_TYPE_ATTRIBUTE, parseAttributeChanges } from '../../metadata/attributes.ts';
import {
  sameTopicConfig,
  type TopicConfig,
  topicConfigFromJson,
  topicConfigProblem,
} from '../../metadata/topic-config.ts';
import { ResponseCode } from '../../protocol/codes.ts';
import type { RemotingCommand } from '../../protocol/command.ts';
import { asArray, asObject, parseBody } from '../../protocol/json-fields.ts';
import {
  booleanField,
  int32Field,
  RequestError,
  requiredInt32,
  succeed,
  tableFull,
  textField,
} from '../../protocol/request-fields.ts';
import { askerOf, type BrokerContext, type BrokerHandler } from '../context.ts';
import { Slices } from './slices.ts';

const FILTER_TYPES = ['SINGLE_TAG', 'MULTI_TAG'];

export const updateTopic: BrokerHandler = async (context, request, connection) => {
  checkTopicName(context, textField(request, 'topic'));
  const config = topicConfigIn(request);
  checkMessageType(context, config);
  if (isUnchanged(context, config)) return succeed(request);
  context.topics.update(config, askerOf(request, connection));
  await context.topics.saved();
  return succeed(request);
};

/** As RocketMQ does, one unchanged topic ends the request with success and nothing is applied. */
export const updateTopics: BrokerHandler = async (context, request, connection) => {
  const body = asObject(parseBody(request.body));
  const configs = asArray(body?.['topicConfigList']).flatMap((value) => topicConfigFromJson(value) ?? []);
  for (const config of configs) {
    checkTopicName(context, config.topicName);
    checkMessageType(context, config);
    if (isUnchanged(context, config)) return succeed(request);
  }
  context.topics.checkRoom(configs);
  checkQueuesAsked(configs);
  const slices = new Slices(context.clock);
  for (const config of configs) {
    context.topics.update(config, askerOf(request, connection));
    if (slices.over) await slices.pause();
  }
  await context.topics.saved();
  return succeed(request);
};

/** All threads make a reader of each queue. */
function checkQueuesAsked(configs: readonly TopicConfig[]): void {
  const queues = configs.reduce((sum, topic) => sum + Math.max(topic.readQueueNums, topic.writeQueueNums), 0);
  if (queues > MAX_QUEUES_ASKED)
    throw tableFull('queues of the topics in one request', MAX_QUEUES_ASKED, 'MAX_QUEUES_ASKED');
}

/** Goes with the topic: offsets, counters, and the retry topics that pop consumers have for it. */
export const deleteTopic: BrokerHandler = async (context, request, connection) => {
  const topic = textField(request, 'topic');
  if (topic === undefined || isBlank(topic)) {
    throw new RequestError(ResponseCode.INVALID_PARAMETER, 'The specified topic is blank.');
  }
  checkNotSystem(context, topic);
  const doomed = [topic];
  if (context.settings.clearRetryTopicWhenDeleteTopic) {
    for (const group of context.offsets.groupsOf(topic)) {
      const retryTopics = [popRetryTopicV2Of(topic, group), popRetryTopicOf(topic, group)];
      doomed.push(...retryTopics.filter((name) => context.topics.has(name)));
    }
  }
  for (const name of doomed) {
    context.topics.delete(name, askerOf(request, connection));
    context.offsets.removeTopic(name);
    context.stats.removeTopic(name);
  }
  context.offsets.persist();
  await Promise.all([
    context.topics.saved(),
    context.topics.mappings.saved(),
    context.offsets.saved(),
    ...doomed.map((name) => context.topicSettled(name)),
  ]);
  return succeed(request);
};

export function checkTopicName(context: BrokerContext, topic: string | undefined): void {
  const problem = topicNameProblem(topic);
  if (problem !== undefined) throw new RequestError(ResponseCode.INVALID_PARAMETER, problem);
  if (topic !== undefined) checkNotSystem(context, topic);
}

function checkNotSystem(context: BrokerContext, topic: string): void {
  if (!context.settings.validateSystemTopicWhenUpdateTopic || !context.topics.isSystemTopic(topic)) return;
  throw new RequestError(
    ResponseCode.INVALID_PARAMETER,
    `The topic[${topic}] is conflict with system topic.`,
  );
}

function checkNumbers(config: TopicConfig): void {
  const problem = topicConfigProblem(config);
  if (problem !== undefined) throw new RequestError(ResponseCode.INVALID_PARAMETER, problem);
}

function checkMessageType(context: BrokerContext, config: TopicConfig): void {
  if (context.settings.enableMixedMessageType) return;
  if (config.attributes.get(`+${MESSAGE_TYPE_ATTRIBUTE}`) !== 'MIXED') return;
  throw new RequestError(ResponseCode.INVALID_PARAMETER, 'MIXED message type is not supported.');
}

function isUnchanged(context: BrokerContext, config: TopicConfig): boolean {
  const existing = context.topics.get(config.topicName);
  return existing !== undefined && sameTopicConfig(config, existing);
}

/** Throws a RequestError when the numbers cannot be used. */
export function topicConfigIn(request: RemotingCommand): TopicConfig {
  const topicFilterType = textField(request, 'topicFilterType') ?? 'SINGLE_TAG';
  if (!FILTER_TYPES.includes(topicFilterType)) {
    throw new RequestError(
      ResponseCode.SYSTEM_ERROR,
      `topicFilterType = [${quote(topicFilterType)}] value invalid`,
    );
  }
  const config = {
    topicName: textField(request, 'topic') ?? '',
    readQueueNums: requiredInt32(request, 'readQueueNums'),
    writeQueueNums: requiredInt32(request, 'writeQueueNums'),
    perm: requiredInt32(request, 'perm'),
    topicFilterType,
    topicSysFlag: int32Field(request, 'topicSysFlag') ?? 0,
    order: booleanField(request, 'order', false),
    attributes: parseAttributeChanges(textField(request, 'attributes')),
  };
  checkNumbers(config);
  return config;
}
