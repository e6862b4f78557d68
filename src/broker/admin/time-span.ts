/** QUERY_CONSUME_TIME_SPAN (303): times of a queue's first, last and last consumed message, and how late a group is. */

import { ResponseCode } from '../../protocol/codes.ts';
import { RequestError, requiredText, succeedWith } from '../../protocol/request-fields.ts';
import type { BrokerContext, BrokerHandler } from '../context.ts';
import { Slices } from './slices.ts';

export const consumeTimeSpan: BrokerHandler = async (context, request) => {
  const topic = requiredText(request, 'topic');
  const group = requiredText(request, 'group');
  const config = context.topics.get(topic);
  if (config === undefined) {
    throw new RequestError(ResponseCode.TOPIC_NOT_EXIST, `topic[${topic}] not exist`);
  }
  const consumeTimeSpanSet: ReturnType<typeof spanOf>[] = [];
  await new Slices(context.clock).each(config.writeQueueNums, (queueId) => {
    consumeTimeSpanSet.push(spanOf(context, topic, group, queueId));
  });
  return succeedWith(request, { consumeTimeSpanSet });
};

/**
 * All in ms; -1 where there is no message. `delayTime`: age of the oldest message not consumed, 0 when there is none.
 */
function spanOf(context: BrokerContext, topic: string, group: string, queueId: number) {
  const { store, offsets, settings, clock } = context;
  const max = store.maxOffset(topic, queueId);
  const min = store.minOffset(topic, queueId);
  const minTimeStamp = store.storeTimeAt(topic, queueId, min);
  const consumed = offsets.query(group, topic, queueId);
  const next = Math.max(consumed, min);
  return {
    consumeTimeStamp: consumed > 0 ? store.storeTimeAt(topic, queueId, consumed - 1) : minTimeStamp,
    // Store times may be ahead of the clock after it was set back.
    delayTime: next < max ? Math.max(0, clock.now() - store.storeTimeAt(topic, queueId, next)) : 0,
    maxTimeStamp: store.storeTimeAt(topic, queueId, max - 1),
    messageQueue: { brokerName: settings.brokerName, queueId, topic },
    minTimeStamp,
  };
}
