/**
 * The CommitLog's files as one thread sees them: position → mapping. Files are named by their first position in 20
 * digits and follow each other without gap, so a position alone names its file; a thread maps a file when it first
 * needs it and keeps it until `dropBefore` or `close`.
 */
import { join } from 'node:path';
import { assert } from '../../lib/assert.ts';
import { modulo } from '../../lib/modulo.ts';
import type { Bulk } from '../../ring/bulk.ts';
import type { Disk, Mapping } from '../disk/disk.ts';
import { type LogBytes, readExactly } from './log-bytes.ts';

export function fileNameOf(position: number): string {
  return String(position).padStart(20, '0');
}

export class Segments implements LogBytes {
  readonly fileSize: number;
  readonly room: number;
  readonly #directory: string;
  readonly #disk: Disk;
  readonly #open = new Map<number, Mapping>();
  /** The file used last: nearly every call asks for it again. */
  #current: Mapping | undefined;
  #currentStart = -1;
  /** errno of the last open or allocation that failed. */
  lastError = 0;

  /** `room`: bytes of a new file that are allocated at once. */
  constructor(disk: Disk, directory: string, fileSize: number, room = fileSize) {
    this.#disk = disk;
    this.#directory = directory;
    this.fileSize = fileSize;
    this.room = Math.min(room, fileSize);
  }

  /** Memory from which `Mapping.append` takes. */
  memory(bytes: number): Bulk {
    return this.#disk.memory(bytes);
  }

  startOf(position: number): number {
    return position - modulo(position, this.fileSize);
  }

  /** Where `position` lies in its file. */
  offsetOf(position: number): number {
    return modulo(position, this.fileSize);
  }

  pathOf(position: number): string {
    return join(this.#directory, fileNameOf(this.startOf(position)));
  }

  /** The mapping that holds `position`; undefined when its file cannot be opened (see `lastError`). */
  at(position: number, create = false): Mapping | undefined {
    const start = this.startOf(position);
    if (start === this.#currentStart) return this.#current;
    let mapping = this.#open.get(start);
    if (mapping === undefined) {
      const opened = this.#disk.map(this.pathOf(start), this.fileSize, create ? this.room : undefined);
      if (typeof opened === 'number') {
        this.lastError = -opened;
        return undefined;
      }
      mapping = opened;
      this.#open.set(start, mapping);
    }
    this.#current = mapping;
    this.#currentStart = start;
    return mapping;
  }

  /**
   * Closes files that end at or before `position`, except those that `isPinned` names. Returns how many stay pinned.
   */
  dropBefore(position: number, isPinned: (start: number) => boolean = () => false): number {
    let pinned = 0;
    for (const [start, mapping] of this.#open) {
      if (start + this.fileSize > position) continue;
      if (isPinned(start)) pinned++;
      else this.#close(start, mapping);
    }
    return pinned;
  }

  /**
   * Copies [position, +length) of the log, which lies in one file, to target[at…]. 0, or the errno and then the target
   * holds nothing of worth. Where the mapping has lost a page, or the file cannot be mapped (it was cut short), the
   * file itself is read: a device that works again is believed.
   */
  copy(position: number, length: number, target: Uint8Array, at: number): number {
    const mapping = this.at(position);
    if (mapping === undefined) return this.#copyFromFile(position, length, target, at);
    const from = this.offsetOf(position);
    target.set(mapping.bytes.subarray(from, from + length), at);
    return mapping.error(from, length) === 0 ? 0 : this.#copyFromFile(position, length, target, at);
  }

  /** First errno that the fault guard recorded in an open file, or 0; `but` = start of one that is left out. */
  error(but = -1): number {
    for (const [start, mapping] of this.#open) {
      if (start === but) continue;
      const errno = mapping.error();
      if (errno !== 0) return errno;
    }
    return 0;
  }

  close(): void {
    for (const [start, mapping] of this.#open) this.#close(start, mapping);
  }

  #copyFromFile(position: number, length: number, target: Uint8Array, at: number): number {
    const file = this.#disk.open(this.pathOf(position), -1);
    if (typeof file === 'number') return -file;
    const errno = readExactly(file, this.offsetOf(position), length, target, at);
    file.close();
    return errno;
  }

  #close(start: number, mapping: Mapping): void {
    if (start === this.#currentStart) {
      this.#current = undefined;
      this.#currentStart = -1;
    }
    this.#open.delete(start);
    mapping.close();
  }
}

/** First positions of the log's files on disk, ascending; refuses what RocketMQ would refuse too. */
export function listSegments(disk: Disk, directory: string, fileSize: number): number[] {
  const starts: number[] = [];
  for (const name of disk.list(directory)) {
    const path = join(directory, name);
    if (disk.isDirectory(path)) continue;
    if (!/^\d{20}$/.test(name))
      throw new Error(`${path} does not belong into a CommitLog directory: move it away.`);
    starts.push(Number(name));
  }
  starts.sort((a, b) => a - b);
  // A last file without bytes is being made, or a crash stopped its making: nothing was ever written to it.
  const last = starts.at(-1);
  if (last !== undefined && disk.size(join(directory, fileNameOf(last))) === 0) starts.pop();
  for (const [i, start] of starts.entries()) {
    const path = join(directory, fileNameOf(start));
    const size = disk.size(path);
    if (size !== fileSize) {
      throw new Error(
        `${path} has ${size} bytes but mappedFileSizeCommitLog says ${fileSize}: ` +
          'start with the size that this store was written with.',
      );
    }
    const previous = starts[i - 1];
    if (previous !== undefined && start !== previous + fileSize) {
      throw new Error(`CommitLog file ${fileNameOf(previous + fileSize)} is missing in ${directory}.`);
    }
  }
  if (starts.length > 0)
    assert((starts[0] as number) % fileSize === 0, 'first CommitLog file starts off its grid');
  return starts;
}

/** Removes what a crash left of a file that was being made. Only while the store is opened. */
export function removeUnmadeSegments(disk: Disk, directory: string): void {
  for (const name of disk.list(directory)) {
    const path = join(directory, name);
    if (/^\d{20}$/.test(name) && !disk.isDirectory(path) && disk.size(path) === 0) disk.remove(path);
  }
}
