/**
 * HEART_BEAT (34): who is here, in which groups, with which subscriptions. A consumer group's retry topic is created
 * here, since tools find a group's brokers by the route of that topic.
 */

import type { ConsumerData, HeartbeatData } from '../../clients/heartbeat.ts';
import { parseHeartbeat } from '../../clients/heartbeat.ts';
import type { ClientInfo } from '../../clients/producers.ts';
import { retryTopicOf } from '../../lib/names.ts';
import type { Asker } from '../../metadata/config-table.ts';
import { TOPIC_UNIT_SUB } from '../../metadata/topic-config.ts';
import { succeed } from '../../protocol/request-fields.ts';
import { askerOf, type BrokerContext, type BrokerHandler } from '../context.ts';

export const heartBeat: BrokerHandler = (context, request, connection) => {
  const heartbeat = parseHeartbeat(request.body, context.clients.nextVersion());
  const client: ClientInfo = {
    connection,
    clientId: heartbeat.clientId,
    language: request.language,
    version: request.version,
  };
  const by = askerOf(request, connection);
  let needsSubscriptions = false;
  for (const consumer of heartbeat.consumers) {
    if (registerConsumer(context, client, heartbeat, consumer, by)) needsSubscriptions = true;
  }
  for (const group of heartbeat.producerGroups) {
    context.clients.producers.register(group, client, context.clock.monotonic());
  }
  return succeed(request, {
    IS_SUPPORT_HEART_BEAT_V2: true,
    // Clients of the first version do not read it; RocketMQ answers them true.
    IS_SUB_CHANGE: heartbeat.fingerprint === 0 || needsSubscriptions,
  });
};

/** A group that may not be created is skipped silently. True when its subscriptions are needed (again). */
function registerConsumer(
  context: BrokerContext,
  client: ClientInfo,
  heartbeat: HeartbeatData,
  consumer: ConsumerData,
  by: Asker,
): boolean {
  if (context.settings.rejectPullConsumerEnable && consumer.consumeType === 'CONSUME_ACTIVELY') return false;
  const group = context.groups.findOrCreate(consumer.groupName, by);
  if (group === undefined) return false;
  const ordered = consumer.subscriptions.some(({ topic }) => context.topics.isOrderTopic(topic));
  context.topics.createInternal(
    retryTopicOf(consumer.groupName),
    group.retryQueueNums,
    by,
    // Without subscriptions nobody knows whether one of them is ordered: leave the topic as it is.
    heartbeat.withoutSubscriptions ? undefined : ordered,
    consumer.unitMode ? TOPIC_UNIT_SUB : 0,
  );
  return context.clients.consumers.register({
    client,
    consumer,
    notify: group.notifyConsumerIdsChangedEnable,
    fingerprint: heartbeat.fingerprint,
    withoutSubscriptions: heartbeat.withoutSubscriptions && heartbeat.fingerprint !== 0,
  });
}
