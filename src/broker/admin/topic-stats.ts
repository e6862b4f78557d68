/** GET_TOPIC_STATS_INFO (202): the range of each queue of a topic. Keys of `offsetTable` are objects. */
import type { MessageQueue } from '../../clients/queue-locks.ts';
import { ResponseCode } from '../../protocol/codes.ts';
import { RequestError, requiredText, succeedWith } from '../../protocol/request-fields.ts';
import type { BrokerHandler } from '../context.ts';
import { TOPIC_PUT_NUMS } from '../stats/stats.ts';
import { Slices } from './slices.ts';

interface TopicOffset {
  lastUpdateTimestamp: number;
  maxOffset: number;
  minOffset: number;
}

export const topicStats: BrokerHandler = async (context, request) => {
  const topic = requiredText(request, 'topic');
  const config = context.topics.get(topic);
  if (config === undefined) {
    throw new RequestError(ResponseCode.TOPIC_NOT_EXIST, `topic[${topic}] not exist`);
  }
  const { store, settings } = context;
  const offsetTable = new Map<MessageQueue, TopicOffset>();
  const queues = Math.max(config.readQueueNums, config.writeQueueNums);
  await new Slices(context.clock).each(queues, (queueId) => {
    const maxOffset = Math.max(0, store.maxOffset(topic, queueId));
    offsetTable.set(
      { brokerName: settings.brokerName, queueId, topic },
      {
        lastUpdateTimestamp: maxOffset > 0 ? store.storeTimeAt(topic, queueId, maxOffset - 1) : 0,
        maxOffset,
        minOffset: Math.max(0, store.minOffset(topic, queueId)),
      },
    );
  });
  return succeedWith(request, { offsetTable, topicPutTps: context.stats.tps(TOPIC_PUT_NUMS, topic) });
};
