/** What a record of the timer topic says of itself: when it is due, or which message it recalls. */
import type { StoredMessage } from '../../record/decode.ts';
import { PROPERTY_REAL_QUEUE_ID, PROPERTY_REAL_TOPIC, PROPERTY_UNIQUE_KEY } from '../../record/properties.ts';

import {
  TIMER_DEL_UNIQKEY,
  TIMER_DELAY_MS,
  TIMER_DELAY_SEC,
  TIMER_DELIVER_MS,
  TIMER_OUT_MS,
  TIMER_PROPERTIES,
} from './rewrite.ts';

/** Of what is delivered: when it was put into the wheel, when it was taken out, how often it was rolled. */
export const TIMER_ENQUEUE_MS = 'TIMER_ENQUEUE_MS';
export const TIMER_DEQUEUE_MS = 'TIMER_DEQUEUE_MS';
export const TIMER_ROLL_TIMES = 'TIMER_ROLL_TIMES';

/** Our own, while a span is rolled; it is taken off when the message is delivered. */
export const ELAPSED_MS = '__RINGMQ_ELAPSED_MS';

/** Takes off whatever an earlier wait has left, or a client has written, so that a message may wait anew. */
export function forgetTimes(properties: Map<string, string>): void {
  const own = [
    TIMER_OUT_MS,
    TIMER_DEL_UNIQKEY,
    TIMER_ENQUEUE_MS,
    TIMER_DEQUEUE_MS,
    TIMER_ROLL_TIMES,
    ELAPSED_MS,
  ];
  for (const name of [...TIMER_PROPERTIES, ...own]) properties.delete(name);
}

export interface TimedRecord {
  /** TIMER_OUT_MS */
  outMs: number;
  /** What the sender asked for: a time, 0 when none is known. */
  deliverMs: number;
  /** Or a span, which counts from when it was stored; 0 when nobody knows that any more. */
  delayMs: number;
  /** It was a span. */
  span: boolean;
  /** When a span ends that was rolled, on our clock of elapsed time; 0 where RocketMQ has rolled it. */
  elapsedMs: number;
  /** It recalls a message and is none itself. */
  recalls: boolean;
  /** It was put into the timer topic once more. */
  rolled: boolean;
  realTopic: string;
}

/** A string says why the record cannot be put into the wheel: it never could be. */
export function timedRecordOf({ properties }: StoredMessage): TimedRecord | string {
  const outMs = integerOf(properties.get(TIMER_OUT_MS));
  if (outMs <= 0) return `it has no ${TIMER_OUT_MS}`;
  const realTopic = properties.get(PROPERTY_REAL_TOPIC);
  if (realTopic === undefined || integerOf(properties.get(PROPERTY_REAL_QUEUE_ID)) < 0)
    return 'it names no real topic and queue';
  const recalls = properties.has(TIMER_DEL_UNIQKEY);
  const rolled = properties.has(TIMER_ROLL_TIMES);
  return { outMs, ...wishOf(properties), recalls, rolled, realTopic };
}

/** The order of precedence is RocketMQ's. A record that was rolled counts from its first storing: only OUT_MS tells. */
function wishOf(
  properties: ReadonlyMap<string, string>,
): Pick<TimedRecord, 'deliverMs' | 'delayMs' | 'span' | 'elapsedMs'> {
  const seconds = integerOf(properties.get(TIMER_DELAY_SEC));
  const milliseconds = integerOf(properties.get(TIMER_DELAY_MS));
  if (seconds >= 0 || milliseconds >= 0) {
    const delayMs = seconds >= 0 ? seconds * 1000 : milliseconds;
    const elapsedMs = Math.max(0, integerOf(properties.get(ELAPSED_MS)));
    return { deliverMs: 0, delayMs: properties.has(TIMER_ROLL_TIMES) ? 0 : delayMs, span: true, elapsedMs };
  }
  const deliverMs = Math.max(0, integerOf(properties.get(TIMER_DELIVER_MS)));
  return { deliverMs, delayMs: 0, span: false, elapsedMs: 0 };
}

/** What a message, or the message that a record recalls, is known by: topic and unique key. */
export function recallKeyOf({ properties }: Pick<StoredMessage, 'properties'>): string | undefined {
  const topic = properties.get(PROPERTY_REAL_TOPIC) ?? '';
  const deleted = properties.get(TIMER_DEL_UNIQKEY);
  if (deleted === undefined) {
    const key = properties.get(PROPERTY_UNIQUE_KEY);
    return key === undefined ? undefined : `${topic}+${key}`;
  }
  // With appendTopicForTimerDeleteKey, RocketMQ writes the topic in front.
  return deleted.startsWith(`${topic}+`) ? deleted : `${topic}+${deleted}`;
}

/** -1 for anything that is no whole number that can be counted with. */
function integerOf(text: string | undefined): number {
  if (text === undefined || !/^\+?\d{1,16}$/.test(text)) return -1;
  const value = Number(text);
  return Number.isSafeInteger(value) ? value : -1;
}
