/** Single reads of the store by position, offset, time or key: any thread, off the hot path. */
import { javaHashCode } from '../../lib/java-hash.ts';
import { MAX_QUERY_BYTES, MAX_QUERY_LOOKED_BYTES } from '../../lib/limits.ts';
import { MAGIC_V1, MAGIC_V2 } from '../../record/layout.ts';
import {
  PROPERTY_KEYS,
  PROPERTY_TAGS,
  PROPERTY_UNIQUE_KEY,
  parseProperties,
} from '../../record/properties.ts';
import { magicOf, physicalOffsetOf, RecordParts, storeTimestampOf, totalSizeOf } from '../../record/view.ts';
import { LOG_START, type Positions } from '../../ring/positions.ts';
import type { Watermark } from '../../ring/watermark.ts';
import { ENOENT, Unreadable } from '../disk/errors.ts';
import type { IndexReader } from '../index/index-reader.ts';
import type { LogBytes } from '../log/log-bytes.ts';
import type { QueueDirectory } from '../queue/queue-directory.ts';
import type { ReaderQueue } from './pull-reader.ts';
import { EntryBlock } from './queue-files.ts';

/** RocketMQ's limit of one query (maxMsgsNumBatch). */
const MAX_QUERY = 64;
/** As far as the store timestamp goes, whatever the hosts' addresses are. */
const HEAD_BYTES = 88;
const SMALLEST_RECORD = 48;
/** What is read of a record at first: most are no longer, and need no second read. */
const FIRST_READ = 2_048;

export interface QueueEntryFields {
  queueOffset: number;
  physicalOffset: number;
  size: number;
  tagsCode: bigint;
}

export class StoreReader {
  readonly #log: LogBytes;
  readonly #positions: Positions;
  readonly #shown: Watermark;
  readonly #directory: QueueDirectory;
  readonly #index: IndexReader | undefined;
  readonly #startOf: (topic: string) => number;
  readonly #block = new EntryBlock(256);
  readonly #parts = new RecordParts();
  readonly #head = new Uint8Array(FIRST_READ);
  /** Bytes that the head holds. */
  #held = 0;
  readonly #headView = new DataView(this.#head.buffer);

  /**
   * `shown`: records before it may be seen by their position, also when no queue has them yet. `startOf`: records of a
   * topic before that position are of a deleted topic of the same name, or purged.
   */
  constructor(
    log: LogBytes,
    positions: Positions,
    shown: Watermark,
    directory: QueueDirectory,
    index: IndexReader | undefined,
    startOf: (topic: string) => number = () => 0,
  ) {
    this.#startOf = startOf;
    this.#log = log;
    this.#positions = positions;
    this.#shown = shown;
    this.#directory = directory;
    this.#index = index;
  }

  /** Size of the record that starts at `position` in bytes, 0 when none does. Throws `Unreadable`. */
  recordSize(position: number): number {
    return this.#sizeAt(position);
  }

