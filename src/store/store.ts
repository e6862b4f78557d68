/**
 * The store as a library: everything inline in the caller's thread, without network or workers. `append` writes,
 * `flush` makes durable, `dispatch` makes visible; the broker runs the same parts in threads of their own.
 */
import { totalmem } from 'node:os';
import { join } from 'node:path';
import { unreachable } from '../lib/assert.ts';
import { type Clock, systemClock } from '../lib/clock.ts';
import { LITE_QUEUE_ID } from '../lib/lite-names.ts';
import { encodeRecord, type RecordHead } from '../record/encode.ts';
import { encodeProperties } from '../record/properties.ts';
import { secondDigitsIn, setSecondQueue } from '../record/second-queue.ts';
import { type Bulk, plainBulk } from '../ring/bulk.ts';
import { APPENDED, APPENDED_TIME, DISPATCHED, LOG_START, Positions } from '../ring/positions.ts';
import { Watermark } from '../ring/watermark.ts';
import type { Appended } from './appended.ts';
import type { Disk } from './disk/disk.ts';
import { nativeDisk } from './disk/native-disk.ts';
import { beginAt, Dispatcher } from './dispatch/dispatcher.ts';
import { DEFAULT_DELAY_LEVELS, parseDelayLevels } from './dispatch/schedule-time.ts';
import { IndexReader } from './index/index-reader.ts';
import { KeyIndex } from './index/key-index.ts';
import { APPENDED_OK, CommitLog } from './log/commit-log.ts';
import { Flusher } from './log/flusher.ts';
import { Segments } from './log/segments.ts';
import { OpenStore } from './opening.ts';
import { confirmedBy, DEFAULT_STORE_OPTIONS, type StoreOptions } from './options.ts';
import { storePaths } from './paths.ts';
import { QueueDirectory } from './queue/queue-directory.ts';
import { QueueTable } from './queue/queue-table.ts';
import { walkLog } from './read/log-walk.ts';
import { PullReader, type ReaderQueue } from './read/pull-reader.ts';
import { QueueFiles } from './read/queue-files.ts';
import { StoreReader } from './read/store-reader.ts';
import { followLogStart } from './retention/follow-log.ts';

export interface StoreSetup {
  /** Root directory; made when missing. */
  directory: string;
  options?: Partial<StoreOptions>;
  disk?: Disk;
  clock?: Clock;
  /** messageDelayLevel */
  delayLevels?: string;
  progress?: (line: string) => void;
  warn?: (line: string) => void;
  /** Fresh memory for the state of queues; default: room for as many as there can be. */
  queueDirectory?: QueueDirectory;
  /** Whether dispatch reads the end of the log in the writer's memory, where that has it; default true. */
  readsRecent?: boolean;
}

export interface NewMessage {
  head: RecordHead;
  body: Uint8Array;
  /** Encoded: `name \x01 value \x02 …` */
  properties: string;
}

interface KnownQueue extends ReaderQueue {
  readonly topic: string;
  readonly queueId: number;
}

export function storeOptions(directory: string, given: Partial<StoreOptions> = {}): StoreOptions {
  return { ...DEFAULT_STORE_OPTIONS, directory, commitLogDirectory: join(directory, 'commitlog'), ...given };
}

/** Opens (and recovers) a store for use in this thread alone. */
export function openStore(setup: StoreSetup): Store {
  return new Store(setup);
}

export class Store {
  readonly options: StoreOptions;
  readonly positions = new Positions();
  readonly directory: QueueDirectory;
  readonly pull: PullReader;
  readonly reader: StoreReader;
  readonly #disk: Disk;
  readonly #clock: Clock;
  readonly #queues = new Map<string, KnownQueue>();
  #lastId = 0;
  readonly #segments: Segments;
  readonly #log: CommitLog;
  readonly #flusher: Flusher;
  readonly #table: QueueTable;
  readonly #index: KeyIndex | undefined;
  readonly #dispatcher: Dispatcher;
  readonly #opened: OpenStore;
  #scratch = plainBulk(64 * 1024);

