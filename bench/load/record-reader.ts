/**
 * Reads the stored messages in the body of a pull reply where they lie: how long each is, its place in its queue and
 * where its unique key is. Written by hand against RocketMQ's layout, not with the code of the broker that it judges.
 */

const QUEUE_ID_AT = 12;
const QUEUE_OFFSET_AT = 20;
const SYS_FLAG_AT = 36;
const BORN_MILLIS_AT = 40;
const STORE_MILLIS_AT = 56;
const BODY_LENGTH_AT = 84;
/** Seen from there: behind the addresses, which differ in length. */
const RECONSUME_TIMES_BEFORE_BODY = 12;
const SMALLEST_RECORD = 91;
const MAGIC_AT = 4;
const MAGIC_V1 = 0xdaa320a7 | 0;
const MAGIC_V2 = 0xdaa320ab | 0;
const BORN_HOST_V6 = 0x10;
const STORE_HOST_V6 = 0x20;
const IPV6_EXTRA = 12;

const VALUE_END = 2;
const UNIQUE_KEY = Buffer.from('UNIQ_KEY\x01', 'latin1');

export class RecordReader {
  /** Of the record read last. */
  size = 0;
  queueId = 0;
  queueOffset = 0;
  /** How often it has been given back or not acknowledged in time. */
  reconsumeTimes = 0;
  /** Milliseconds since 1970: when its producer made it, and when it was stored in this queue. */
  bornMillis = 0;
  storeMillis = 0;
  /** Place of the unique key; -1 when it has none. */
  keyAt = -1;
  keyLength = 0;
  /** Where the key stood last, from the begin of the properties: a broker puts it at the same place every time. */
  #keyFromProperties = 0;

  /** Reads the record at `at`; throws when bytes[at, end) does not begin with a whole one. */
  read(bytes: Uint8Array, at: number, end: number): void {
    const size = end - at < SMALLEST_RECORD ? -1 : int32(bytes, at);
    if (size < SMALLEST_RECORD || size > end - at) {
      throw new Error(`pull reply: a record of ${size} bytes where ${end - at} are left`);
    }
    const magic = int32(bytes, at + MAGIC_AT);
    if (magic !== MAGIC_V1 && magic !== MAGIC_V2) throw new Error(`pull reply: record with magic ${magic}`);
    this.size = size;
    this.queueId = int32(bytes, at + QUEUE_ID_AT);
    this.queueOffset = int64(bytes, at + QUEUE_OFFSET_AT);
    this.bornMillis = int64(bytes, at + BORN_MILLIS_AT);
    const sysFlag = int32(bytes, at + SYS_FLAG_AT);
    const bornExtra = (sysFlag & BORN_HOST_V6) !== 0 ? IPV6_EXTRA : 0;
    this.storeMillis = int64(bytes, at + STORE_MILLIS_AT + bornExtra);
    let bodyLengthAt = at + BODY_LENGTH_AT + bornExtra;
    if ((sysFlag & STORE_HOST_V6) !== 0) bodyLengthAt += IPV6_EXTRA;
    this.reconsumeTimes = int32(bytes, bodyLengthAt - RECONSUME_TIMES_BEFORE_BODY);
    const topicAt = bodyLengthAt + 4 + int32(bytes, bodyLengthAt);
    const topicEnd =
      magic === MAGIC_V1 ? topicAt + 1 + (bytes[topicAt] as number) : topicAt + 2 + uint16(bytes, topicAt);
    const propertiesEnd = topicEnd + 2 + uint16(bytes, topicEnd);
    if (propertiesEnd !== at + size)
      throw new Error('pull reply: the lengths in a record contradict its size');
    this.#findKey(bytes, topicEnd + 2, propertiesEnd);
  }

  #findKey(bytes: Uint8Array, from: number, end: number): void {
    let nameAt = from + this.#keyFromProperties;
    const startsPair = nameAt === from || bytes[nameAt - 1] === VALUE_END;
    if (!startsPair || !isUniqueKey(bytes, nameAt, end)) {
      nameAt = from;
      while (nameAt < end && !isUniqueKey(bytes, nameAt, end)) nameAt = endOfPair(bytes, nameAt, end) + 1;
      if (nameAt >= end) {
        this.keyAt = -1;
        this.keyLength = 0;
        return;
      }
      this.#keyFromProperties = nameAt - from;
    }
    this.keyAt = nameAt + UNIQUE_KEY.length;
    this.keyLength = endOfPair(bytes, this.keyAt, end) - this.keyAt;
  }
}

function isUniqueKey(bytes: Uint8Array, at: number, end: number): boolean {
  if (at + UNIQUE_KEY.length > end) return false;
  for (let index = 0; index < UNIQUE_KEY.length; index++) {
    if (bytes[at + index] !== UNIQUE_KEY[index]) return false;
  }
  return true;
}

function endOfPair(bytes: Uint8Array, from: number, end: number): number {
  let at = from;
  while (at < end && bytes[at] !== VALUE_END) at++;
  return at;
}

function uint16(bytes: Uint8Array, at: number): number {
  return ((bytes[at] as number) << 8) | (bytes[at + 1] as number);
}

/** Exact below 2^53. */
function int64(bytes: Uint8Array, at: number): number {
  return int32(bytes, at) * 2 ** 32 + (int32(bytes, at + 4) >>> 0);
}

function int32(bytes: Uint8Array, at: number): number {
  return (
    ((bytes[at] as number) << 24) |
    ((bytes[at + 1] as number) << 16) |
    ((bytes[at + 2] as number) << 8) |
    (bytes[at + 3] as number)
  );
}
