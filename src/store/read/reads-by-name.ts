/** The store by topic and queue id, for threads that read it now and then: through the files that all threads see. */

import {
  APPENDED,
  APPENDED_TIME,
  DISPATCHED,
  FLUSHED,
  LOG_START,
  MESSAGES_APPENDED,
  type Positions,
} from '../../ring/positions.ts';
import { Watermark } from '../../ring/watermark.ts';
import { nativeDisk } from '../disk/native-disk.ts';
import { ReadAhead } from '../log/read-ahead.ts';
import { UnmappedLog } from '../log/unmapped-log.ts';
import { confirmedBy, type StoreOptions } from '../options.ts';
import { storePaths } from '../paths.ts';
import type { QueueDirectory } from '../queue/queue-directory.ts';
import type { QueueLookup } from '../queue/queue-ids.ts';
import { KnownTimes } from './known-times.ts';
import type { ReaderQueue } from './pull-reader.ts';
import { QueueFiles } from './queue-files.ts';
import { StoreReader } from './store-reader.ts';
import type { QueueEntry, StoreReads } from './store-reads.ts';

export class ReadsByName implements StoreReads {
  readonly #options: StoreOptions;
  readonly #positions: Positions;
  readonly #directory: QueueDirectory;
  readonly #ids: QueueLookup;
  readonly #log: UnmappedLog;
  readonly #reader: StoreReader;
  readonly #queues = new Map<number, ReaderQueue>();
  readonly #times = new KnownTimes();

  constructor(options: StoreOptions, positions: Positions, directory: QueueDirectory, ids: QueueLookup) {
    this.#options = options;
    this.#positions = positions;
    this.#directory = directory;
    this.#ids = ids;
    this.#log = new UnmappedLog(nativeDisk, options.commitLogDirectory, options.mappedFileSizeCommitLog);
    const shown = new Watermark(positions, confirmedBy(options));
    const log = new ReadAhead(this.#log, () => shown.position);
    this.#reader = new StoreReader(log, positions, shown, directory, undefined);
  }

  minOffset(topic: string, queueId: number): number {
    const id = this.#ids.find(topic, queueId);
    return id === undefined ? 0 : this.#directory.minimum(id);
  }

  maxOffset(topic: string, queueId: number): number {
    const id = this.#ids.find(topic, queueId);
    return id === undefined ? 0 : this.#directory.maximum(id);
  }

  /** The queue's end, and the bytes of the records dispatched to it since the start. */
  arrived(topic: string, queueId: number): { messages: number; bytes: number } {
    const id = this.#ids.find(topic, queueId);
    if (id === undefined) return { messages: 0, bytes: 0 };
    return { messages: this.#directory.maximum(id), bytes: this.#directory.bytes(id) };
  }

  /** Adds to `counts` how many records of each size (RECORD_SIZE_BOUNDS) the queue has got since the start. */
  addCountsTo(counts: number[], topic: string, queueId: number): void {
    const id = this.#ids.find(topic, queueId);
    if (id !== undefined) this.#directory.addCountsTo(counts, id);
  }

  offsetByTime(topic: string, queueId: number, timestamp: number, boundary: 'LOWER' | 'UPPER'): number {
    const queue = this.#queue(topic, queueId);
    return queue === undefined ? 0 : this.#reader.offsetByTime(queue, timestamp, boundary);
  }

  /** Store time in ms of the message at a queue offset, or -1: there is none, or it cannot be read. */
  storeTimeAt(topic: string, queueId: number, queueOffset: number): number {
    const id = this.#ids.find(topic, queueId);
    if (id === undefined || queueOffset < this.#directory.minimum(id)) return -1;
    const known = this.#times.get(id, queueOffset);
    if (known !== undefined) return known;
    const queue = this.#queue(topic, queueId);
    const time = queue === undefined ? -1 : this.#reader.storeTimeAt(queue, queueOffset);
    if (time > 0) this.#times.note(id, queueOffset, time);
    return time;
  }

  readQueue(topic: string, queueId: number, queueOffset: number, count: number): QueueEntry[] {
    const queue = this.#queue(topic, queueId);
    return queue === undefined ? [] : this.#reader.readQueue(queue, queueOffset, count);
  }

  recordSize(physicalOffset: number): number {
    return this.#reader.recordSize(physicalOffset);
  }

  recordAt(physicalOffset: number): Uint8Array | undefined {
    return this.#reader.recordAt(physicalOffset);
  }

  /** Store time in ms of the record that starts at this position, or -1. */
  storeTimeOf(physicalOffset: number): number {
    return this.#reader.storeTimeOf(physicalOffset);
  }

  get minPhysicalOffset(): number {
    return this.#positions.get(LOG_START);
  }

  get maxPhysicalOffset(): number {
    return this.#positions.get(APPENDED);
  }

  /** Bytes of log that queues and index do not show yet. */
  get dispatchBehind(): number {
    return this.#positions.get(APPENDED) - this.#positions.get(DISPATCHED);
  }

  get newestStoreTime(): number {
    return this.#positions.get(APPENDED_TIME);
  }

  /** Bytes of log that a power cut could take back. */
  get flushBehind(): number {
    return this.#positions.get(APPENDED) - this.#positions.get(FLUSHED);
  }

  /** Messages appended since the start. */
  get messagesAppended(): number {
    return this.#positions.get(MESSAGES_APPENDED);
  }

  /** Store time in ms of the oldest message of the log, or -1. */
  get earliestStoreTime(): number {
    return this.#reader.storeTimeOf(this.minPhysicalOffset);
  }

  /** Forgets a deleted topic's files. */
  forget(ids: readonly number[]): void {
    for (const id of ids) {
      this.#queues.get(id)?.files.close();
      this.#queues.delete(id);
      this.#times.forget(id);
    }
  }

  /** Forgets files that retention has deleted. */
  dropDeleted(): void {
    this.#log.dropBefore(this.#positions.get(LOG_START));
  }

  close(): void {
    for (const queue of this.#queues.values()) queue.files.close();
    this.#log.close();
  }

  #queue(topic: string, queueId: number): ReaderQueue | undefined {
    const id = this.#ids.find(topic, queueId);
    if (id === undefined) return undefined;
    let queue = this.#queues.get(id);
    if (queue === undefined) {
      const root = storePaths.consumeQueue(this.#options.directory);
      const { mappedFileSizeConsumeQueue } = this.#options;
      queue = { id, files: new QueueFiles(nativeDisk, root, mappedFileSizeConsumeQueue, topic, queueId) };
      this.#queues.set(id, queue);
    }
    return queue;
  }
}