  /** A copy of the record that starts at `position`, or undefined when none does. Throws `Unreadable`. */
  recordAt(position: number): Uint8Array | undefined {
    const size = this.#sizeAt(position, FIRST_READ);
    if (size === 0) return undefined;
    // From Node's pool: an ArrayBuffer for each record is what the collector of garbage would be busy with.
    const record = Buffer.allocUnsafe(size);
    if (size > this.#held) return this.#copy(position, size, record) ? record : undefined;
    record.set(this.#head.subarray(0, size));
    return record;
  }

  /** Store time in ms of the record that starts at `position`, or -1 when none does. Throws `Unreadable`. */
  storeTimeOf(position: number): number {
    return this.#sizeAt(position) === 0 ? -1 : storeTimestampOf(this.#headView, 0);
  }

  /** Entries from `queueOffset` on, fewer at the end and before one that cannot be read. Throws `Unreadable`. */
  readQueue(queue: ReaderQueue, queueOffset: number, count: number): QueueEntryFields[] {
    const entries: QueueEntryFields[] = [];
    const end = Math.min(this.#directory.maximum(queue.id), queueOffset + count);
    let at = Math.max(queueOffset, this.#directory.minimum(queue.id));
    while (at < end && queue.files.read(at, end - at, this.#block) > 0) {
      for (let i = 0; i < this.#block.count; i++, at++) {
        entries.push({
          queueOffset: at,
          physicalOffset: this.#block.physicalOffset(i),
          size: this.#block.size(i),
          tagsCode: this.#block.tagsCode(i),
        });
      }
    }
    if (entries.length === 0 && at < end && queue.files.errno !== 0) {
      throw new Unreadable(`the ConsumeQueue at entry ${at}`, queue.files.errno);
    }
    return entries;
  }

  /** Store time of the message at a queue offset, or -1: there is none, or it cannot be read. */
  storeTimeAt(queue: ReaderQueue, queueOffset: number): number {
    try {
      return this.#timeAt(queue, queueOffset);
    } catch (error) {
      // One bad message must not keep the figures of all other queues from who asks for them.
      if (error instanceof Unreadable) return -1;
      throw error;
    }
  }

  #timeAt(queue: ReaderQueue, queueOffset: number): number {
    const inRange =
      queueOffset >= this.#directory.minimum(queue.id) && queueOffset < this.#directory.maximum(queue.id);
    if (!inRange) return -1;
    if (queue.files.read(queueOffset, 1, this.#block) === 0) {
      if (queue.files.errno === 0) return -1;
      throw new Unreadable(`the ConsumeQueue at entry ${queueOffset}`, queue.files.errno);
    }
    return this.storeTimeOf(this.#block.physicalOffset(0));
  }

  /**
   * LOWER: first offset whose store time is >= `timestamp`, the maximum when there is none. UPPER: last offset whose
   * store time is <= `timestamp`, the minimum when there is none. Binary search: store times ascend in a queue but for
   * those of a clock that was wrong (`STORE_TIME_LEAD_MS`). These may make the answer smaller, so that messages are
   * seen again, never greater: too late a time does so by itself, and one before the queue's first counts as that.
   * Throws `Unreadable`.
   */
  offsetByTime(queue: ReaderQueue, timestamp: number, boundary: 'LOWER' | 'UPPER'): number {
    const min = this.#directory.minimum(queue.id);
    const max = this.#directory.maximum(queue.id);
    if (max <= min) return boundary === 'LOWER' ? max : Math.max(min, 0);
    const wanted = boundary === 'LOWER' ? timestamp : timestamp + 1;
    const first = this.storeTimeAt(queue, min);
    let low = min;
    let high = max;
    while (low < high) {
      const middle = low + Math.floor((high - low) / 2);
      const time = this.#timeAt(queue, middle);
      if (time >= wanted || time < first) high = middle;
      else low = middle + 1;
    }
    return boundary === 'LOWER' ? low : Math.max(low - 1, min);
  }

  /**
   * Records of `topic` with a key, unique key or tag, store time within [begin, end] ms, by ascending position: the
   * newest that `maxCount` and the limits MAX_QUERY_… leave. Throws `Unreadable` when one that may be among them cannot
   * be read: an answer without it would say that it is not there.
   */
  query(
    topic: string,
    key: string,
    maxCount: number,
    begin: number,
    end: number,
    indexType: string,
  ): { records: Uint8Array[]; indexLastUpdateTimestamp: number; indexLastUpdatePhyoffset: number } {
    if (this.#index === undefined)
      return { records: [], indexLastUpdateTimestamp: 0, indexLastUpdatePhyoffset: 0 };
    const found = new Map<number, Uint8Array>();
    const indexKey = indexType === 'T' ? `${topic}#T#${key}` : `${topic}#${key}`;
    let bytes = 0;
    let looked = 0;
    const start = this.#startOf(topic);
    const accept = (position: number): boolean => {
      if (position < start || found.has(position)) return false;
      const size = this.#sizeAt(position);
      if (size === 0 || bytes + size > MAX_QUERY_BYTES || looked > MAX_QUERY_LOOKED_BYTES) return false;
      looked += size;
      const record = this.recordAt(position);
      if (record === undefined || !this.#answers(record, topic, key, indexType, begin, end)) return false;
      found.set(position, record);
      bytes += size;
      return true;
    };
    const lookup = this.#index.find(
      javaHashCode(indexKey),
      begin,
      end,
      Math.min(maxCount, MAX_QUERY),
      accept,
    );
    const positions = [...found.keys()].sort((a, b) => a - b);
    return {
      records: positions.map((position) => found.get(position) as Uint8Array),
      indexLastUpdateTimestamp: lookup.lastTimestamp,
      indexLastUpdatePhyoffset: lookup.lastPhysicalOffset,
    };
  }

  /** Whether the record really has the key: hashes of different keys may be equal. */
  #answers(
    record: Uint8Array,
    topic: string,
    key: string,
    indexType: string,
    begin: number,
    end: number,
  ): boolean {
    const view = new DataView(record.buffer, record.byteOffset, record.byteLength);
    const time = storeTimestampOf(view, 0);
    if (time < begin || time > end || !this.#parts.locate(view, 0, record.length)) return false;
    const text = (offset: number, length: number) =>
      Buffer.from(record.buffer, record.byteOffset + offset, length).toString('utf8');
    if (text(this.#parts.topicOffset, this.#parts.topicLength) !== topic) return false;
    const properties = parseProperties(text(this.#parts.propertiesOffset, this.#parts.propertiesLength));
    if (indexType === 'T') return properties.get(PROPERTY_TAGS) === key;
    if (properties.get(PROPERTY_UNIQUE_KEY) === key) return true;
    return properties.get(PROPERTY_KEYS)?.split(' ').includes(key) ?? false;
  }

  /** Size of the record at `position`, 0 when there is none that may be seen; its first bytes are in `#head` then. */
  #sizeAt(position: number, atFirst = HEAD_BYTES): number {
    if (position < this.#positions.get(LOG_START) || position + 8 > this.#shown.position) return 0;
    const left = this.#log.fileSize - this.#log.offsetOf(position);
    if (left < SMALLEST_RECORD) return 0;
    if (!this.#readHead(position, Math.min(atFirst, left), Math.min(HEAD_BYTES, left))) return 0;
    const view = this.#headView;
    const magic = magicOf(view, 0);
    const sound = (magic === MAGIC_V1 || magic === MAGIC_V2) && physicalOffsetOf(view, 0) === position;
    const size = sound ? totalSizeOf(view, 0) : 0;
    return size > left ? 0 : size;
  }

  /** Reads `most` bytes; where they cannot be read, which may be because of the next record, `least`. */
  #readHead(position: number, most: number, least: number): boolean {
    this.#held = most;
    if (most > least && this.#log.copy(position, most, this.#head, 0) === 0) return true;
    this.#held = least;
    return this.#copy(position, least, this.#head);
  }

  /** False when retention has taken the file meanwhile. */
  #copy(position: number, length: number, target: Uint8Array): boolean {
    const errno = this.#log.copy(position, length, target, 0);
    if (errno === 0) return true;
    if (errno === ENOENT && position < this.#positions.get(LOG_START)) return false;
    throw new Unreadable(`the log at position ${position}`, errno);
  }
}
