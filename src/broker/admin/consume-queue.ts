/** QUERY_CONSUME_QUEUE (321): entries of a ConsumeQueue as they are stored, for looking into trouble. */

import { acceptsTagCode, isTagType } from '../../clients/subscription.ts';
import { filterJson } from '../../metadata/consumer-filters.ts';
import { ResponseCode } from '../../protocol/codes.ts';
import {
  offsetField,
  RequestError,
  requiredInt32,
  requiredText,
  succeedWith,
  textField,
} from '../../protocol/request-fields.ts';
import { writeRocketJson } from '../../protocol/rocketmq-json.ts';
import type { BrokerContext, BrokerHandler } from '../context.ts';

/** More would not fit into one sensible answer. */
const MOST_ENTRIES = 10_000;

export const consumeQueue: BrokerHandler = (context, request) => {
  const topic = requiredText(request, 'topic');
  const queueId = requiredInt32(request, 'queueId');
  const config = context.topics.get(topic);
  const queues = config === undefined ? 0 : Math.max(config.readQueueNums, config.writeQueueNums);
  if (queueId < 0 || queueId >= queues) {
    throw new RequestError(ResponseCode.SYSTEM_ERROR, `${queueId}@${topic} is not exist!`);
  }
  const group = textField(request, 'consumerGroup');
  const subscriptionData =
    group === undefined ? undefined : context.clients.consumers.findSubscription(group, topic);
  const count = Math.min(Math.max(0, requiredInt32(request, 'count')), MOST_ENTRIES);
  const entries = context.store.readQueue(topic, queueId, offsetField(request, 'index') ?? 0, count);
  const matches = (tagsCode: bigint) =>
    subscriptionData !== undefined &&
    isTagType(subscriptionData.expressionType) &&
    acceptsTagCode(subscriptionData, Number(tagsCode));
  return succeedWith(request, {
    filterData:
      group === undefined ? undefined : filterText(context, group, topic, subscriptionData !== undefined),
    maxQueueIndex: context.store.maxOffset(topic, queueId),
    minQueueIndex: context.store.minOffset(topic, queueId),
    queueData: entries.map((entry) => ({
      eval: matches(entry.tagsCode),
      physicOffset: entry.physicalOffset,
      physicSize: entry.size,
      tagsCode: entry.tagsCode,
    })),
    subscriptionData,
  });
};

function filterText({ filters }: BrokerContext, group: string, topic: string, online: boolean): string {
  if (!online) return `${group}@${topic} is not online!`;
  const filter = filters.get(group, topic);
  return filter === undefined ? 'null' : writeRocketJson(filterJson(filter), { pretty: true });
}
