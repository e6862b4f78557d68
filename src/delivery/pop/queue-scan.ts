/** Looks for messages of a queue that a pop wants. Runs in the delivery agent: a bounded number at a time. */
import { RecordParts } from '../../record/view.ts';
import type { TagFilter } from '../../store/read/pull-reader.ts';
import type { QueueEntry, StoreReads } from '../../store/read/store-reads.ts';

/** Entries that are looked at for one pop when few match: by tag, as a pull does; by properties, which are read. */
export const MAX_SCANNED = 800;
const MAX_LOOKED = 128;
/** The same of all queues that one pop goes through: the others are for the next one. */
const QUEUES_SCANNED = 8;
/** Entries read together when every message is wanted, and otherwise. */
const TOGETHER = 32;
const TOGETHER_FILTERED = 256;
/** Bytes of messages in one answer, but for the first one (as RocketMQ). */
export const MAX_POPPED_BYTES = 256 * 1024;

/** Entries that one pop may look at. */
export function mostLooked(filter: TagFilter | undefined): number {
  return QUEUES_SCANNED * (filter?.properties === undefined ? MAX_SCANNED : MAX_LOOKED);
}

export interface Scanned {
  offsets: number[];
  /** Position and size of each record. */
  records: number[];
  bytes: number;
  /** Offset of the first entry that was not looked at. */
  next: number;
  /** There may be more that match, which were not looked at. */
  more: boolean;
}

export class QueueScan {
  readonly #store: Pick<StoreReads, 'readQueue' | 'recordAt' | 'maxOffset' | 'minPhysicalOffset'>;
  readonly #parts = new RecordParts();

  constructor(store: Pick<StoreReads, 'readQueue' | 'recordAt' | 'maxOffset' | 'minPhysicalOffset'>) {
    this.#store = store;
  }

  /**
   * Up to `count` messages from `from` on with at most `room` bytes; the first of an answer may be longer. Throws
   * `Unreadable`.
   */
  scan(
    topic: string,
    queueId: number,
    from: number,
    count: number,
    room: number,
    filter: TagFilter | undefined,
  ): Scanned {
    const store = this.#store;
    const end = store.maxOffset(topic, queueId);
    const most = filter?.properties === undefined ? MAX_SCANNED : MAX_LOOKED;
    const last = Math.min(end, from + Math.max(most, count));
    const together = filter === undefined ? Math.min(TOGETHER, count) : TOGETHER_FILTERED;
    const found: Scanned = { offsets: [], records: [], bytes: 0, next: from, more: false };
    while (found.next < last && found.offsets.length < count) {
      const entries = store.readQueue(topic, queueId, found.next, Math.min(together, last - found.next));
      if (entries.length === 0) break;
      if (!this.#take(entries, found, count, room, filter)) break;
    }
    found.more = found.next < end;
    return found;
  }

  /** False when there is no room for the next one. */
  #take(
    entries: readonly QueueEntry[],
    found: Scanned,
    count: number,
    room: number,
    filter: TagFilter | undefined,
  ): boolean {
    const start = this.#store.minPhysicalOffset;
    for (const entry of entries) {
      if (found.offsets.length >= count) return false;
      const { queueOffset, physicalOffset, size } = entry;
      const isWanted = physicalOffset >= start && this.#matches(entry, filter);
      const isFirst = found.bytes === 0 && room === MAX_POPPED_BYTES;
      if (isWanted && !isFirst && found.bytes + size > room) return false;
      found.next = queueOffset + 1;
      if (!isWanted) continue;
      found.offsets.push(queueOffset);
      found.records.push(physicalOffset, size);
      found.bytes += size;
    }
    return true;
  }

  #matches({ tagsCode, physicalOffset }: QueueEntry, filter: TagFilter | undefined): boolean {
    if (filter === undefined) return true;
    if (!filter.matches(Number(BigInt.asIntN(32, tagsCode)))) return false;
    if (filter.properties === undefined) return true;
    const record = this.#store.recordAt(physicalOffset);
    if (record === undefined) return false;
    const parts = this.#parts;
    const view = new DataView(record.buffer, record.byteOffset, record.length);
    // What is no whole record is for whoever reads it to find out.
    if (!parts.locate(view, 0, record.length)) return true;
    const { propertiesOffset: at, propertiesLength } = parts;
    return filter.properties.matches(record, at, at + propertiesLength);
  }
}
