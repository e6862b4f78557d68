/**
 * INVOKE_BROKER_TO_RESET_OFFSET (222): a group is to go on somewhere else. The new offsets wait here until the
 * group's next pull hears of them; with useServerSideResetOffset=false the online clients are told instead.
 */
import type { MessageQueue } from '../../clients/queue-locks.ts';
import { ResponseCode } from '../../protocol/codes.ts';
import {
  booleanField,
  checkQueueId,
  int32Field,
  int64Field,
  RequestError,
  requiredInt64,
  requiredText,
  succeedWith,
} from '../../protocol/request-fields.ts';
import { askerOf, type BrokerContext, type BrokerHandler } from '../context.ts';
import { resetOnClients } from './reset-on-clients.ts';
import { Slices } from './slices.ts';

interface ResetRequest {
  topic: string;
  group: string;
  /** Negative: the maximum offset; else ms since the epoch. */
  timestamp: number;
  /** -1: all queues. */
  queueId: number;
  /** Only with a queue: this offset instead of a time. */
  offset: number | undefined;
}

export const resetOffset: BrokerHandler = async (context, request, connection) => {
  const reset: ResetRequest = {
    topic: requiredText(request, 'topic'),
    group: requiredText(request, 'group'),
    timestamp: requiredInt64(request, 'timestamp'),
    queueId: int32Field(request, 'queueId') ?? -1,
    offset: int64Field(request, 'offset'),
  };
  const { group, topic, queueId, timestamp } = reset;
  const what = { group, topic, ...(queueId < 0 ? {} : { queueId }), ...askerOf(request, connection) };
  const to = timestamp < 0 ? 'the end' : timeText(timestamp);
  if (!context.settings.useServerSideResetOffset) {
    const isForced = booleanField(request, 'isForce', false);
    const told = { ...reset, isForced, isCpp: request.language === 'CPP' };
    const reply = await resetOnClients(context, request, told);
    context.log.info({ ...what, to }, 'offsets reset: the consumers of the group were told');
    return reply;
  }
  const offsets = await resetHere(context, reset);
  const offsetTable = new Map<MessageQueue, number>();
  for (const [queueId, offset] of offsets) {
    context.offsets.assignReset(reset.group, reset.topic, queueId, offset);
    offsetTable.set({ brokerName: context.settings.brokerName, queueId, topic: reset.topic }, offset);
  }
  context.log.info({ ...what, to: reset.offset ?? to, queues: offsets.size }, 'offsets reset');
  return succeedWith(request, { offsetTable });
};

const LATEST_DATE = 8.64e15;

/** A client may name any number. */
function timeText(timestamp: number): string {
  return timestamp <= LATEST_DATE ? new Date(timestamp).toISOString() : `${timestamp} ms`;
}

/** New offsets by queue id. */
async function resetHere(context: BrokerContext, reset: ResetRequest): Promise<Map<number, number>> {
  const config = context.topics.get(reset.topic);
  if (config === undefined) {
    throw new RequestError(ResponseCode.TOPIC_NOT_EXIST, `Topic ${reset.topic} does not exist`);
  }
  if (!context.groups.has(reset.group)) {
    throw new RequestError(ResponseCode.SUBSCRIPTION_GROUP_NOT_EXIST, `Group ${reset.group} does not exist`);
  }
  if (reset.queueId >= 0) {
    checkQueueId(reset.queueId, config);
    return new Map([[reset.queueId, offsetOfOneQueue(context, reset)]]);
  }
  const offsets = new Map<number, number>();
  await new Slices(context.clock).each(config.readQueueNums, (queueId) => {
    offsets.set(queueId, offsetByTime(context, reset.topic, queueId, reset.timestamp));
  });
  if (offsets.size === 0) throw new RequestError(ResponseCode.SYSTEM_ERROR, 'No queues to reset.');
  return offsets;
}

function offsetOfOneQueue(context: BrokerContext, reset: ResetRequest): number {
  const { topic, queueId, offset, timestamp } = reset;
  if (offset === undefined || offset === -1) return offsetByTime(context, topic, queueId, timestamp);
  const min = context.store.minOffset(topic, queueId);
  const max = context.store.maxOffset(topic, queueId);
  if (offset >= min && offset <= max + 1) return offset;
  throw new RequestError(
    ResponseCode.SYSTEM_ERROR,
    `Target offset ${offset} not in consume queue range [${min}-${max}]`,
  );
}

function offsetByTime(context: BrokerContext, topic: string, queueId: number, timestamp: number): number {
  return timestamp < 0
    ? context.store.maxOffset(topic, queueId)
    : context.store.offsetByTime(topic, queueId, timestamp, 'LOWER');
}
