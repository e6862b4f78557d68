/**
 * Reading a batch of messages for a consumer: from a queue offset to slices of the log. Runs in the thread that
 * answers, allocates nothing per message, and follows RocketMQ's rules for limits, statuses and next offsets.
 */
import { systemClock } from '../../lib/clock.ts';
import { TOTAL_SIZE } from '../../record/layout.ts';
import { RecordParts } from '../../record/view.ts';
import { Gathered } from '../../ring/gathered.ts';
import { APPENDED, BACKLOG_READS, LOG_START, type Positions } from '../../ring/positions.ts';
import type { Mapping } from '../disk/disk.ts';
import { EIO } from '../disk/errors.ts';
import type { Segments } from '../log/segments.ts';
import type { QueueDirectory } from '../queue/queue-directory.ts';
import { EntryBlock, type QueueFiles } from './queue-files.ts';
import { ResidentBlocks } from './resident-blocks.ts';

export const FOUND = 0;
export const NO_MATCHED_MESSAGE = 1;
export const MESSAGE_WAS_REMOVING = 2;
export const OFFSET_FOUND_NULL = 3;
export const OFFSET_OVERFLOW_BADLY = 4;
export const OFFSET_OVERFLOW_ONE = 5;
export const OFFSET_TOO_SMALL = 6;
export const NO_MATCHED_LOGIC_QUEUE = 7;
export const NO_MESSAGE_IN_QUEUE = 8;
/** Not RocketMQ's: the messages are not in memory; populate [coldFrom, +coldLength) and read again. */
export const COLD = 9;
/** Not RocketMQ's: the queue's entries, or the message at `unreadableOffset`, cannot be read (`errno`). */
export const UNREADABLE = 10;

export const STATUS_NAMES = [
  'FOUND',
  'NO_MATCHED_MESSAGE',
  'MESSAGE_WAS_REMOVING',
  'OFFSET_FOUND_NULL',
  'OFFSET_OVERFLOW_BADLY',
  'OFFSET_OVERFLOW_ONE',
  'OFFSET_TOO_SMALL',
  'NO_MATCHED_LOGIC_QUEUE',
  'NO_MESSAGE_IN_QUEUE',
  'COLD',
  'UNREADABLE',
] as const;

/** Most entries looked at per pull when few match (maxFilterMessageSize 16000 bytes of 20-byte entries). */
const MAX_SCANNED = 800;
/** Bytes of properties that a pull's filter goes through, at most, before the next one goes on: some ms. */
const MAX_FILTERED_BYTES = 2 * 1024 * 1024;
/** What finding the properties of a message counts beside them. */
const LOOK_BYTES = 256;
/** Largest batch, whatever a client asks for. */
export const MAX_BATCH = 32;
const IN_MEMORY_BYTES = 256 * 1024;
const ON_DISK_BYTES = 64 * 1024;
const ON_DISK_COUNT = 8;
/** What is read from a cold log at once. */
const READ_AHEAD = 2 * 1024 * 1024;
/** Messages nearer to the tail than this were written a moment ago: not worth asking whether they are in memory. */
const SURELY_WARM = 64 * 1024 * 1024;

export interface ReaderQueue {
  /** Id in the queue directory. */
  readonly id: number;
  readonly files: QueueFiles;
}

/** Which messages a consumer wants, by their properties as they are stored. */
export interface PropertyFilter {
  /** Whether a message with the properties text bytes[from, to) is wanted. */
  matches(bytes: Uint8Array, from: number, to: number): boolean;
  /** How often that goes through those bytes, at most. */
  readonly passes: number;
}

/** Which entries a consumer wants, by tag hash alone; the consumer compares the tags themselves. */
export interface TagFilter {
  matches(tagHash: number): boolean;
  /** Of those entries; undefined = all their messages. */
  readonly properties?: PropertyFilter;
}

export class PullReader {
  // The outcome of the last read.
  status = FOUND;
  nextBeginOffset = 0;
  minOffset = 0;
  maxOffset = 0;
  /** Messages found. */
  count = 0;
  totalBytes = 0;
  coldFrom = 0;
  coldLength = 0;
  /** Whether what was looked at last lies further behind the log's end than what counts as in memory. */
  isFarBehind = false;
  readonly physicalOffsets = new Float64Array(MAX_BATCH);
  readonly sizes = new Int32Array(MAX_BATCH);
  /** Of UNREADABLE and of a failed `copyTo`: why, and from which queue offset on. */
  errno = 0;
  unreadableOffset = 0;
  /** How many of the messages found come before it. */
  readable = 0;

