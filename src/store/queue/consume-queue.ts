/**
 * One ConsumeQueue as its dispatcher writes it. Entries are 20 bytes, big-endian:
 *
 *      0 physicalOffset i64   position of the record in the log
 *      8 size           i32   bytes of the record
 *     12 tagsCode       i64   Java hash of TAGS, sign-extended; delivery time for SCHEDULE_TOPIC_XXXX
 *
 * Entry n of a queue stands at byte n × 20 of a sequence of fixed-size sparse files, each named by the position of its
 * first byte. A queue that does not begin at 0 is filled with (0, 0x7fffffff, 0) from the file's start. Entries are
 * staged and written once per batch; a file is made when its first entry is written, never ahead.
 */
import { join } from 'node:path';
import { writeInt64 } from '../../lib/int64.ts';
import { modulo } from '../../lib/modulo.ts';
import type { Disk, RangeFile } from '../disk/disk.ts';
import { fileNameOf } from '../log/segments.ts';
import type { EntryStage, EntryStages } from './entry-stages.ts';

export const ENTRY_BYTES = 20;
export const ENTRY_SIZE_AT = 8;
export const ENTRY_TAGS_AT = 12;
/** Size field of entries that only fill the space before a queue's first message. */
export const FILLER_SIZE = 0x7fffffff;

export class ConsumeQueue {
  readonly topic: string;
  readonly queueId: number;
  /** Id in the queue directory. */
  readonly id: number;
  /** Offset of the next entry, staged ones included. */
  next: number;
  /** End of the log record of the last entry, or -1. */
  lastPhysicalEnd: number;
  /** Records before this position belong to a deleted topic of the same name. */
  bornAt = 0;
  /** Whether the queue is listed in the dispatcher's batch. */
  touched = false;
  readonly #directory: string;
  readonly #disk: Disk;
  readonly #fileSize: number;
  readonly #stages: EntryStages;
  #stage: EntryStage | undefined;
  #staged = 0;
  #file: RangeFile | undefined;
  #fileStart = -1;

  constructor(
    disk: Disk,
    directory: string,
    fileSize: number,
    name: { topic: string; queueId: number; id: number },
    state: { next: number; lastPhysicalEnd: number },
    stages: EntryStages,
  ) {
    this.#stages = stages;
    this.#disk = disk;
    this.#directory = directory;
    this.#fileSize = fileSize;
    this.topic = name.topic;
    this.queueId = name.queueId;
    this.id = name.id;
    this.next = state.next;
    this.lastPhysicalEnd = state.lastPhysicalEnd;
  }

  /** Adds an entry at `next`; tagsCode in two halves, as a hash is only 32 bits wide and a time only 53. */
  stage(physicalOffset: number, size: number, tagsHigh: number, tagsLow: number): void {
    let at = this.#staged;
    const { view } = this.#stageWithRoom();
    writeInt64(view, at, physicalOffset);
    at += 8;
    view.setInt32(at, size);
    view.setInt32(at + 4, tagsHigh);
    view.setInt32(at + 8, tagsLow);
    this.#staged += ENTRY_BYTES;
    this.next++;
    this.lastPhysicalEnd = physicalOffset + size;
  }

  /**
   * Fills entries from the start of the file of `queueOffset` up to it, for a queue whose first message is not number
   * 0.
   */
  fillTo(queueOffset: number): void {
    const firstOfFile = queueOffset - (queueOffset % (this.#fileSize / ENTRY_BYTES));
    this.next = firstOfFile;
    while (this.next < queueOffset) {
      this.stage(0, FILLER_SIZE, 0, 0);
      if (this.#staged >= 64 * 1024) this.write();
    }
    this.lastPhysicalEnd = -1;
  }

  /** Begins anew at 0, without what is staged; the files are the caller's. */
  restart(): void {
    this.close();
    if (this.#stage !== undefined) this.#stages.giveBack(this.#stage);
    this.#stage = undefined;
    this.#staged = 0;
    this.next = 0;
    this.lastPhysicalEnd = -1;
  }

  /** Writes the staged entries. 0, or -errno and the entries stay staged. */
  write(): number {
    const stage = this.#stage;
    if (stage === undefined) return 0;
    let done = 0;
    while (done < this.#staged) {
      const position = this.next * ENTRY_BYTES - this.#staged + done;
      const file = this.#fileAt(position);
      if (typeof file === 'number') return this.#keepFrom(done, file);
      const inFile = modulo(position, this.#fileSize);
      const length = Math.min(this.#staged - done, this.#fileSize - inFile);
      const written = file.write(inFile, stage.bytes, done, length);
      if (written < 0) return this.#keepFrom(done, written);
      done += length;
    }
    this.#staged = 0;
    this.#stage = undefined;
    this.#stages.giveBack(stage);
    return 0;
  }

  close(): void {
    this.#file?.close();
    this.#file = undefined;
    this.#fileStart = -1;
  }

  #keepFrom(done: number, errno: number): number {
    this.#stage?.bytes.copyWithin(0, done, this.#staged);
    this.#staged -= done;
    return errno;
  }

  /** The stage, with room for one more entry. */
  #stageWithRoom(): EntryStage {
    let stage = this.#stage;
    if (stage === undefined) stage = this.#stages.take();
    else if (this.#staged === stage.bytes.length) stage = this.#stages.grow(stage);
    this.#stage = stage;
    return stage;
  }

  #fileAt(position: number): RangeFile | number {
    const start = position - modulo(position, this.#fileSize);
    if (start === this.#fileStart && this.#file !== undefined) return this.#file;
    this.close();
    const path = join(this.#directory, fileNameOf(start));
    let file = this.#disk.open(path, this.#fileSize);
    if (file === -2 /* ENOENT: the directory is not there yet */) {
      this.#disk.makeDirectory(this.#directory);
      file = this.#disk.open(path, this.#fileSize);
    }
    if (typeof file === 'number') return file;
    this.#file = file;
    this.#fileStart = start;
    return file;
  }
}

/** `<consumequeue>/<topic>/<queueId>` */
export function queueDirectoryPath(root: string, topic: string, queueId: number): string {
  return join(root, topic, String(queueId));
}
