/**
 * A message that goes to a second queue, that of a lite topic: its properties name that queue and its number there
 * (RocketMQ's multi-dispatch, of which lite topics use one queue). The writer alone knows the number, and writes it
 * over the zeros that stand for it until then.
 */
import { PROPERTY_MULTI_DISPATCH, PROPERTY_MULTI_QUEUE_OFFSET } from './properties.ts';
import { PropertyScan } from './property-scan.ts';
import { RecordParts } from './view.ts';

/** Digits of the number: more than any queue reaches. */
export const SECOND_DIGITS = 16;
const NO_NUMBER = '0'.repeat(SECOND_DIGITS);
const NUMBER_NAME = `${PROPERTY_MULTI_QUEUE_OFFSET}\x01${NO_NUMBER}`;
const [ZERO, NINE, DOLLAR] = [0x30, 0x39, 0x24];
const PREFIX = Buffer.from('%LMQ%$');

/** Names the queue, with zeros for the number. */
export function setSecondQueue(properties: Map<string, string>, queue: string): void {
  properties.set(PROPERTY_MULTI_DISPATCH, queue);
  properties.set(PROPERTY_MULTI_QUEUE_OFFSET, NO_NUMBER);
}

/** Where in the encoded properties the zeros stand. */
export function secondDigitsIn(properties: Buffer): number {
  return properties.lastIndexOf(NUMBER_NAME) + NUMBER_NAME.length - SECOND_DIGITS;
}

/**
 * Whether a second queue is named that is one of a lite topic below the record's own topic. Copies of such a message
 * in other topics (retry, dead letters) say the same and are in no second queue.
 */
export function hasSecondQueue(
  bytes: Uint8Array,
  topicAt: number,
  topicLength: number,
  properties: PropertyScan,
  propertiesAt: number,
): boolean {
  const { secondOffset, secondLength, secondNumberLength } = properties;
  const nameAt = propertiesAt + secondOffset;
  const lite = PREFIX.length + topicLength;
  if (secondNumberLength === 0 || secondLength <= lite + 1 || bytes[nameAt + lite] !== DOLLAR) return false;
  for (let i = 0; i < PREFIX.length; i++) if (bytes[nameAt + i] !== PREFIX[i]) return false;
  for (let i = 0; i < topicLength; i++)
    if (bytes[nameAt + PREFIX.length + i] !== bytes[topicAt + i]) return false;
  return true;
}

/** The number in the second queue, -1 where none stands. */
export function secondNumber(bytes: Uint8Array, properties: PropertyScan, propertiesAt: number): number {
  const from = propertiesAt + properties.secondNumberOffset;
  let number = 0;
  for (let at = from; at < from + properties.secondNumberLength; at++) {
    const digit = bytes[at] as number;
    if (digit < ZERO || digit > NINE) return -1;
    number = number * 10 + digit - ZERO;
  }
  return Number.isSafeInteger(number) ? number : -1;
}

/** What whole records say of their second queue. */
export class SecondQueueReader {
  /** Of the record read last: its second queue, and its number there. */
  name = '';
  number = -1;
  readonly #parts = new RecordParts();
  readonly #scan = new PropertyScan();

  /** Whether the record of `size` bytes at `at` is in a second queue. */
  read(bytes: Uint8Array, view: DataView, at: number, size: number): boolean {
    const parts = this.#parts;
    if (!parts.locate(view, at, at + size)) return false;
    const { topicOffset, topicLength, propertiesOffset: from, propertiesLength } = parts;
    const scan = this.#scan;
    scan.scan(bytes, view, from, from + propertiesLength, from);
    if (!hasSecondQueue(bytes, topicOffset, topicLength, scan, from)) return false;
    const { secondOffset, secondLength } = scan;
    this.name = Buffer.from(bytes.buffer, bytes.byteOffset + from + secondOffset, secondLength).toString();
    this.number = secondNumber(bytes, scan, from);
    return this.number >= 0;
  }
}
