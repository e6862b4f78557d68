/**
 * The timer log: units one behind the other (timer-layout.ts), appended in batches, in files of one size named by
 * their first position. It may be written anew from the queue of the timer topic, so nothing in it is the only copy.
 */
import { join } from 'node:path';
import { modulo } from '../../lib/modulo.ts';
import type { Disk, RangeFile } from '../../store/disk/disk.ts';
import { ENOENT } from '../../store/disk/errors.ts';
import { fileNameOf } from '../../store/log/segments.ts';
import {
  BLANK_BYTES,
  emptyUnit,
  isBlank,
  readUnit,
  type TimerUnit,
  UNIT_BYTES,
  unitRoom,
  writeBlank,
  writeUnit,
} from './timer-layout.ts';

const STAGED_UNITS = 1024;
const READ_BYTES = 16 * 1024;

export class TimerLog {
  readonly fileSize: number;
  /** errno of the last call that failed. */
  errno = 0;
  readonly #disk: Disk;
  readonly #directory: string;
  readonly #room: number;
  readonly #files = new Map<number, RangeFile>();
  readonly #stage = new Uint8Array(STAGED_UNITS * UNIT_BYTES);
  readonly #stageView = new DataView(this.#stage.buffer);
  /** Position of the first byte of the stage, and bytes in it. */
  #stagedFrom = 0;
  #staged = 0;
  #start = 0;

  constructor(disk: Disk, directory: string, fileSize: number) {
    this.#disk = disk;
    this.#directory = directory;
    this.fileSize = fileSize;
    this.#room = unitRoom(fileSize);
  }

  /** Where the next unit goes. */
  get end(): number {
    return this.#stagedFrom + this.#staged;
  }

  /** First position whose file still exists. */
  get start(): number {
    return this.#start;
  }

  /** Appending goes on here; what stands behind is overwritten. Nothing may be staged. */
  resumeAt(start: number, end: number): void {
    this.#start = start;
    this.#stagedFrom = end;
    this.#staged = 0;
  }

  /** Whether there is room for one more unit before `flush`. */
  get hasRoom(): boolean {
    return this.#staged + UNIT_BYTES <= this.#stage.length;
  }

  get isStaged(): boolean {
    return this.#staged > 0;
  }

  /** Stages a unit; its position. */
  append(unit: Readonly<TimerUnit>): number {
    const at = this.end;
    writeUnit(this.#stageView, this.#staged, unit);
    this.#staged += UNIT_BYTES;
    return at;
  }

  /** Position of the next unit: a file that is full up is left behind. False when the disk refuses that. */
  makeRoom(): boolean {
    if (!this.hasRoom && !this.flush()) return false;
    if (modulo(this.end, this.fileSize) + UNIT_BYTES <= this.#room) return true;
    if (!this.flush()) return false;
    const left = this.fileSize - modulo(this.end, this.fileSize);
    writeBlank(this.#stageView, 0, left);
    const written = this.#fileAt(this.end, true)?.write(
      this.fileSize - left,
      this.#stage,
      0,
      Math.min(left, BLANK_BYTES),
    );
    if (!this.#succeeded(written)) return false;
    this.#stagedFrom += left;
    return true;
  }

  /** Writes what is staged. False when the disk refuses: it stays staged, and may be written later. */
  flush(): boolean {
    if (this.#staged === 0) return true;
    const file = this.#fileAt(this.#stagedFrom, true);
    const written = file?.write(modulo(this.#stagedFrom, this.fileSize), this.#stage, 0, this.#staged);
    if (!this.#succeeded(written)) return false;
    this.#stagedFrom += this.#staged;
    this.#staged = 0;
    return true;
  }

  #succeeded(written: number | undefined): boolean {
    if (written === undefined) return false;
    this.errno = Math.max(0, -written);
    return written >= 0;
  }

  /** Bytes read from `position` on, within its file, no further than is written; 0 also on failure (`errno`). */
  read(position: number, target: Uint8Array, length: number): number {
    const inFile = modulo(position, this.fileSize);
    const wanted = Math.min(length, this.fileSize - inFile, this.#stagedFrom - position);
    const read = wanted > 0 ? this.#fileAt(position, false)?.read(inFile, target, 0, wanted) : 0;
    if (read === undefined || read >= 0) return read ?? 0;
    this.errno = -read;
    return 0;
  }

  /**
   * What a process that was killed has written from `from` on is not known to this one: something of each file is
   * written again, so that the next sync takes all of it. False when the disk refuses.
   */
  touch(from: number): boolean {
    const bytes = new Uint8Array(UNIT_BYTES);
    for (let start = from - modulo(from, this.fileSize); start < this.end; start += this.fileSize) {
      const file = this.#fileAt(start, false);
      const read = file?.read(0, bytes, 0, UNIT_BYTES) ?? 0;
      if (read > 0 && !this.#succeeded(file?.write(0, bytes, 0, read))) return false;
    }
    return true;
  }

  /** Removes files that end at or before `position`. */
  deleteBefore(position: number): void {
    for (; this.#start + this.fileSize <= position; this.#start += this.fileSize) {
      this.#files.get(this.#start)?.close();
      this.#files.delete(this.#start);
      this.#disk.remove(join(this.#directory, fileNameOf(this.#start)));
    }
  }

  close(): void {
    for (const file of this.#files.values()) file.close();
    this.#files.clear();
  }

  #fileAt(position: number, create: boolean): RangeFile | undefined {
    const start = position - modulo(position, this.fileSize);
    const known = this.#files.get(start);
    if (known !== undefined) return known;
    if (create) this.#disk.makeDirectory(this.#directory);
    const file = this.#disk.open(join(this.#directory, fileNameOf(start)), create ? this.fileSize : -1);
    if (typeof file === 'number') {
      this.errno = file === -ENOENT ? 0 : -file;
      return undefined;
    }
    this.#files.set(start, file);
    return file;
  }
}

/** Reads units here and there, a block at a time: chains lead backwards, and their units lie near each other. */
export class UnitReader {
  readonly unit: TimerUnit = emptyUnit();
  readonly #log: TimerLog;
  readonly #block = new Uint8Array(READ_BYTES);
  readonly #view = new DataView(this.#block.buffer);
  #from = 0;
  #bytes = 0;

  constructor(log: TimerLog) {
    this.#log = log;
  }

  /** Reads the unit at `position` into `unit`; false when there is none. */
  at(position: number): boolean {
    const offset = this.#locate(position, UNIT_BYTES);
    return offset >= 0 && readUnit(this.#view, offset, this.unit);
  }

  /** Whether a BLANK stands at `position`. */
  blankAt(position: number): boolean {
    const offset = this.#locate(position, BLANK_BYTES);
    return offset >= 0 && isBlank(this.#view, offset);
  }

  /** What was read may have been overwritten since. */
  forget(): void {
    this.#bytes = 0;
  }

  #locate(position: number, bytes: number): number {
    if (position < this.#from || position + bytes > this.#from + this.#bytes) {
      const inFile = modulo(position, this.#log.fileSize);
      // A little ahead and the rest behind: whoever follows a chain goes backwards, whoever scans has a block ahead.
      const back = Math.min(inFile, position < this.#from ? READ_BYTES / 2 : 0);
      this.#from = position - back;
      this.#bytes = this.#log.read(this.#from, this.#block, READ_BYTES);
      if (position + bytes > this.#from + this.#bytes) {
        this.#bytes = 0;
        return -1;
      }
    }
    return position - this.#from;
  }
}
