/**
 * Appending to the CommitLog. One instance exists in the process, owned by the writer: it alone knows the tail, the
 * next offset of each queue and the store timestamp.
 *
 * A record arrives complete but for what depends on its place (queue offset, physical offset, store timestamp, CRC).
 * It is copied to the stage, completed there, and enters the file with its neighbours, the first eight bytes (size and
 * magic) of the first one last: a kill at any instant leaves zeros where the next record would begin, so nothing
 * half-written is ever taken for a message. Behind every record at least 8 bytes stay free for the BLANK marker; a
 * record or batch never spans two files.
 *
 * `append` and `appendBatch` return APPENDED_OK or a negative status and then have changed nothing. What they
 * appended becomes visible to other threads by `publish`, once per drain.
 */
import { writePaddedDecimal } from '../../lib/digits.ts';
import { writeInt64 } from '../../lib/int64.ts';
import {
  BLANK_BYTES,
  BODY_CRC,
  MAGIC,
  MAGIC_BLANK,
  PHYSICAL_OFFSET,
  QUEUE_OFFSET,
  SYS_FLAG,
  SYS_TRANSACTION_MASK,
  SYS_TRANSACTION_PREPARED,
  SYS_TRANSACTION_ROLLBACK,
  TOTAL_SIZE,
} from '../../record/layout.ts';
import { SECOND_DIGITS } from '../../record/second-queue.ts';
import { bodyLengthOffset, storeTimestampOffset } from '../../record/view.ts';
import type { Bulk } from '../../ring/bulk.ts';
import { APPENDED, APPENDED_TIME, MESSAGES_APPENDED, type Positions } from '../../ring/positions.ts';
import type { Mapping } from '../disk/disk.ts';
import type { QueueDirectory } from '../queue/queue-directory.ts';
import { AppendStage, type RecentLog } from './append-stage.ts';
import { LogRoom } from './log-room.ts';
import type { Segments } from './segments.ts';

export const APPENDED_OK = 0;
/** There is no room, or the next file could not be made; the disk may be full (`segments.lastError`). */
export const NO_SEGMENT = -1;
/** Larger than a file: refused. */
export const TOO_LARGE = -2;
/** The queue's topic was deleted. */
export const QUEUE_RETIRED = -3;

/** Raw bytes belong to another position than the end of the log. */
export const OUT_OF_PLACE = -4;
/** The log is a copy of a master's: it takes nothing but what that has written. */
export const IS_COPY = -5;

/** In place of a next offset: the queue takes no more messages. */
const RETIRED = -1;

/**
 * How far store times may be ahead of the clock, ms. After a step back they stand still until the clock has caught up,
 * so that they ascend and searching by time finds what it should. A clock that was wrong by more must not mark the
 * log until it would have been right: store times then go back to the clock, once. Who relies on their order has to
 * stand that (searching by time, the key index, the checkpoint). An hour, as clocks that are set by hand are wrong by
 * up to that.
 */
export const STORE_TIME_LEAD_MS = 3_600_000;

export interface CommitLogState {
  /** End of the last valid record. */
  position: number;
  /** Store timestamp of the last record, ms. */
  storeTimestamp: number;
  /** It is a copy of a master's log: only `appendRaw` appends. */
  isCopy?: boolean;
}

export class CommitLog {
  /** Of the last append: queue offset of the (first) record. */
  queueOffset = 0;
  /** Of the last append: position of the (first) record. */
  physicalOffset = 0;
  /** End of the log: where the next record goes. */
  position: number;
  /** Store timestamp that the next records get, ms. */
  storeTimestamp: number;
  readonly #segments: Segments;
  readonly #stage: AppendStage;
  readonly #roomOnDisk: LogRoom;
  readonly #positions: Positions;
  readonly #queues: QueueDirectory;
  readonly #onRoll: (startOfNewFile: number) => void;
  readonly #isCopy: boolean;
  #messages = 0;

