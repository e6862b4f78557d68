/**
 * How far groups are behind: GET_CONSUME_STATS (208) for one group, GET_BROKER_CONSUME_STATS (317) for all.
 * Keys of `offsetTable` are objects.
 */
import type { MessageQueue } from '../../clients/queue-locks.ts';
import { isBlank } from '../../lib/names.ts';
import type { TopicConfig } from '../../metadata/topic-config.ts';
import {
  booleanField,
  checkAnswerSize,
  requiredText,
  succeedWith,
  textField,
} from '../../protocol/request-fields.ts';
import { type BrokerContext, type BrokerHandler, brokerAddress } from '../context.ts';
import { GROUP_GET_NUMS } from '../stats/stats.ts';
import { Slices } from './slices.ts';

interface QueueProgress {
  brokerOffset: number;
  consumerOffset: number;
  /** Store time in ms of the last consumed message, 0 when unknown. */
  lastTimestamp: number;
  pullOffset: number;
}

interface ConsumeStats {
  /** Messages per second. */
  consumeTps: number;
  offsetTable: Map<MessageQueue, QueueProgress>;
}

export const consumeStats: BrokerHandler = async (context, request) => {
  const slices = new Slices(context.clock);
  const group = requiredText(request, 'consumerGroup');
  const stats: ConsumeStats = { consumeTps: 0, offsetTable: new Map() };
  for (const topic of topicsAsked(
    context,
    group,
    textField(request, 'topicList'),
    textField(request, 'topic'),
  )) {
    const config = context.topics.get(topic);
    if (config !== undefined) await addProgress(context, slices, stats, group, config, config.readQueueNums);
    checkSize(stats.offsetTable.size);
    if (slices.over) await slices.pause();
  }
  return succeedWith(request, stats);
};

/** `isOrder`: only topics that are ordered. */
export const allConsumeStats: BrokerHandler = async (context, request) => {
  const slices = new Slices(context.clock);
  let queues = 0;
  const orderedOnly = booleanField(request, 'isOrder', false);
  const consumeStatsList: Map<string, ConsumeStats[]>[] = [];
  let totalDiff = 0;
  let totalInflightDiff = 0;
  for (const { groupName } of context.groups.all()) {
    const ofGroup: ConsumeStats[] = [];
    for (const topic of subscribedOnly(context, groupName, context.offsets.topicsOf(groupName))) {
      const config = context.topics.get(topic);
      if (config === undefined || (orderedOnly && !config.order)) continue;
      const stats: ConsumeStats = { consumeTps: 0, offsetTable: new Map() };
      await addProgress(context, slices, stats, groupName, config, config.writeQueueNums);
      for (const queue of stats.offsetTable.values()) {
        totalDiff += queue.brokerOffset - queue.consumerOffset;
        totalInflightDiff += queue.pullOffset - queue.consumerOffset;
      }
      ofGroup.push(stats);
      queues += stats.offsetTable.size;
      checkSize(queues);
      if (slices.over) await slices.pause();
    }
    consumeStatsList.push(new Map([[groupName, ofGroup]]));
  }
  const brokerAddr = brokerAddress(context.settings);
  return succeedWith(request, { brokerAddr, consumeStatsList, totalDiff, totalInflightDiff });
};

/** Bytes that an entry takes at least in the answer. */
const LEAST_ENTRY = 110;

/** What would not fit into a frame is refused before it is all there. */
function checkSize(queues: number): void {
  checkAnswerSize(queues * LEAST_ENTRY, 'ask for the groups and topics one by one');
}

/** A list is taken as it is; one topic, or all topics of the group's offsets, only as far as it subscribes. */
function topicsAsked(
  context: BrokerContext,
  group: string,
  list: string | undefined,
  topic: string | undefined,
): string[] {
  if (list !== undefined && !isBlank(list))
    return [...new Set(list.split(';').filter((name) => name !== ''))];
  const topics = topic === undefined || isBlank(topic) ? context.offsets.topicsOf(group) : [topic];
  return subscribedOnly(context, group, topics);
}

/** Groups that are offline have no subscriptions: all their topics count. */
function subscribedOnly(context: BrokerContext, group: string, topics: string[]): string[] {
  const { consumers } = context.clients;
  const online = (consumers.get(group)?.subscriptions.size ?? 0) > 0;
  return topics.filter((topic) => !online || consumers.findSubscription(group, topic) !== undefined);
}

async function addProgress(
  context: BrokerContext,
  slices: Slices,
  stats: ConsumeStats,
  group: string,
  config: TopicConfig,
  queues: number,
): Promise<void> {
  const { store, offsets, settings } = context;
  const topic = config.topicName;
  await slices.each(queues, (queueId) => {
    const consumerOffset = Math.max(0, offsets.query(group, topic, queueId));
    const last = consumerOffset > 0 ? store.storeTimeAt(topic, queueId, consumerOffset - 1) : 0;
    stats.offsetTable.set(
      { brokerName: settings.brokerName, queueId, topic },
      {
        brokerOffset: Math.max(0, store.maxOffset(topic, queueId)),
        consumerOffset,
        lastTimestamp: Math.max(0, last),
        pullOffset: Math.max(consumerOffset, offsets.queryPull(group, topic, queueId)),
      },
    );
  });
  stats.consumeTps += context.stats.tps(GROUP_GET_NUMS, `${topic}@${group}`);
}