  readonly #segments: Segments;
  readonly #positions: Positions;
  readonly #directory: QueueDirectory;
  /** Bytes behind the tail that count as in memory. */
  inMemoryWindow: number;
  readonly #block = new EntryBlock(64);
  readonly #resident: ResidentBlocks;
  readonly #offsets = new Float64Array(MAX_BATCH);
  readonly #gathered = new Gathered();
  readonly #parts = new RecordParts();
  /** Bytes that the filter has gone through in this read. */
  #filtered = 0;
  #askResident = true;

  constructor(
    segments: Segments,
    positions: Positions,
    directory: QueueDirectory,
    inMemoryWindow: number,
    now: () => number = systemClock.monotonic,
  ) {
    this.#segments = segments;
    this.#positions = positions;
    this.#directory = directory;
    this.inMemoryWindow = inMemoryWindow;
    this.#resident = new ResidentBlocks(segments, now);
  }

  /**
   * Reads up to `maxCount` messages from `offset` on. `warmed` = they have been fetched from the disk just now: they
   * are read in any case, so that a record that memory cannot hold on to is delivered all the same.
   */
  read(
    queue: ReaderQueue | undefined,
    offset: number,
    maxCount: number,
    filter: TagFilter | undefined,
    warmed = false,
  ): void {
    this.#askResident = !warmed;
    this.#resident.beginRead();
    this.count = 0;
    this.totalBytes = 0;
    this.errno = 0;
    this.isFarBehind = false;
    if (queue === undefined) {
      this.minOffset = 0;
      this.maxOffset = 0;
      this.#outcome(NO_MATCHED_LOGIC_QUEUE, 0);
      return;
    }
    const max = this.#directory.maximum(queue.id);
    const min = this.#directory.minimum(queue.id);
    this.maxOffset = max;
    this.minOffset = min;
    if (max === 0) this.#outcome(NO_MESSAGE_IN_QUEUE, 0);
    else if (offset < min) this.#outcome(OFFSET_TOO_SMALL, min);
    else if (offset === max) this.#outcome(OFFSET_OVERFLOW_ONE, offset);
    else if (offset > max) this.#outcome(OFFSET_OVERFLOW_BADLY, max);
    else this.#scan(queue, offset, Math.min(maxCount, MAX_BATCH), filter);
  }

  /**
   * Copies the messages found to target[at…]; `totalBytes` bytes. False when a file has gone meanwhile, or when one
   * cannot be read (`errno`, `readable`, `unreadableOffset`).
   */
  copyTo(target: Uint8Array, at: number): boolean {
    let to = at;
    let before: Mapping | undefined;
    let sound = true;
    for (let i = 0; i < this.count; ) {
      const position = this.physicalOffsets[i] as number;
      const mapping = this.#segments.at(position);
      if (mapping === undefined) return this.#copyCarefully(target, at);
      const from = this.#segments.offsetOf(position);
      const next = this.#endOfRun(i);
      const length = this.#lengthOfRun(i, next);
      i = next;
      target.set(mapping.bytes.subarray(from, from + length), to);
      to += length;
      if (before !== undefined && mapping !== before) sound &&= before.error() === 0;
      before = mapping;
    }
    // The fault guard puts zeros where the device has failed; they must not pass for a message.
    sound &&= before === undefined || before.error() === 0;
    return sound || this.#copyCarefully(target, at);
  }

