/**
 * Follows the CommitLog and enters every record in its ConsumeQueue and in the key index. Owner of both.
 *
 * One round: take the bound (what may be seen in the store's mode), step through the records up to it, write each
 * touched queue once, publish the queues' maxima, then the dispatched position, then tell who waits. A record that is
 * already in its queue or in the index is skipped there, so dispatching again after a crash is harmless.
 */
import type { Bytes } from '../../lib/copy-words.ts';
import { LITE_QUEUE_ID } from '../../lib/lite-names.ts';
import { MAGIC_BLANK } from '../../record/layout.ts';
import type { PropertyScan } from '../../record/property-scan.ts';
import { PropertyTemplates } from '../../record/property-templates.ts';
import { hasSecondQueue, secondNumber } from '../../record/second-queue.ts';
import {
  magicOf,
  queueIdOf,
  queueOffsetOf,
  RecordParts,
  storeTimestampOf,
  sysFlagOf,
  totalSizeOf,
} from '../../record/view.ts';
import {
  DISPATCHED,
  DISPATCHED_RECORD,
  DISPATCHED_TIME,
  HALT_DISPATCH_FAILED,
  HALT_LOG_UNREADABLE,
  type Positions,
} from '../../ring/positions.ts';
import type { Watermark } from '../../ring/watermark.ts';
import type { Mapping } from '../disk/disk.ts';
import { isShortage } from '../disk/errors.ts';
import type { LogFollower } from '../follower.ts';
import type { KeyIndex } from '../index/key-index.ts';
import type { RecentLog } from '../log/append-stage.ts';
import { entersQueue } from '../log/commit-log.ts';
import type { Segments } from '../log/segments.ts';
import type { ConsumeQueue } from '../queue/consume-queue.ts';
import type { QueueDirectory } from '../queue/queue-directory.ts';
import type { QueueTable, TopicQueues } from '../queue/queue-table.ts';
import { IndexFollower } from './index-follower.ts';
import { QueueFollower, type QueueFollowerParts } from './queue-follower.ts';

/** Records per round: bounds how long commands and waiters wait. 2^3 bytes of keys take as long as a record. */
const ROUND = 4096;
const KEYS_SHIFT = 3;

export interface DispatcherParts extends QueueFollowerParts {
  segments: Segments;
  /** Of the writer, where that works in the same thread. */
  recent?: RecentLog | undefined;
  positions: Positions;
  queues: QueueTable;
  index: KeyIndex | undefined;
  /** What may be seen. */
  bound: Watermark;
  /**
   * A record whose queue nobody named (a deleted topic, or recovery); returns the queue, or undefined to leave the
   * record out.
   */
  onUnknownQueue: (topic: string, queueId: number) => ConsumeQueue | undefined;
  /**
   * Descriptors, memory or room have run out: the round ends, nothing of it is lost, and the next one tries again.
   * Without this a shortage halts the store like any other failure.
   */
  onShortage?: (errno: number) => void;
}

/** A queue without entries begins at this number, not at 0. False when it has entries. */
export function beginAt(queue: ConsumeQueue, queueOffset: number, directory: QueueDirectory): boolean {
  if (queue.next !== 0) return false;
  queue.fillTo(queueOffset);
  directory.setMinimum(queue.id, queueOffset);
  return true;
}

export class Dispatcher {
  /** Everything before it is in the queues' stages and the index, or has gone on from there. */
  position: number;
  /** Everything before it is written and published. */
  #published: number;
  /** Records that the round may yet take. */
  #left = 0;
  /** The file from which the round has read, and what it has read there. */
  #unsure: Mapping | undefined;
  #unsureFrom = 0;
  #unsureTo = 0;
  readonly #store: DispatcherParts;
  readonly #parts = new RecordParts();
  readonly #properties = new PropertyTemplates();
  readonly #queues: QueueFollower;
  readonly #index: IndexFollower | undefined;
  /** What is written and shown round by round, in this order. */
  readonly #followers: readonly LogFollower[];
  #lastRecord: number;
  #lastTime: number;

