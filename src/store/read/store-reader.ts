/** Single reads of the store by position, offset, time or key: any thread, off the hot path. */
import { javaHashCode } from '../../lib/java-hash.ts';
import { MAGIC_V1, MAGIC_V2 } from '../../record/layout.ts';
import {
  PROPERTY_KEYS,
  PROPERTY_TAGS,
  PROPERTY_UNIQUE_KEY,
  parseProperties,
} from '../../record/properties.ts';
import { magicOf, physicalOffsetOf, RecordParts, storeTimestampOf, totalSizeOf } from '../../record/view.ts';
import { DISPATCHED, LOG_START, type Positions } from '../../ring/positions.ts';
import type { IndexReader } from '../index/index-reader.ts';
import type { Segments } from '../log/segments.ts';
import type { QueueDirectory } from '../queue/queue-directory.ts';
import type { ReaderQueue } from './pull-reader.ts';
import { EntryBlock } from './queue-files.ts';

/** RocketMQ's limit of one query (maxMsgsNumBatch). */
const MAX_QUERY = 64;

export interface QueueEntryFields {
  queueOffset: number;
  physicalOffset: number;
  size: number;
  tagsCode: bigint;
}

export class StoreReader {
  readonly #segments: Segments;
  readonly #positions: Positions;
  readonly #directory: QueueDirectory;
  readonly #index: IndexReader | undefined;
  readonly #bornAt: (topic: string) => number;
  readonly #block = new EntryBlock(256);
  readonly #parts = new RecordParts();

  /** `bornAt`: records of a topic before that position are of a deleted topic of the same name. */
  constructor(
    segments: Segments,
    positions: Positions,
    directory: QueueDirectory,
    index: IndexReader | undefined,
    bornAt: (topic: string) => number = () => 0,
  ) {
    this.#bornAt = bornAt;
    this.#segments = segments;
    this.#positions = positions;
    this.#directory = directory;
    this.#index = index;
  }

  /** A copy of the record that starts at `position`, or undefined when none does. */
  recordAt(position: number): Uint8Array | undefined {
    const size = this.#sizeAt(position);
    const mapping = this.#segments.at(position);
    if (size === 0 || mapping === undefined) return undefined;
    const at = this.#segments.offsetOf(position);
    const record = mapping.bytes.slice(at, at + size);
    // Zeros that the fault guard put in place of what the device could not read are no record.
    return mapping.error() === 0 ? record : undefined;
  }

  /** Entries from `queueOffset` on, fewer at the end. */
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
    return entries;
  }

  /** Store time of the message at a queue offset, or -1. */
  storeTimeAt(queue: ReaderQueue, queueOffset: number): number {
    const inRange =
      queueOffset >= this.#directory.minimum(queue.id) && queueOffset < this.#directory.maximum(queue.id);
    if (!inRange || queue.files.read(queueOffset, 1, this.#block) === 0) return -1;
    const position = this.#block.physicalOffset(0);
    if (this.#sizeAt(position) === 0) return -1;
    const mapping = this.#segments.at(position);
    return mapping === undefined ? -1 : storeTimestampOf(mapping.view, this.#segments.offsetOf(position));
  }

  /**
   * LOWER: first offset whose store time is >= `timestamp`, the maximum when there is none. UPPER: last offset whose
   * store time is <= `timestamp`, the minimum when there is none. Binary search; store times ascend in a queue.
   */
  offsetByTime(queue: ReaderQueue, timestamp: number, boundary: 'LOWER' | 'UPPER'): number {
    const min = this.#directory.minimum(queue.id);
    const max = this.#directory.maximum(queue.id);
    if (max <= min) return boundary === 'LOWER' ? max : Math.max(min, 0);
    const wanted = boundary === 'LOWER' ? timestamp : timestamp + 1;
    let low = min;
    let high = max;
    while (low < high) {
      const middle = low + Math.floor((high - low) / 2);
      if (this.storeTimeAt(queue, middle) >= wanted) high = middle;
      else low = middle + 1;
    }
    return boundary === 'LOWER' ? low : Math.max(low - 1, min);
  }

  /** Records of `topic` with a key, unique key or tag, store time within [begin, end] ms, by ascending position. */
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
    const bornAt = this.#bornAt(topic);
    const accept = (position: number): boolean => {
      if (found.has(position) || position < bornAt) return false;
      const record = this.recordAt(position);
      if (record === undefined || !this.#answers(record, topic, key, indexType, begin, end)) return false;
      found.set(position, record);
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

  /** Size of the record at `position`, 0 when there is none that may be seen. */
  #sizeAt(position: number): number {
    if (position < this.#positions.get(LOG_START) || position + 8 > this.#positions.get(DISPATCHED)) return 0;
    const mapping = this.#segments.at(position);
    const at = this.#segments.offsetOf(position);
    if (mapping === undefined || at + 48 > mapping.size) return 0;
    const magic = magicOf(mapping.view, at);
    const sound =
      (magic === MAGIC_V1 || magic === MAGIC_V2) && physicalOffsetOf(mapping.view, at) === position;
    return sound ? totalSizeOf(mapping.view, at) : 0;
  }
}