  /**
   * Where the messages found stand, for the addon to send them from there; valid until the next read. Undefined when
   * they are to be copied: a file is no region that can be told, or has lost a page.
   */
  gather(): Gathered | undefined {
    const gathered = this.#gathered;
    gathered.clear();
    let before: Mapping | undefined;
    for (let i = 0; i < this.count; ) {
      const position = this.physicalOffsets[i] as number;
      const mapping = this.#segments.at(position);
      if (mapping === undefined || mapping.region === 0) return undefined;
      if (mapping !== before && mapping.error() !== 0) return undefined;
      before = mapping;
      const next = this.#endOfRun(i);
      gathered.add(mapping.region, this.#segments.offsetOf(position), this.#lengthOfRun(i, next));
      i = next;
    }
    return gathered;
  }

  /** Number of the first message behind the `first` that is no neighbour of the one before in the same file. */
  #endOfRun(first: number): number {
    const { fileSize } = this.#segments;
    const position = this.physicalOffsets[first] as number;
    const endOfFile = position - this.#segments.offsetOf(position) + fileSize;
    let end = position + (this.sizes[first] as number);
    let i = first + 1;
    while (i < this.count && this.physicalOffsets[i] === end && end < endOfFile)
      end += this.sizes[i++] as number;
    return i;
  }