  constructor(store: DispatcherParts) {
    this.#store = store;
    this.#queues = new QueueFollower(store);
    this.#index = store.index && new IndexFollower(store.index, store.positions);
    this.#followers = this.#index === undefined ? [this.#queues] : [this.#queues, this.#index];
    this.position = store.positions.get(DISPATCHED);
    this.#published = this.position;
    this.#lastRecord = store.positions.get(DISPATCHED_RECORD);
    this.#lastTime = store.positions.get(DISPATCHED_TIME);
  }

  /** What may be seen now. */
  bound(): number {
    return this.#store.bound.position;
  }

  /** One round, up to `bound`; returns the bytes of log dispatched. */
  doWork(bound = this.bound()): number {
    const start = this.#published;
    // What an earlier round could not write comes first.
    if (this.position === start && !this.#walk(bound)) return 0;
    if (this.position === start || !this.#commit()) return 0;
    this.#publish();
    return this.position - start;
  }

  get behind(): boolean {
    return this.position !== this.#published || this.#store.bound.differs(this.position);
  }

  /** Steps through the records up to `bound`; false, and the store halted, when something could not be read. */
  #walk(bound: number): boolean {
    this.#left = ROUND;
    while (this.#left > 0 && this.position < bound) {
      if (!this.#step()) break;
    }
    return !this.#store.positions.halted && this.#isSound();
  }

  /**
   * The fault guard puts zeros where the device has failed: a record that was read there is none. Nothing of the round
   * is written yet.
   */
  #isSound(): boolean {
    const mapping = this.#unsure;
    this.#unsure = undefined;
    if (mapping === undefined || mapping.error() === 0) return true;
    const from = this.#store.segments.offsetOf(this.#unsureFrom);
    const errno = mapping.error(from, this.#unsureTo - this.#unsureFrom);
    return errno === 0 || this.#halt(errno, HALT_LOG_UNREADABLE);
  }

  /** Dispatches the record at `position`; false when that has to wait, or has failed. */
  #step(): boolean {
    const { segments, recent } = this.#store;
    const found = recent === undefined ? -1 : recent.find(this.position);
    if (recent !== undefined && found >= 0) return this.#take(recent.memory, found);
    const mapping = segments.at(this.position);
    if (mapping === undefined) return this.#failed(segments.lastError);
    if (this.#unsure === undefined) this.#unsureFrom = this.#unsureTo = this.position;
    this.#unsure = mapping;
    return this.#take(mapping, segments.offsetOf(this.position));
  }

  /** The same for the record at `at` of `log`: of a file, or of the writer's memory. */
  #take(log: Bytes, at: number): boolean {
    if (magicOf(log.view, at) === MAGIC_BLANK) return this.#nextFile();
    const size = totalSizeOf(log.view, at);
    if (size <= 0 || !this.#parts.locate(log.view, at, at + size)) {
      return this.#halt(this.#unsure?.error() ?? 0, HALT_LOG_UNREADABLE);
    }
    // Also of a record that is entered in part now, and again in a later round.
    if (log === this.#unsure) this.#unsureTo = this.position + size;
    if (!this.#dispatch(log, at, size)) return false;
    this.#lastRecord = this.position;
    this.position += size;
    return true;
  }

  #nextFile(): boolean {
    const { segments } = this.#store;
    this.position = segments.startOf(this.position) + segments.fileSize;
    if (!this.#isSound()) return false;
    segments.dropBefore(this.position);
    return true;
  }

  /** False when the index cannot take the record's keys yet, or when that has halted the store. */
  #dispatch({ bytes, view }: Bytes, at: number, size: number): boolean {
    const parts = this.#parts;
    const topic = this.#store.queues.topicOf(bytes, parts.topicOffset, parts.topicLength);
    const queue = topic?.queues[queueIdOf(view, at)] ?? this.#unknownQueue(bytes, view, at);
    this.#lastTime = storeTimestampOf(view, at);
    const { propertiesOffset, propertiesLength } = parts;
    const properties = this.#properties.scan(
      bytes,
      view,
      propertiesOffset,
      propertiesOffset + propertiesLength,
    );
    this.#left -= 1 + (properties.keysLength >> KEYS_SHIFT);
    const sysFlag = sysFlagOf(view, at);
    const { position } = this;
    const time = this.#lastTime;
    if (properties.secondLength > 0) this.#enterSecond(bytes, properties, position, size, time);
    // What stands before the birth of its topic is a deleted topic's, in the queue as in the index.
    if (queue === undefined || position < queue.bornAt) return true;
    const found = topic ?? (this.#store.queues.byName(queue.topic) as TopicQueues);
    if (entersQueue(sysFlag)) {
      const offset = queueOffsetOf(view, at);
      this.#queues.enter(found, queue, offset, position, size, time, bytes, properties, propertiesOffset);
    }
    if (this.#index === undefined) return true;
    const outcome = this.#index.enter(found, bytes, properties, propertiesOffset, sysFlag, position, time);
    return outcome >= 0 || this.#failed(-outcome);
  }

  /** Also where the queue itself is not known, or is not built again. */
  #enterSecond(
    bytes: Uint8Array,
    properties: PropertyScan,
    position: number,
    size: number,
    time: number,
  ): void {
    const { topicOffset, topicLength, propertiesOffset: at } = this.#parts;
    if (!hasSecondQueue(bytes, topicOffset, topicLength, properties, at)) return;
    const number = secondNumber(bytes, properties, at);
    const [nameAt, length] = [at + properties.secondOffset, properties.secondLength];
    const topic = this.#store.queues.topicOf(bytes, nameAt, length);
    const queue = topic?.queues[LITE_QUEUE_ID] ?? this.#unknown(bytes, nameAt, length, LITE_QUEUE_ID);
    if (queue === undefined || number < 0 || position < queue.bornAt) return;
    const found = topic ?? (this.#store.queues.byName(queue.topic) as TopicQueues);
    this.#queues.enter(found, queue, number, position, size, time, bytes, properties, at);
  }

  #unknownQueue(bytes: Uint8Array, view: DataView, at: number): ConsumeQueue | undefined {
    const { topicOffset, topicLength } = this.#parts;
    return this.#unknown(bytes, topicOffset, topicLength, queueIdOf(view, at));
  }

  #unknown(bytes: Uint8Array, at: number, length: number, queueId: number): ConsumeQueue | undefined {
    const topic = Buffer.from(bytes.buffer, bytes.byteOffset + at, length).toString('utf8');
    return this.#store.onUnknownQueue(topic, queueId);
  }

  /** Writes what the round has entered; false, and the store halted, when the disk refuses. */
  #commit(): boolean {
    for (const follower of this.#followers) {
      const outcome = follower.commit();
      if (outcome !== 0) return outcome < 0 ? this.#failed(-outcome) : this.#halt(outcome);
    }
    return true;
  }

  /** Maxima before the position, the position before the news: who hears of a message can read it. */
  #publish(): void {
    const { positions } = this.#store;
    for (const follower of this.#followers) follower.publish();
    positions.set(DISPATCHED_TIME, this.#lastTime);
    positions.set(DISPATCHED_RECORD, this.#lastRecord);
    positions.set(DISPATCHED, this.position);
    this.#published = this.position;
    this.#queues.tell();
  }

  #failed(errno: number): false {
    const { onShortage } = this.#store;
    if (onShortage === undefined || !isShortage(errno)) return this.#halt(errno);
    onShortage(errno);
    return false;
  }

  #halt(errno: number, reason = HALT_DISPATCH_FAILED): false {
    this.#store.positions.halt(reason, errno);
    return false;
  }
}
