/**
 * Transactional messages in their forms: the half message, which waits in the half topic with the real topic and queue
 * among its properties; its copies, one a check; the committed message; and what is given up after the last check.
 */
import { HALF_TOPIC, OP_HALF_TOPIC, TRANS_CHECK_MAX_TIME_TOPIC } from '../../lib/names.ts';
import type { StoredMessage } from '../../record/decode.ts';
import { SYS_TRANSACTION_COMMIT, SYS_TRANSACTION_MASK } from '../../record/layout.ts';
import {
  PROPERTY_CHECK_IMMUNITY,
  PROPERTY_CHECK_TIMES,
  PROPERTY_GIVEN_UP,
  PROPERTY_PREPARED_OFFSET,
  PROPERTY_PRODUCER_GROUP,
  PROPERTY_REAL_QUEUE_ID,
  PROPERTY_REAL_TOPIC,
  PROPERTY_TAGS,
  PROPERTY_TRANSACTION,
  PROPERTY_TRANSACTION_ID,
  PROPERTY_UNIQUE_KEY,
  PROPERTY_WAIT,
} from '../../record/properties.ts';
import type { InternalMessage } from '../../store/put/put-message.ts';
import { copyOf } from '../due-message.ts';
import { namesQueue, realQueueOf, setRealQueue } from '../real-queue.ts';
import { groupHash } from './producers-online.ts';

/** Half, op and given-up messages lie in queue 0 of their topics. */
export const ONLY_QUEUE = 0;

/** How often a half message was checked, and whose copy it is. */
const OF_THE_BROKER: readonly string[] = [PROPERTY_CHECK_TIMES, PROPERTY_PREPARED_OFFSET];

/** Tag of the messages that name ended half messages. */
const OP_TAG = 'd';

/** What tells one half message from another. */
export type HalfMessage = Pick<StoredMessage, 'properties' | 'queueOffset' | 'bornTimestamp'>;

interface Preparable {
  topic: string;
  queueId: number;
  sysFlag: number;
  properties: Map<string, string>;
}

/** Whether a message with these properties is half of a transaction; the bit in the system flag does not matter. */
export function isHalf(properties: ReadonlyMap<string, string>): boolean {
  return properties.get(PROPERTY_TRANSACTION)?.toLowerCase() === 'true';
}

/**
 * The message as it waits for its end. What it says of a delay counts when it is committed. What only the broker may
 * say of a half message is taken off: one that passed for another's copy would end that one.
 */
export function halfOf<M extends Preparable>(message: M): M {
  const properties = new Map(message.properties);
  for (const name of OF_THE_BROKER) properties.delete(name);
  properties.set(PROPERTY_TRANSACTION_ID, properties.get(PROPERTY_UNIQUE_KEY) ?? '');
  setRealQueue(properties, message);
  const sysFlag = message.sysFlag & ~SYS_TRANSACTION_MASK;
  return { ...message, topic: HALF_TOPIC, queueId: ONLY_QUEUE, sysFlag, properties };
}

/**
 * The message where it was to go, named after the half message or copy at `halfPosition` in the log. It takes the half
 * message's properties, which nobody needs afterwards.
 */
export function committedOf(half: StoredMessage, halfPosition: number): InternalMessage | string {
  const { topic, queueId } = realQueueOf(half.properties);
  if (!namesQueue({ topic, queueId })) return 'it names no real topic and queue';
  const { properties } = half;
  properties.delete(PROPERTY_REAL_TOPIC);
  properties.delete(PROPERTY_REAL_QUEUE_ID);
  properties.delete(PROPERTY_PREPARED_OFFSET);
  const sysFlag = (half.sysFlag & ~SYS_TRANSACTION_MASK) | SYS_TRANSACTION_COMMIT;
  return { ...copyOf(half, topic, queueId), sysFlag, properties, preparedTransactionOffset: halfPosition };
}

/** A copy that takes the place of a half message, because it is checked or moved to the end of the queue. */
export function replacementOf(half: StoredMessage, checkTimes: number): InternalMessage {
  const properties = new Map(half.properties);
  properties.set(PROPERTY_WAIT, 'false');
  properties.set(PROPERTY_CHECK_TIMES, String(checkTimes));
  properties.set(PROPERTY_PREPARED_OFFSET, String(firstOffsetOf(half)));
  return { ...copyOf(half, HALF_TOPIC, ONLY_QUEUE), properties };
}

