/**
 * What operators ask about lite topics, requests 200074 to 200079: figures of the broker, a parent topic, a lite topic,
 * a client, a group; and that clients look at all of their lite topics again. Who has subscribed only the owner of
 * pops knows, which is asked.
 */
import { MAX_LITE_TOPICS } from '../../lib/limits.ts';
import { LITE_QUEUE_ID, liteNamesIn, liteQueueOf } from '../../lib/lite-names.ts';
import { LITE_EXPIRATION_ATTRIBUTE, MESSAGE_TYPE_ATTRIBUTE } from '../../metadata/attributes.ts';
import { liteGroupOf } from '../../metadata/lite-group.ts';
import type { TopicConfig } from '../../metadata/topic-config.ts';
import { ResponseCode } from '../../protocol/codes.ts';
import type { RemotingCommand } from '../../protocol/command.ts';
import {
  int32Field,
  RequestError,
  requiredText,
  succeed,
  succeedWith,
  textField,
} from '../../protocol/request-fields.ts';
import { Slices } from '../admin/slices.ts';
import type { BrokerContext, BrokerHandler } from '../context.ts';
import { brokerOfLiteTopic } from './lite-sharding.ts';
import { TopLags } from './top-lags.ts';

/** Names of clients or lite topics in one answer, as in RocketMQ. */
const MOST_NAMES = 1_000;
const NOTHING = { most: 0 };

/** GET_BROKER_LITE_INFO. */
export const brokerLiteInfo: BrokerHandler = async (context, request) => {
  const slices = new Slices(context.clock);
  const topicMeta = new Map<string, number>();
  for (const topic of context.topics.all()) {
    if (isParent(topic)) topicMeta.set(topic.topicName, lifeMinutes(topic));
    if (slices.over) await slices.pause();
  }
  const groupMeta = await boundGroups(context, slices);
  let orders = 0;
  for (const [topic] of context.orders.entries()) {
    if (liteNamesIn(topic) !== undefined) orders += 1;
    if (slices.over) await slices.pause();
  }
  const { subscriptions, clients } = await context.liteFigures(NOTHING);
  return succeedWith(request, {
    cqTableSize: context.topics.size + context.lites.size,
    currentLmqNum: context.lites.size,
    eventMapSize: clients,
    groupMeta,
    liteSubscriptionCount: subscriptions,
    maxLmqNum: MAX_LITE_TOPICS,
    offsetTableSize: context.offsets.pairs,
    orderInfoCount: orders,
    storeType: 'default',
    topicMeta,
  });
};

/** GET_PARENT_TOPIC_INFO. */
export const parentTopicInfo: BrokerHandler = async (context, request) => {
  const parent = parentOf(context, requiredText(request, 'topic'));
  const groups = await boundGroups(context, new Slices(context.clock));
  return succeedWith(request, {
    groups: groups.get(parent.topicName),
    liteTopicCount: context.lites.of(parent.topicName).size,
    lmqNum: context.lites.size,
    topic: parent.topicName,
    ttl: lifeMinutes(parent),
  });
};

/** GET_LITE_TOPIC_INFO. */
export const liteTopicInfo: BrokerHandler = async (context, request) => {
  const { topicName } = parentOf(context, requiredText(request, 'parentTopic'));
  const liteTopic = requiredText(request, 'liteTopic');
  const queue = liteQueueOf(topicName, liteTopic);
  const { store, settings } = context;
  const max = store.maxOffset(queue, LITE_QUEUE_ID);
  const { subscribers } = await context.liteFigures({ queue, most: MOST_NAMES });
  const home = brokerOfLiteTopic(await context.routes.queuesOf(topicName), liteTopic);
  return succeedWith(request, {
    liteTopic,
    parentTopic: topicName,
    shardingToBroker: home === undefined || home === settings.brokerName,
    subscriber: subscribers,
    topicOffset: {
      lastUpdateTimestamp: max > 0 ? Math.max(0, store.storeTimeAt(queue, LITE_QUEUE_ID, max - 1)) : 0,
      maxOffset: max,
      minOffset: max > 0 ? store.minOffset(queue, LITE_QUEUE_ID) : 0,
    },
  });
};

/** GET_LITE_CLIENT_INFO. */
export const liteClientInfo: BrokerHandler = async (context, request) => {
  const { topicName } = parentOf(context, requiredText(request, 'parentTopic'));
  const group = requiredText(request, 'group');
  if (boundTopic(context, group) !== topicName)
    throw invalid(`Subscription [${group}]-[${topicName}] not match.`);
  const clientId = requiredText(request, 'clientId');
  const most = Math.min(Math.max(0, int32Field(request, 'maxCount') ?? MOST_NAMES), MOST_NAMES);
  const { client } = await context.liteFigures({ client: { clientId, group }, most });
  return succeedWith(request, {
    clientId,
    group,
    lastAccessTime: client === undefined ? -1 : Math.floor(context.clock.now() - client.silentMs),
    lastConsumeTime: 0,
    liteTopicCount: client?.count ?? -1,
    liteTopicSet: client?.queues,
    parentTopic: topicName,
  });
};

