/** Sends stored messages once more: what their producers gave them stays, what brokers have added goes. */
import type { StoredMessage } from '../../record/decode.ts';
import { SYS_COMPRESSED, SYS_MULTI_TAGS } from '../../record/layout.ts';
import {
  PROPERTY_CHECK_TIMES,
  PROPERTY_CLUSTER,
  PROPERTY_DEAD_LETTER_GROUP,
  PROPERTY_DEAD_LETTER_REASON,
  PROPERTY_DELAY,
  PROPERTY_DLQ_ORIGIN_MESSAGE_ID,
  PROPERTY_DLQ_ORIGIN_TOPIC,
  PROPERTY_MSG_REGION,
  PROPERTY_MULTI_DISPATCH,
  PROPERTY_MULTI_QUEUE_OFFSET,
  PROPERTY_PREPARED_OFFSET,
  PROPERTY_PRODUCER_GROUP,
  PROPERTY_REAL_QUEUE_ID,
  PROPERTY_REAL_TOPIC,
  PROPERTY_RETRY_TOPIC,
  PROPERTY_TRACE_ON,
  PROPERTY_TRANSACTION,
  PROPERTY_TRANSACTION_ID,
  PROPERTY_UNIQUE_KEY,
} from '../../record/properties.ts';
import type { Queue } from './routes.ts';
import type { Outgoing } from './send.ts';

/** On a dead letter that was sent once more: the offset id of that dead letter, which no other message has. */
export const PROPERTY_RESENT = 'RINGMQ_DEAD_LETTER';
/** What was popped and came again says when it was popped first. */
export const PROPERTY_FIRST_POP = '1ST_POP_TIME';
const COMPRESSION_BITS = 0x700;

/** They would delay the message once more, make it a half message, or tell of its former life. */
const NOT_SENT: ReadonlySet<string> = new Set([
  PROPERTY_CHECK_TIMES,
  PROPERTY_CLUSTER,
  PROPERTY_DEAD_LETTER_GROUP,
  PROPERTY_DEAD_LETTER_REASON,
  PROPERTY_DELAY,
  PROPERTY_DLQ_ORIGIN_MESSAGE_ID,
  PROPERTY_DLQ_ORIGIN_TOPIC,
  PROPERTY_MSG_REGION,
  PROPERTY_MULTI_DISPATCH,
  PROPERTY_MULTI_QUEUE_OFFSET,
  PROPERTY_PREPARED_OFFSET,
  PROPERTY_PRODUCER_GROUP,
  PROPERTY_REAL_QUEUE_ID,
  PROPERTY_REAL_TOPIC,
  PROPERTY_RETRY_TOPIC,
  PROPERTY_TRACE_ON,
  PROPERTY_TRANSACTION,
  PROPERTY_TRANSACTION_ID,
  PROPERTY_RESENT,
  PROPERTY_FIRST_POP,
  'CONSUME_START_TIME',
  'INNER_MULTI_QUEUE_OFFSET',
  'MAX_OFFSET',
  'MIN_OFFSET',
  'ORIGIN_GROUP',
  'ORIGIN_MESSAGE_ID',
  'POP_CK',
  'POP_CK_OFFSET',
  'RECONSUME_TIME',
  'TIMER_DELAY_LEVEL',
  'TIMER_DELAY_MS',
  'TIMER_DELAY_SEC',
  'TIMER_DELIVER_MS',
  'TIMER_DEQUEUE_MS',
  'TIMER_ENQUEUE_MS',
  'TIMER_OUT_MS',
  'TIMER_ROLL_TIMES',
  '__REALTOPIC__',
]);

/** `keepsId`: consumers that look for repeated messages know it by its unique id, and are to take it for the same. */
export function onceMore(message: StoredMessage, extra: Record<string, string>, keepsId: boolean): Outgoing {
  const kept = [...message.properties].filter(
    ([name]) => !NOT_SENT.has(name) && (keepsId || name !== PROPERTY_UNIQUE_KEY),
  );
  return {
    body: message.body,
    properties: new Map([...kept, ...Object.entries(extra)]),
    flag: message.flag,
    sysFlag: message.sysFlag & (SYS_COMPRESSED | SYS_MULTI_TAGS | COMPRESSION_BITS),
  };
}

/** Where it lies now, so that messages of one order stay together; else a queue of its broker, else any. */
export function nearestQueue(
  queues: readonly Queue[],
  { broker, queueId }: Pick<Queue, 'broker' | 'queueId'>,
): Queue {
  const same = queues.filter((queue) => queue.broker === broker);
  const among = same.length > 0 ? same : queues;
  return among.find((queue) => queue.queueId === queueId) ?? (among[queueId % among.length] as Queue);
}
