/**
 * Positions in a queue: SEARCH_OFFSET_BY_TIMESTAMP (29), GET_MAX_OFFSET (30), GET_MIN_OFFSET (31) and
 * GET_EARLIEST_MSG_STORETIME (32). Unknown queues are empty queues.
 */
import { liteQueueOf } from '../../lib/lite-names.ts';
import { isBlank } from '../../lib/names.ts';
import {
  requiredInt32,
  requiredInt64,
  requiredText,
  succeed,
  textField,
} from '../../protocol/request-fields.ts';
import type { BrokerHandler } from '../context.ts';

export const searchOffset: BrokerHandler = (context, request) => {
  const boundary = textField(request, 'boundaryType')?.toUpperCase() === 'UPPER' ? 'UPPER' : 'LOWER';
  const topic = requiredText(request, 'topic');
  const liteTopic = textField(request, 'liteTopic');
  const offset = context.store.offsetByTime(
    isBlank(liteTopic) ? topic : liteQueueOf(topic, liteTopic as string),
    requiredInt32(request, 'queueId'),
    requiredInt64(request, 'timestamp'),
    boundary,
  );
  return succeed(request, { offset });
};

export const maxOffset: BrokerHandler = (context, request) => {
  const offset = context.store.maxOffset(requiredText(request, 'topic'), requiredInt32(request, 'queueId'));
  return succeed(request, { offset });
};

export const minOffset: BrokerHandler = (context, request) => {
  const offset = context.store.minOffset(requiredText(request, 'topic'), requiredInt32(request, 'queueId'));
  return succeed(request, { offset });
};

export const earliestStoreTime: BrokerHandler = (context, request) => {
  const topic = requiredText(request, 'topic');
  const queueId = requiredInt32(request, 'queueId');
  const first = context.store.minOffset(topic, queueId);
  return succeed(request, { timestamp: context.store.storeTimeAt(topic, queueId, first) });
};