/** GET_LITE_GROUP_INFO: how far the group is behind in one lite topic, or in all of them. */
export const liteGroupInfo: BrokerHandler = async (context, request) => {
  const group = requiredText(request, 'group');
  const parentTopic = liteParentOf(context, group);
  const liteTopic = textField(request, 'liteTopic');
  const named = liteTopic === undefined || liteTopic === '' ? undefined : liteTopic;
  const names = { group, liteTopic: named, parentTopic };
  return named === undefined
    ? succeedWith(request, { ...names, ...(await lags(context, request, group, parentTopic)) })
    : succeedWith(request, { ...names, ...progress(context, group, liteQueueOf(parentTopic, named)) });
};

/** TRIGGER_LITE_DISPATCH. */
export const triggerLiteDispatch: BrokerHandler = async (context, request) => {
  const group = requiredText(request, 'group');
  liteParentOf(context, group);
  const clientId = textField(request, 'clientId') || undefined;
  await context.liteFigures({ ...NOTHING, wakes: { group, clientId } });
  return succeed(request);
};

function progress({ store, offsets }: BrokerContext, group: string, queue: string): object {
  const brokerOffset = store.maxOffset(queue, LITE_QUEUE_ID);
  if (brokerOffset <= 0) return { earliestUnconsumedTimestamp: -1, totalLagCount: -1 };
  const consumerOffset = offsets.query(group, queue, LITE_QUEUE_ID);
  if (consumerOffset < 0) return { earliestUnconsumedTimestamp: -1, totalLagCount: 0 };
  const timeAt = (offset: number) => (offset < 0 ? 0 : store.storeTimeAt(queue, LITE_QUEUE_ID, offset));
  return {
    earliestUnconsumedTimestamp: consumerOffset < brokerOffset ? timeAt(consumerOffset) : -1,
    liteTopicOffsetWrapper: {
      brokerOffset,
      consumerOffset,
      lastTimestamp: Math.max(0, timeAt(consumerOffset - 1)),
      pullOffset: 0,
    },
    totalLagCount: brokerOffset - consumerOffset,
  };
}

async function lags(
  context: BrokerContext,
  request: RemotingCommand,
  group: string,
  parent: string,
): Promise<object> {
  const { store, offsets, clock } = context;
  const slices = new Slices(clock);
  const most = Math.min(Math.max(0, int32Field(request, 'topK') ?? 0), MOST_NAMES);
  const [byCount, byTime] = [new TopLags(most, 'count'), new TopLags(most, 'time')];
  let totalLagCount = 0;
  for (const queue of context.lites.of(parent)) {
    const offset = offsets.query(group, queue, LITE_QUEUE_ID);
    const lagCount = offset < 0 ? 0 : store.maxOffset(queue, LITE_QUEUE_ID) - offset;
    if (lagCount > 0) {
      totalLagCount += lagCount;
      const liteTopic = liteNamesIn(queue)?.liteTopic ?? '';
      const earliestUnconsumedTimestamp = store.storeTimeAt(queue, LITE_QUEUE_ID, offset);
      const lag = { earliestUnconsumedTimestamp, lagCount, liteTopic };
      byCount.add(lag);
      byTime.add(lag);
    }
    if (slices.over) await slices.pause();
  }
  const lagTimestampTopK = byTime.list();
  return {
    earliestUnconsumedTimestamp: lagTimestampTopK[0]?.earliestUnconsumedTimestamp ?? -1,
    lagCountTopK: byCount.list(),
    lagTimestampTopK,
    totalLagCount,
  };
}

function isParent({ attributes }: TopicConfig): boolean {
  return attributes.get(MESSAGE_TYPE_ATTRIBUTE) === 'LITE';
}

/** -1: lite topics stay. */
function lifeMinutes({ attributes }: TopicConfig): number {
  return Number(attributes.get(LITE_EXPIRATION_ATTRIBUTE) ?? -1);
}

function parentOf({ topics }: BrokerContext, name: string): TopicConfig {
  const topic = topics.get(name);
  if (topic === undefined) throw new RequestError(ResponseCode.TOPIC_NOT_EXIST, `Topic [${name}] not exist.`);
  if (!isParent(topic)) throw invalid(`Topic [${name}] type not match.`);
  return topic;
}

/** The parent topic of the group's lite topics; undefined for a group that consumes none. */
function boundTopic({ groups }: BrokerContext, name: string): string | undefined {
  const group = groups.get(name);
  if (group === undefined)
    throw new RequestError(ResponseCode.SUBSCRIPTION_GROUP_NOT_EXIST, `Group [${name}] not exist.`);
  return liteGroupOf(group.attributes)?.bindTopic;
}

function liteParentOf(context: BrokerContext, group: string): string {
  const parent = boundTopic(context, group);
  if (parent === undefined) throw invalid(`Group [${group}] is not a LITE group.`);
  return parent;
}

/** Groups by their parent topic. */
async function boundGroups({ groups }: BrokerContext, slices: Slices): Promise<Map<string, string[]>> {
  const bound = new Map<string, string[]>();
  for (const { groupName, attributes } of groups.all()) {
    const parent = liteGroupOf(attributes)?.bindTopic;
    const others = parent === undefined ? undefined : bound.get(parent);
    if (others !== undefined) others.push(groupName);
    else if (parent !== undefined) bound.set(parent, [groupName]);
    if (slices.over) await slices.pause();
  }
  return bound;
}

function invalid(remark: string): RequestError {
  return new RequestError(ResponseCode.INVALID_PARAMETER, remark);
}
