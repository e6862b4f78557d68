/**
 * Cuts the log's bytes, as they come from a master in pieces of any length, into whole records: only those enter the
 * slave's log, so that it ends behind a record at any moment, whatever happens. Each record must be sound and name its
 * own position, or the stream is not the log of which this is a copy.
 */
import { MAX_QUEUES_PER_TOPIC } from '../../lib/limits.ts';
import { LITE_QUEUE_ID } from '../../lib/lite-names.ts';
import { isFolderName } from '../../lib/names.ts';
import {
  BLANK_BYTES,
  BODY_CRC,
  MAGIC_BLANK,
  MAGIC_V1,
  MAGIC_V2,
  QUEUE_ID,
  QUEUE_OFFSET,
} from '../../record/layout.ts';
import { SecondQueueReader } from '../../record/second-queue.ts';
import { magicOf, physicalOffsetOf, RecordParts, storeTimestampOf, totalSizeOf } from '../../record/view.ts';
import type { KnownQueues } from './known-queues.ts';

/** Size and magic: what tells whether a whole record is there. */
const HEAD_BYTES = 8;
const FIRST_BYTES = 256 * 1024;

export interface CutterParts {
  fileSize: number;
  /** Largest record that the log takes. */
  maxRecord: number;
  known: KnownQueues;
  /** CRC-32 (unsigned) of a range. */
  crc: (bytes: Uint8Array, offset: number, length: number) => number;
}

/** A queue of which a record tells before anybody else has. */
export interface UnknownQueue {
  topic: string;
  queueId: number;
}

export class RecordCutter {
  /** Position of the first byte that has not been taken. */
  position: number;
  /** Why the stream is no log; undefined = it is. */
  fault: string | undefined;
  /** The queue of the next record, when nobody knows it yet: nothing is cut until it is known. */
  unknown: UnknownQueue | undefined;
  /** Of the run that `cut` has found: its bytes are `bytes[from, from + length)`. */
  from = 0;
  length = 0;
  /** Messages in it, and store time of the last one; 0 = it has none. */
  count = 0;
  storeTimestamp = 0;
  bytes = new Uint8Array(FIRST_BYTES);
  #view = new DataView(this.bytes.buffer);
  /** What has come and was not taken: bytes[#start, #end). */
  #start = 0;
  #end = 0;
  readonly #parts: CutterParts;
  readonly #record = new RecordParts();
  readonly #second = new SecondQueueReader();

  constructor(position: number, parts: CutterParts) {
    this.position = position;
    this.#parts = parts;
  }

  /** Bytes of the longest thing in a log: the unused rest of a file, left by the largest record. */
  get largest(): number {
    return this.#parts.maxRecord + BLANK_BYTES;
  }

  /** Bytes that wait here. */
  get held(): number {
    return this.#end - this.#start;
  }

  /** The next bytes of the stream. */
  push(bytes: Uint8Array): void {
    if (this.#end + bytes.length > this.bytes.length) this.#makeRoom(bytes.length);
    this.bytes.set(bytes, this.#end);
    this.#end += bytes.length;
  }

  /**
   * Finds the next run of whole records, `limit` bytes or one record, in one file. False when there is none yet, or
   * none any more (`fault`, `unknown`). The run is there until `take`.
   */
  cut(limit: number): boolean {
    this.from = this.#start;
    this.length = 0;
    this.count = 0;
    this.storeTimestamp = 0;
    this.unknown = undefined;
    while (this.fault === undefined && this.#one(limit));
    return this.length > 0;
  }

  /** The run is in the log. */
  take(): void {
    this.#start += this.length;
    this.position += this.length;
    this.length = 0;
  }

  /** Takes one more record into the run; false when that ends before it. */
  #one(limit: number): boolean {
    const at = this.#start + this.length;
    const position = this.position + this.length;
    const left = this.#end - at;
    const used = position % this.#parts.fileSize;
    if (left < HEAD_BYTES || (used === 0 && this.length > 0)) return false;
    const magic = magicOf(this.#view, at);
    const size = totalSizeOf(this.#view, at);
    const isBlank = magic === MAGIC_BLANK;
    if (!isBlank && magic !== MAGIC_V1 && magic !== MAGIC_V2)
      return this.#no(position, 'holds no record at its beginning');
    if (!this.#fits(size, used, isBlank)) return this.#no(position, `has a record of ${size} bytes`);
    // Longer than the limit is only what comes alone: the way to the writer has room for the largest, and no more.
    if (left < size || (this.length > 0 && this.length + size > limit)) return false;
    if (!isBlank && !this.#isRecord(at, size, position)) return false;
    this.length += size;
    return true;
  }

  #fits(size: number, used: number, isBlank: boolean): boolean {
    const { fileSize, maxRecord } = this.#parts;
    if (isBlank) return size === fileSize - used && size <= this.largest;
    return size > HEAD_BYTES && size <= maxRecord && used + size + BLANK_BYTES <= fileSize;
  }

  #isRecord(at: number, size: number, position: number): boolean {
    const { known, crc } = this.#parts;
    const view = this.#view;
    const record = this.#record;
    if (!record.locate(view, at, at + size) || record.size !== size)
      return this.#no(position, 'has a record whose parts do not add up');
    if (physicalOffsetOf(view, at) !== position)
      return this.#no(position, `has a record of position ${physicalOffsetOf(view, at)}`);
    const { bodyOffset, bodyLength, topicOffset, topicLength } = record;
    const sum = bodyLength === 0 ? 0 : crc(this.bytes, bodyOffset, bodyLength) & 0x7fffffff;
    if (bodyLength > 0 && sum !== view.getInt32(at + BODY_CRC))
      return this.#no(position, 'has a record whose body was damaged on the way');
    if (view.getInt32(at + QUEUE_OFFSET) < 0)
      return this.#no(position, 'has a record of a number in its queue below 0');
    const queueId = view.getInt32(at + QUEUE_ID);
    if (!known.has(this.bytes, topicOffset, topicLength, queueId)) {
      const topic = Buffer.from(this.bytes.buffer, topicOffset, topicLength);
      return this.#isUnknown(position, topic, queueId);
    }
    // A message of a lite topic goes to a second queue, which the dispatcher must know as well.
    const second = this.#second;
    if (second.read(this.bytes, view, at, size) && !known.hasQueue(second.name, LITE_QUEUE_ID))
      return this.#isUnknown(position, Buffer.from(second.name), LITE_QUEUE_ID);
    this.count++;
    this.storeTimestamp = storeTimestampOf(view, at);
    return true;
  }

  /** The names become folders: nothing is asked for that a broker could not have. */
  #isUnknown(position: number, name: Buffer, queueId: number): false {
    const topic = name.toString('utf8');
    const canBe = isFolderName(topic) && name.equals(Buffer.from(topic));
    if (!canBe || queueId < 0 || queueId >= MAX_QUEUES_PER_TOPIC)
      return this.#no(position, 'has a record of a topic or queue that cannot be');
    this.unknown = { topic, queueId };
    return false;
  }

  #no(position: number, what: string): false {
    if (this.length === 0) this.fault = `what the master sends for position ${position} ${what}`;
    return false;
  }

  #makeRoom(more: number): void {
    const { held } = this;
    const target = held + more > this.bytes.length ? new Uint8Array((held + more) * 2) : this.bytes;
    target.set(this.bytes.subarray(this.#start, this.#end));
    this.bytes = target;
    this.#view = new DataView(target.buffer);
    this.#start = 0;
    this.#end = held;
  }
}
