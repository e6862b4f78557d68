/**
 * QUERY_CONSUMER_OFFSET (14): where a group goes on. A group without stored offset starts at the beginning when the
 * queue still has its first message, whatever its consumeFromWhere says; otherwise "not found" (22), never 0 or -1,
 * lets the client decide.
 */
import {
  booleanField,
  RequestError,
  requiredInt32,
  requiredText,
  succeed,
} from '../../control/request-fields.ts';
import { ResponseCode } from '../../protocol/codes.ts';
import type { BrokerHandler } from '../context.ts';

export const queryOffset: BrokerHandler = (context, request) => {
  const group = requiredText(request, 'consumerGroup');
  const topic = requiredText(request, 'topic');
  const queueId = requiredInt32(request, 'queueId');
  const stored = context.offsets.query(group, topic, queueId);
  if (stored >= 0) return succeed(request, { offset: stored });
  if (!booleanField(request, 'setZeroIfNotFound', true)) {
    throw new RequestError(
      ResponseCode.QUERY_NOT_FOUND,
      'Not found, do not set to zero, maybe this group boot first',
    );
  }
  const exists = queueId >= 0 && queueId < (context.topics.get(topic)?.readQueueNums ?? 0);
  // Also while the queue is empty: the group is then to get the first message that comes.
  if (exists && context.store.minOffset(topic, queueId) <= 0) return succeed(request, { offset: 0 });
  throw new RequestError(
    ResponseCode.QUERY_NOT_FOUND,
    'Not found, V3_0_6_SNAPSHOT maybe this group consumer boot first',
  );
};
