/**
 * The CommitLog read by calls instead of mappings, for whoever looks at it once and goes: a mapping of a file that
 * nobody else has mapped costs a region of its own, and their ids are never used twice.
 */
import { join } from 'node:path';
import { modulo } from '../../lib/modulo.ts';
import type { Disk, RangeFile } from '../disk/disk.ts';
import { EIO } from '../disk/errors.ts';
import { fileNameOf } from './segments.ts';

/** What reading single records needs of the log. */
export interface LogBytes {
  readonly fileSize: number;
  /** Where `position` lies in its file. */
  offsetOf(position: number): number;
  /**
   * Copies [position, +length) of the log, which lies in one file, to target[at…]. 0, or the errno and then the target
   * holds nothing of worth.
   */
  copy(position: number, length: number, target: Uint8Array, at: number): number;
}

export class UnmappedLog implements LogBytes {
  readonly fileSize: number;
  readonly #directory: string;
  readonly #disk: Disk;
  readonly #open = new Map<number, RangeFile>();

  constructor(disk: Disk, directory: string, fileSize: number) {
    this.#disk = disk;
    this.#directory = directory;
    this.fileSize = fileSize;
  }

  offsetOf(position: number): number {
    return modulo(position, this.fileSize);
  }

  copy(position: number, length: number, target: Uint8Array, at: number): number {
    const file = this.#fileAt(position);
    if (typeof file === 'number') return -file;
    const read = file.read(this.offsetOf(position), target, at, length);
    if (read < 0) return -read;
    return read === length ? 0 : EIO;
  }

  close(): void {
    for (const file of this.#open.values()) file.close();
    this.#open.clear();
  }

  #fileAt(position: number): RangeFile | number {
    const start = position - this.offsetOf(position);
    const known = this.#open.get(start);
    if (known !== undefined) return known;
    const file = this.#disk.open(join(this.#directory, fileNameOf(start)), -1);
    if (typeof file !== 'number') this.#open.set(start, file);
    return file;
  }
}