/** A half message of its own, counted anew: an administrator wants it to be checked again. */
export function resumedOf(message: StoredMessage): InternalMessage | string {
  const lay = message.topic === HALF_TOPIC || message.topic === TRANS_CHECK_MAX_TIME_TOPIC;
  if (!lay || !namesQueue(realQueueOf(message.properties))) return 'it is no half message';
  const properties = new Map(message.properties);
  properties.set(PROPERTY_CHECK_TIMES, '0');
  properties.delete(PROPERTY_PREPARED_OFFSET);
  return { ...copyOf(message, HALF_TOPIC, ONLY_QUEUE), properties };
}

/** After the last check: where it can be read, and from where it can be resumed. */
export function givenUpOf(half: StoredMessage): InternalMessage {
  return copyOf(half, TRANS_CHECK_MAX_TIME_TOPIC, ONLY_QUEUE);
}

/**
 * Names half messages that have ended, by offset in the half queue. `givenUp`: the transactions among them that their
 * producers may still end, by the offset of the first copy. RocketMQ reads the body and the tag alone.
 */
export function opOf(
  offsets: readonly number[],
  givenUp: readonly number[],
  now: number,
  storeHost: InternalMessage['bornHost'],
) {
  const message: InternalMessage = {
    topic: OP_HALF_TOPIC,
    queueId: ONLY_QUEUE,
    body: Buffer.from(listOf(offsets)),
    properties: new Map([
      [PROPERTY_WAIT, 'true'],
      [PROPERTY_TAGS, OP_TAG],
    ]),
    flag: 0,
    sysFlag: 0,
    bornTimestamp: now,
    bornHost: storeHost,
    reconsumeTimes: 0,
    preparedTransactionOffset: 0,
  };
  if (givenUp.length > 0) message.properties.set(PROPERTY_GIVEN_UP, listOf(givenUp));
  return message;
}

function listOf(offsets: readonly number[]): string {
  return offsets.map((offset) => `${offset},`).join('');
}

/** The offsets that such a message names; what is no offset is left out. */
export function offsetsIn({ body }: Pick<StoredMessage, 'body'>): number[] {
  return inList(Buffer.from(body.buffer, body.byteOffset, body.length).toString());
}

/** The transactions that were given up with them. */
export function givenUpIn({ properties }: Pick<StoredMessage, 'properties'>): number[] {
  return inList(properties.get(PROPERTY_GIVEN_UP) ?? '');
}

function inList(text: string): number[] {
  return text
    .split(',')
    .filter((part) => /^\d+$/.test(part))
    .map(Number);
}

/** -1 of none. There may be more than a call takes arguments. */
export function highestOf(offsets: readonly number[]): number {
  return offsets.reduce((most, offset) => Math.max(most, offset), -1);
}

/** Hash of its producer's group. */
export function groupHashOf(half: StoredMessage): number {
  return groupHash(producerGroupOf(half));
}

export function producerGroupOf({ properties }: Pick<StoredMessage, 'properties'>): string {
  return properties.get(PROPERTY_PRODUCER_GROUP) ?? '';
}

/** How often it was checked so far. */
export function checkTimesOf({ properties }: Pick<StoredMessage, 'properties'>): number {
  return wholeNumber(properties.get(PROPERTY_CHECK_TIMES)) ?? 0;
}

/** Where the first one of its copies lies in the half queue; itself when it is the first. */
export function firstOffsetOf({
  properties,
  queueOffset,
}: Pick<HalfMessage, 'properties' | 'queueOffset'>): number {
  return Math.min(wholeNumber(properties.get(PROPERTY_PREPARED_OFFSET)) ?? queueOffset, queueOffset);
}

/**
 * Ms from its sending on in which it is not checked and only its sender may end it; undefined when it does not ask for
 * such a time. Text that is no number, and less than the timeout, count as the timeout.
 */
export function immunityOf({ properties }: StoredMessage, timeoutMs: number): number | undefined {
  const text = properties.get(PROPERTY_CHECK_IMMUNITY);
  if (text === undefined) return undefined;
  return Math.max((wholeNumber(text) ?? 0) * 1_000, timeoutMs);
}

function wholeNumber(text = ''): number | undefined {
  const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  return Number.isSafeInteger(value) ? value : undefined;
}