  /** Bytes of the messages from `first` up to `next`, which are neighbours: a batch, or a lone busy queue. */
  #lengthOfRun(first: number, next: number): number {
    const last = next - 1;
    return (
      (this.physicalOffsets[last] as number) +
      (this.sizes[last] as number) -
      (this.physicalOffsets[first] as number)
    );
  }

  /** Makes these records, given by position and size, what `copyTo` copies; returns how many bytes that is. */
  take(records: readonly number[]): number {
    this.count = Math.min(records.length / 2, MAX_BATCH);
    this.totalBytes = 0;
    this.errno = 0;
    for (let i = 0; i < this.count; i++) {
      this.physicalOffsets[i] = records[2 * i] as number;
      this.sizes[i] = records[2 * i + 1] as number;
      this.totalBytes += this.sizes[i] as number;
    }
    return this.totalBytes;
  }

  /** Those of the records that are not in memory. */
  coldOf(records: readonly number[]): number[] {
    const appended = this.#positions.get(APPENDED);
    this.#resident.beginRead();
    const cold: number[] = [];
    for (let i = 0; i + 1 < records.length; i += 2) {
      const [position, size] = [records[i] as number, records[i + 1] as number];
      if (appended - position > SURELY_WARM && !this.#resident.has(position, size)) cold.push(position, size);
    }
    return cold;
  }

  /** Index of the first of the records whose file is gone, or of the last one. */
  firstGone(records: readonly number[]): number {
    const start = this.#positions.get(LOG_START);
    const index = records.findIndex((position, i) => i % 2 === 0 && position < start);
    return index < 0 ? records.length / 2 - 1 : index / 2;
  }

  /** Message by message, from the file where its mapping has lost a page. */
  #copyCarefully(target: Uint8Array, at: number): boolean {
    const view = new DataView(target.buffer, target.byteOffset, target.byteLength);
    this.errno = 0;
    this.readable = 0;
    let to = at;
    for (let i = 0; i < this.count; i++) {
      const position = this.physicalOffsets[i] as number;
      const size = this.sizes[i] as number;
      const errno = this.#segments.copy(position, size, target, to);
      if (errno !== 0 || view.getInt32(to + TOTAL_SIZE) !== size) {
        if (position < this.#positions.get(LOG_START)) return false;
        this.errno = errno || EIO;
        this.readable = i;
        this.unreadableOffset = this.#offsets[i] as number;
        return false;
      }
      to += size;
    }
    return true;
  }

  /**
   * First queue offset from `offset` on whose message can be read, or where the search ended: after `limit` messages,
   * or at the queue's maximum.
   */
  firstReadable(queue: ReaderQueue, offset: number, limit: number): number {
    const end = Math.min(this.#directory.maximum(queue.id), offset + limit);
    const block = this.#block;
    let scratch = new Uint8Array(0);
    for (let at = offset; at < end; at++) {
      if (queue.files.read(at, 1, block) === 0) return at;
      const size = block.size(0);
      if (size > scratch.length) scratch = new Uint8Array(size);
      if (this.#segments.copy(block.physicalOffset(0), size, scratch, 0) === 0) return at;
    }
    return end;
  }

  /** Brings the cold range of the last read into memory, and with `ahead` what follows it. */
  async warm(coldFrom: number, coldLength: number, ahead: boolean): Promise<void> {
    const mapping = this.#segments.at(coldFrom);
    const length = ahead ? Math.max(coldLength, READ_AHEAD) : coldLength;
    await mapping?.populate(this.#segments.offsetOf(coldFrom), length);
  }

  #outcome(status: number, nextBeginOffset: number): void {
    this.status = status;
    this.nextBeginOffset = nextBeginOffset;
  }

  #scan(queue: ReaderQueue, offset: number, maxCount: number, filter: TagFilter | undefined): void {
    const appended = this.#positions.get(APPENDED);
    const logStart = this.#positions.get(LOG_START);
    const scanEnd = Math.min(this.maxOffset, offset + Math.max(MAX_SCANNED, maxCount));
    const block = this.#block;
    const properties = filter?.properties;
    this.#filtered = 0;
    let status = NO_MATCHED_MESSAGE;
    let at = offset;
    let behind = 0;
    scanning: while (at < scanEnd && this.count < maxCount) {
      const wanted = filter === undefined ? Math.min(scanEnd - at, maxCount) : scanEnd - at;
      if (queue.files.read(at, wanted, block) === 0) {
        // The file has gone or cannot be read. The consumer asks for the same again: its offset is not lost to a read
        // that failed once, and a moved minimum answers it otherwise.
        this.isFarBehind = behind > this.inMemoryWindow;
        if (this.count > 0) this.#outcome(FOUND, at);
        else this.#noEntry(queue.files.errno, at);
        return;
      }
      for (let i = 0; i < block.count; i++) {
        const position = block.physicalOffset(i);
        const size = block.size(i);
        behind = appended - position;
        if (this.#isFull(size, maxCount, behind <= this.inMemoryWindow)) break scanning;
        at++;
        if (position < logStart) {
          if (this.count === 0) status = MESSAGE_WAS_REMOVING;
          continue;
        }
        if (filter !== undefined && !filter.matches(block.tagHash(i))) continue;
        if (behind > SURELY_WARM && this.count === 0) this.#positions.raise(BACKLOG_READS);
        if (this.#askResident && behind > SURELY_WARM && !this.#resident.has(position, size)) {
          // What was looked at and refused is progress too.
          if (this.count > 0 || (properties !== undefined && at - 1 > offset)) {
            at--;
            break scanning;
          }
          this.coldFrom = position;
          this.coldLength = size;
          this.#outcome(COLD, offset);
          return;
        }
        if (properties !== undefined) {
          // Only the first one is known to have been fetched: others are looked at that nobody may want.
          this.#askResident = true;
          if (this.#filtered > MAX_FILTERED_BYTES) {
            at--;
            break scanning;
          }
          if (!this.#isWanted(position, size, properties)) continue;
        }
        this.physicalOffsets[this.count] = position;
        this.sizes[this.count] = size;
        this.#offsets[this.count] = at - 1;
        this.count++;
        this.totalBytes += size;
        status = FOUND;
      }
    }
    this.isFarBehind = behind > this.inMemoryWindow;
    this.#outcome(status, at);
  }

  #noEntry(errno: number, at: number): void {
    this.errno = errno;
    this.unreadableOffset = at;
    this.#outcome(errno === 0 ? OFFSET_FOUND_NULL : UNREADABLE, at);
  }

  /** Whether the message there is wanted; what asking has cost, in bytes, is added to `#filtered`. */
  #isWanted(position: number, size: number, filter: PropertyFilter): boolean {
    this.#filtered += LOOK_BYTES;
    const mapping = this.#segments.at(position);
    const from = this.#segments.offsetOf(position);
    const parts = this.#parts;
    // What cannot be read is for `copyTo` to find out: the way past that is the same with a filter or without.
    if (mapping === undefined || !parts.locate(mapping.view, from, from + size) || parts.size !== size)
      return true;
    const { propertiesOffset, propertiesLength } = parts;
    this.#filtered += propertiesLength * filter.passes;
    return (
      filter.matches(mapping.bytes, propertiesOffset, propertiesOffset + propertiesLength) ||
      // Zeros stand where the device has failed.
      (mapping.error() !== 0 && mapping.error(from, size) !== 0)
    );
  }

  #isFull(size: number, maxCount: number, inMemory: boolean): boolean {
    if (this.count === 0) return false;
    if (this.count >= maxCount) return true;
    if (inMemory) return this.totalBytes + size > IN_MEMORY_BYTES;
    return this.totalBytes + size > ON_DISK_BYTES || this.count >= ON_DISK_COUNT;
  }
}
