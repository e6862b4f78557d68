/**
 * The CommitLog read by calls instead of mappings, for whoever reads single records. The writer lets pages behind the
 * tail go, so a mapping faults at nearly each of them, which costs several times what a call does; and whoever looks at
 * a file once and goes needs no region for it, whose ids are never used twice.
 */
import { join } from 'node:path';
import { modulo } from '../../lib/modulo.ts';
import type { Disk, RangeFile } from '../disk/disk.ts';
import { type LogBytes, readExactly } from './log-bytes.ts';
import { fileNameOf } from './segments.ts';

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
    return typeof file === 'number' ? -file : readExactly(file, this.offsetOf(position), length, target, at);
  }

  /** Closes files that end at or before `position`. */
  dropBefore(position: number): void {
    for (const [start, file] of this.#open) {
      if (start + this.fileSize > position) continue;
      file.close();
      this.#open.delete(start);
    }
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
