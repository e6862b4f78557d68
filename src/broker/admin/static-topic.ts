/**
 * UPDATE_AND_CREATE_STATIC_TOPIC (513): a topic with a mapping of its queues, as mqadmin's updateStaticTopic sends it.
 * Taken are mappings by which each queue is the one of its number here (see `StaticTopics`). Answered when both files
 * are on disk.
 */
import { MAX_QUEUES_PER_TOPIC } from '../../lib/limits.ts';
import { type StaticTopic, staticTopicFrom } from '../../metadata/static-topics.ts';
import { ResponseCode } from '../../protocol/codes.ts';
import type { RemotingCommand } from '../../protocol/command.ts';
import { parseBody } from '../../protocol/json-fields.ts';
import { booleanField, RequestError, succeed, textField } from '../../protocol/request-fields.ts';
import { askerOf, type BrokerContext, type BrokerHandler } from '../context.ts';
import { checkTopicName, topicConfigIn } from './topic-update.ts';

export const updateStaticTopic: BrokerHandler = async (context, request, connection) => {
  checkTopicName(context, textField(request, 'topic'));
  const config = topicConfigIn(request);
  const mapping = mappingIn(context, request, config.topicName);
  const { mappings } = context.topics;
  const known = mappings.get(config.topicName);
  if (known !== undefined && !booleanField(request, 'force', false)) checkSuccession(known, mapping);
  mappings.checkRoom(config.topicName);
  // Name servers are told of both in a later turn.
  context.topics.update(config, askerOf(request, connection));
  mappings.set(mapping);
  await Promise.all([context.topics.saved(), mappings.saved()]);
  return succeed(request);
};

function mappingIn({ settings }: BrokerContext, request: RemotingCommand, topic: string): StaticTopic {
  const mapping = staticTopicFrom(parseBody(request.body), settings.brokerName);
  if (mapping === undefined) {
    throw new RequestError(
      ResponseCode.SYSTEM_ERROR,
      `the mapping of a static topic must name this broker, ${settings.brokerName}, and for each queue the one of the ` +
        'same number from its beginning on: RingMQ moves no queues',
    );
  }
  if (mapping.topic !== topic) {
    throw new RequestError(ResponseCode.SYSTEM_ERROR, 'the mapping is that of another topic');
  }
  if (mapping.queues.length > MAX_QUEUES_PER_TOPIC) {
    const count = mapping.queues.length;
    throw new RequestError(
      ResponseCode.SYSTEM_ERROR,
      `${count} queues: at most ${MAX_QUEUES_PER_TOPIC} are allowed`,
    );
  }
  return mapping;
}

function checkSuccession(known: StaticTopic, mapping: StaticTopic): void {
  if (mapping.epoch < known.epoch) {
    const remark = `Can't accept data with small epoch ${mapping.epoch} < ${known.epoch}`;
    throw new RequestError(ResponseCode.SYSTEM_ERROR, remark);
  }
  if (mapping.scope !== known.scope) {
    const remark = `Can't accept data with unmatched scope ${mapping.scope} != ${known.scope}`;
    throw new RequestError(ResponseCode.SYSTEM_ERROR, remark);
  }
  if (known.queues.some((queueId) => !mapping.queues.includes(queueId))) {
    throw new RequestError(ResponseCode.SYSTEM_ERROR, 'queues of a static topic cannot be taken away');
  }
}