  constructor(
    segments: Segments,
    positions: Positions,
    queues: QueueDirectory,
    state: CommitLogState,
    onRoll: (startOfNewFile: number) => void = () => {},
  ) {
    this.#segments = segments;
    this.#stage = new AppendStage(segments);
    this.#roomOnDisk = new LogRoom(segments);
    this.#positions = positions;
    this.#queues = queues;
    this.#onRoll = onRoll;
    this.#isCopy = state.isCopy ?? false;
    this.position = state.position;
    this.storeTimestamp = state.storeTimestamp;
    this.#messages = positions.get(MESSAGES_APPENDED);
  }

  /** Sets the time of the records to come. It ascends, unless it would be too far ahead of the clock. */
  setTime(now: number): void {
    if (now > this.storeTimestamp || this.storeTimestamp - now > STORE_TIME_LEAD_MS)
      this.storeTimestamp = now;
  }

  /** Appends the record of `size` bytes at source[offset…] to queue `queue`. */
  append(source: Bulk, offset: number, size: number, queue: number): number {
    if (this.#isCopy) return IS_COPY;
    if (this.#queues.next(queue) === RETIRED) return QUEUE_RETIRED;
    const mapping = this.#room(size);
    if (mapping === undefined) return this.#refusal(size);
    this.physicalOffset = this.position;
    this.queueOffset = this.#put(mapping, source, offset, size, queue);
    return APPENDED_OK;
  }

  /**
   * Appends a record that goes to the queue `second` too: its number there is written into the source first, as digits
   * from `digits` on.
   */
  appendTwice(
    source: Bulk,
    offset: number,
    size: number,
    queue: number,
    second: number,
    digits: number,
  ): number {
    const number = this.#queues.next(second);
    if (number === RETIRED) return QUEUE_RETIRED;
    writePaddedDecimal(source.bytes, digits, number, SECOND_DIGITS);
    const status = this.append(source, offset, size, queue);
    if (status === APPENDED_OK) this.#queues.setNext(second, number + 1);
    return status;
  }

  /** Appends `count` records that lie one behind the other in source[offset, +size), in one file. */
  appendBatch(source: Bulk, offset: number, size: number, count: number, queue: number): number {
    if (this.#isCopy) return IS_COPY;
    if (this.#queues.next(queue) === RETIRED) return QUEUE_RETIRED;
    const mapping = this.#room(size);
    if (mapping === undefined) return this.#refusal(size);
    const firstPosition = this.position;
    let firstQueueOffset = 0;
    let at = offset;
    for (let i = 0; i < count; i++) {
      const recordSize = source.view.getInt32(at + TOTAL_SIZE);
      const queueOffset = this.#put(mapping, source, at, recordSize, queue);
      if (i === 0) firstQueueOffset = queueOffset;
      at += recordSize;
    }
    this.physicalOffset = firstPosition;
    this.queueOffset = firstQueueOffset;
    return APPENDED_OK;
  }

  /**
   * Appends what a master has written at `position`: `count` whole records, or the unused rest of a file, in one file.
   * `storeTimestamp`: of the last of them; 0 = there is none.
   */
  appendRaw(
    source: Bulk,
    offset: number,
    size: number,
    count: number,
    position: number,
    storeTimestamp: number,
  ): number {
    if (position !== this.position) return OUT_OF_PLACE;
    const used = this.#segments.offsetOf(position);
    if (used + size > this.#segments.fileSize) return TOO_LARGE;
    const stage = this.#stage;
    if (used === 0) stage.write();
    const mapping = this.#withRoom(position, size, used === 0);
    if (mapping === undefined) return NO_SEGMENT;
    if (used === 0) this.#onRoll(position);
    stage.copyIn(stage.reserve(mapping, position, size), source, offset, size, offset, 0);
    if (storeTimestamp > 0) this.storeTimestamp = storeTimestamp;
    this.physicalOffset = position;
    this.position += size;
    this.#messages += count;
    return APPENDED_OK;
  }

  /** The queue takes no more messages: its topic was deleted. */
  retire(queue: number): void {
    this.#queues.setNext(queue, RETIRED);
  }

  /** Its end, for those who follow it in this thread. */
  get recent(): RecentLog {
    return this.#stage;
  }

  /** errno of a write to the log that failed, or 0; after one nothing is published any more. */
  get fault(): number {
    return this.#stage.fault;
  }

  /** Writes what has been appended and shows it to other threads; false, and nothing shown, when the disk refused. */
  publish(): boolean {
    if (!this.#stage.write()) return false;
    this.#positions.set(APPENDED_TIME, this.storeTimestamp);
    this.#positions.set(MESSAGES_APPENDED, this.#messages);
    this.#positions.set(APPENDED, this.position);
    return true;
  }

  /** Allocates room for what is to come, in the background. Once per drain. */
  reserveAhead(): void {
    this.#roomOnDisk.ahead(this.#segments.at(this.position), this.position);
  }

  /** The mapping with room for `size` bytes at `position`, in a new file if need be. */
  #room(size: number): Mapping | undefined {
    const { fileSize } = this.#segments;
    const used = this.#segments.offsetOf(this.position);
    if (size + BLANK_BYTES > fileSize) return undefined;
    if (used !== 0 && used + size + BLANK_BYTES > fileSize) return this.#roll(used, size);
    return this.#withRoom(this.position, size + BLANK_BYTES, used === 0);
  }

  #withRoom(position: number, length: number, create = false): Mapping | undefined {
    const mapping = this.#segments.at(position, create);
    return mapping !== undefined && this.#roomOnDisk.has(mapping, position, length) ? mapping : undefined;
  }

  /**
   * Ends the current file with a BLANK record and moves to the next, which has room for `size` bytes by then: a full
   * disk changes nothing.
   */
  #roll(used: number, size: number): Mapping | undefined {
    const { fileSize } = this.#segments;
    const current = this.#withRoom(this.position, BLANK_BYTES);
    const nextStart = this.position - used + fileSize;
    if (current === undefined) return undefined;
    const next = this.#withRoom(nextStart, size + BLANK_BYTES, true);
    if (next === undefined) return undefined;
    const at = this.#stage.reserve(current, this.position, BLANK_BYTES);
    const { view } = this.#stage.memory;
    view.setInt32(at + TOTAL_SIZE, fileSize - used);
    view.setInt32(at + MAGIC, MAGIC_BLANK);
    this.#stage.write();
    this.position = nextStart;
    this.#onRoll(nextStart);
    return next;
  }

  #refusal(size: number): number {
    return size + BLANK_BYTES > this.#segments.fileSize ? TOO_LARGE : NO_SEGMENT;
  }

  /** Copies one record behind the tail and completes it; returns its queue offset. */
  #put(mapping: Mapping, source: Bulk, offset: number, size: number, queue: number): number {
    const stage = this.#stage;
    const at = stage.reserve(mapping, this.position, size);
    const sysFlag = source.view.getInt32(offset + SYS_FLAG);
    const bodyLengthAt = offset + bodyLengthOffset(sysFlag);
    const bodyLength = source.view.getInt32(bodyLengthAt);
    const crc = stage.copyIn(at, source, offset, size, bodyLengthAt + 4, bodyLength);
    const { view } = stage.memory;
    const inQueue = entersQueue(sysFlag);
    const queueOffset = inQueue ? this.#queues.next(queue) : 0;
    view.setInt32(at + TOTAL_SIZE, size);
    view.setInt32(at + BODY_CRC, bodyLength === 0 ? 0 : crc & 0x7fffffff);
    writeInt64(view, at + QUEUE_OFFSET, queueOffset);
    writeInt64(view, at + PHYSICAL_OFFSET, this.position);
    writeInt64(view, at + storeTimestampOffset(sysFlag), this.storeTimestamp);
    if (inQueue) this.#queues.setNext(queue, queueOffset + 1);
    this.position += size;
    this.#messages++;
    return queueOffset;
  }
}

/** Half messages and rollback marks stay out of the ConsumeQueues and take no queue offset. */
export function entersQueue(sysFlag: number): boolean {
  const type = sysFlag & SYS_TRANSACTION_MASK;
  return type !== SYS_TRANSACTION_PREPARED && type !== SYS_TRANSACTION_ROLLBACK;
}