  constructor(setup: StoreSetup) {
    this.#disk = setup.disk ?? nativeDisk;
    this.#clock = setup.clock ?? systemClock;
    this.options = storeOptions(setup.directory, setup.options);
    this.directory = setup.queueDirectory ?? QueueDirectory.plain();
    const { options, positions, directory } = this;
    const delayMillis = parseDelayLevels(setup.delayLevels ?? DEFAULT_DELAY_LEVELS);
    this.#opened = OpenStore.open({
      disk: this.#disk,
      options,
      positions,
      directory,
      clock: this.#clock,
      delayMillis,
      idOf: (topic, queueId) => this.#queue(topic, queueId).id,
      queues: () => this.#queues.values(),
      progress: setup.progress ?? (() => {}),
      warn: setup.warn ?? (() => {}),
    });
    const { commitLogDirectory, mappedFileSizeCommitLog, preallocateBytes } = options;
    this.#segments = new Segments(this.#disk, commitLogDirectory, mappedFileSizeCommitLog, preallocateBytes);
    this.#log = new CommitLog(this.#segments, positions, this.directory, {
      position: positions.get(APPENDED),
      storeTimestamp: positions.get(APPENDED_TIME),
    });
    this.#flusher = new Flusher(
      new Segments(this.#disk, commitLogDirectory, mappedFileSizeCommitLog),
      positions,
    );
    const queueRoot = storePaths.consumeQueue(options.directory);
    this.#table = new QueueTable(this.#disk, queueRoot, options.mappedFileSizeConsumeQueue, this.directory);
    for (const { topic, queueId, id, lastPhysicalEnd } of this.#opened.recovered.queues) {
      this.#table.add(topic, queueId, id, lastPhysicalEnd);
    }
    const geometry = { slots: options.maxHashSlotNum, entries: options.maxIndexNum };
    const indexDirectory = storePaths.index(options.directory);
    this.#index = options.messageIndexEnable
      ? new KeyIndex(this.#disk, indexDirectory, geometry, this.#clock)
      : undefined;
    const confirmed = new Watermark(positions, confirmedBy(options));
    this.#dispatcher = new Dispatcher({
      segments: this.#segments,
      recent: setup.readsRecent === false ? undefined : this.#log.recent,
      positions,
      queues: this.#table,
      directory,
      index: this.#index,
      bound: confirmed,
      delayMillis,
      onArrival: () => {},
      onUnknownQueue: () => undefined,
      onGap: (queue, offset) =>
        beginAt(queue, offset, directory) || unreachable(`${queue.topic}/${queue.queueId} has a gap`),
    });
    const index = this.#index && new IndexReader(this.#disk, indexDirectory, geometry);
    this.pull = new PullReader(this.#segments, positions, this.directory, totalmem() * 0.4);
    this.reader = new StoreReader(this.#segments, positions, confirmed, this.directory, index, (topic) =>
      this.#opened.starts.of(topic),
    );
  }

  /** Appends one message; it is neither durable nor visible yet. Throws when the log has no room for it. */
  append(topic: string, head: RecordHead, body: Uint8Array, properties: string): Appended {
    return this.appendBatch(topic, head.queueId, [{ head, body, properties }]);
  }

  /**
   * Appends one message that goes to a second queue too, that of a lite topic: its name becomes a property, as does the
   * message's number there.
   */
  appendTwice(
    topic: string,
    head: RecordHead,
    body: Uint8Array,
    properties: ReadonlyMap<string, string>,
    second: string,
  ): Appended & { secondOffset: number } {
    const all = new Map(properties);
    setSecondQueue(all, second);
    const [queue, secondQueue] = [
      this.#appendable(topic, head.queueId),
      this.#appendable(second, LITE_QUEUE_ID),
    ];
    const encoded = Buffer.from(encodeProperties(all));
    const record = encodeRecord(head, Buffer.from(topic), body, encoded);
    this.#scratchFor(record.length).bytes.set(record);
    const digits = record.length - encoded.length + secondDigitsIn(encoded);
    this.#log.setTime(this.#clock.now());
    const secondOffset = this.directory.next(secondQueue.id);
    this.#finish(
      this.#log.appendTwice(this.#scratch, 0, record.length, queue.id, secondQueue.id, digits),
      record.length,
    );
    return { queueOffset: this.#log.queueOffset, physicalOffset: this.#log.physicalOffset, secondOffset };
  }

  /** Appends messages to one queue, all or none, one behind the other in one file; returns where the first went. */
  appendBatch(topic: string, queueId: number, messages: readonly NewMessage[]): Appended {
    const queue = this.#appendable(topic, queueId);
    const topicBytes = Buffer.from(topic);
    const records = messages.map(({ head, body, properties }) =>
      encodeRecord({ ...head, queueId }, topicBytes, body, Buffer.from(properties)),
    );
    const size = records.reduce((sum, record) => sum + record.length, 0);
    const scratch = this.#scratchFor(size);
    let at = 0;
    for (const record of records) {
      scratch.bytes.set(record, at);
      at += record.length;
    }
    this.#log.setTime(this.#clock.now());
    this.#finish(this.#log.appendBatch(scratch, 0, size, records.length, queue.id), size);
    return { queueOffset: this.#log.queueOffset, physicalOffset: this.#log.physicalOffset };
  }

  #scratchFor(size: number): Bulk {
    if (size > this.#scratch.bytes.length) this.#scratch = plainBulk(size * 2);
    return this.#scratch;
  }

  /** Shows what was appended; throws when it was not. */
  #finish(outcome: number, size: number): void {
    if (outcome !== APPENDED_OK) {
      throw new Error(`the log cannot take records of ${size} bytes (errno ${this.#segments.lastError})`);
    }
    if (!this.#log.publish()) throw new Error(`the log could not be written (errno ${this.#log.fault})`);
  }

  /** The queue, known to the dispatcher from now on. */
  #appendable(topic: string, queueId: number): KnownQueue {
    const queue = this.#queue(topic, queueId);
    if (this.#table.byName(topic)?.queues[queueId] === undefined) {
      this.#table.add(topic, queueId, queue.id).bornAt = this.#opened.starts.bornAt(topic);
    }
    return queue;
  }

  /** Makes everything appended durable. */
  flush(): void {
    this.#flusher.doWork();
    if (this.positions.halted) throw new Error('the log could not be synced');
  }

  /** Enters everything that may be seen in queues and index. */
  dispatch(): void {
    while (this.#dispatcher.doWork() > 0);
    if (this.positions.halted) throw new Error('queues or index could not be written');
  }

  /** The queue for `pull` and `reader`; undefined when nothing was ever put there. */
  queue(topic: string, queueId: number): ReaderQueue | undefined {
    return this.#queues.get(`${topic}/${queueId}`);
  }

  /** All queues that messages were ever put to and that were not deleted with their topic. */
  queues(): Iterable<{ topic: string; queueId: number; id: number }> {
    return this.#queues.values();
  }

  /** Copies of all dispatched records from a position of the log on. Throws where none starts or can be read. */
  records(from = 0): Generator<Uint8Array, void, undefined> {
    return walkLog(this.#segments, this.positions, this.reader, from);
  }

  /**
   * Deletes a topic's queues; a message to it makes a topic anew, whose queues count from 0. Throws when the disk
   * refuses; nothing is deleted then, but the queues take no more messages until the store is opened again.
   */
  deleteTopic(topic: string): void {
    const queues = [...this.#queues.values()].filter((queue) => queue.topic === topic);
    for (const { id } of queues) this.#log.retire(id);
    this.#opened.endTopic(topic, this.#log.position);
    for (const { files, queueId } of queues) {
      files.close();
      this.#queues.delete(`${topic}/${queueId}`);
    }
    this.#table.delete(topic);
    this.#disk.remove(join(storePaths.consumeQueue(this.options.directory), topic));
  }

  /**
   * Lets go of all messages that the topic has: they are found no more, and its queues go on counting. Throws when the
   * disk refuses; nothing is purged then.
   */
  purgeTopic(topic: string): void {
    this.dispatch();
    this.#opened.purgeTopic(topic, this.positions.get(DISPATCHED));
    const { options, directory } = this;
    const queues = [...this.#queues.values()];
    const { purges } = this.#opened.starts;
    followLogStart(this.#disk, options, directory, queues, this.positions.get(LOG_START), purges);
  }

  /** Lets go of the store after a failure of the disk; the next opening recovers. */
  abandon(): void {
    this.#opened.abandon();
  }

  /** Notes how far queues are durable, so that recovery after a crash starts there. */
  checkpoint(): Promise<boolean> {
    return this.#opened.checkpoint();
  }

  /** Flushes, dispatches and closes; resolves whether the stop counts as clean. */
  async close(): Promise<boolean> {
    this.flush();
    this.dispatch();
    this.#index?.sync();
    const clean = await this.#opened.close();
    for (const queue of this.#queues.values()) queue.files.close();
    this.#table.close();
    this.#index?.close();
    this.#segments.close();
    return clean;
  }

  #queue(topic: string, queueId: number): KnownQueue {
    const key = `${topic}/${queueId}`;
    let queue = this.#queues.get(key);
    if (queue === undefined) {
      const { options } = this;
      const root = storePaths.consumeQueue(options.directory);
      queue = {
        topic,
        queueId,
        id: ++this.#lastId,
        files: new QueueFiles(this.#disk, root, options.mappedFileSizeConsumeQueue, topic, queueId),
      };
      this.#queues.set(key, queue);
    }
    return queue;
  }
}
