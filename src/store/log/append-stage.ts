/**
 * Where records wait, complete, until they enter the log's file together: once per drain, or when enough are there.
 * They stay for a while after that: who follows the log in the same thread reads its end here, where it maps no page.
 *
 * Writing them to the file (`Mapping.append`) costs the kernel less than half of storing into the mapping, where every
 * fresh page means a fault, a page of zeros nobody reads, and a second fault after each sync (ARCHITECTURE.md has the
 * figures). Readers see the same pages through their mapping.
 */
import { addon } from '../../native/addon.ts';
import type { Bulk } from '../../ring/bulk.ts';
import type { Mapping } from '../disk/disk.ts';
import type { Segments } from './segments.ts';

/** Staged bytes that are written without waiting for the end of the drain: they still lie in the core's cache. */
const ENOUGH = 128 * 1024;
/** How much of the log's end stays, and memory at first: half of what a core's second cache has. */
const WINDOW = 512 * 1024;

/** The end of the log as it still lies in the writer's memory, for those who work in its thread. */
export interface RecentLog {
  readonly memory: Bulk;
  /** Offset in `memory` of the record at `position`; -1 = it is not there, only its file may have it. */
  find(position: number): number;
}

/**
 * Memory is used from front to back, then from the front again. [0, #start + #length) is of this lap, in which
 * position `#base` lies at offset 0; of the lap before, whose positions end there, the rest behind is left.
 */
export class AppendStage implements RecentLog {
  /** errno of the write that failed: from then on nothing enters the log. */
  fault = 0;
  memory: Bulk;
  readonly #segments: Segments;
  #mapping: Mapping | undefined;
  /** Where in `memory` the staged bytes begin, and how many there are; those before are written. */
  #start = 0;
  #length = 0;
  /** Infinity = nothing was appended yet. */
  #base = Number.POSITIVE_INFINITY;
  /** Position at offset 0 in the lap before; Infinity = nothing is left of one. */
  #baseBefore = Number.POSITIVE_INFINITY;

  constructor(segments: Segments) {
    this.#segments = segments;
    this.memory = segments.memory(WINDOW);
  }

  /** Offset in `memory` where `size` bytes for `position` of the log go, which lies in the file of `mapping`. */
  reserve(mapping: Mapping, position: number, size: number): number {
    if (this.#length >= ENOUGH) this.write();
    const end = this.#start + this.#length;
    if (position !== this.#base + end || end + size > WINDOW) this.#startAgain(position, size);
    if (this.#length === 0) this.#mapping = mapping;
    const offset = this.#start + this.#length;
    this.#length += size;
    return offset;
  }

  find(position: number): number {
    const end = this.#start + this.#length;
    if (position >= this.#base) return position - this.#base < end ? position - this.#base : -1;
    const offset = position - this.#baseBefore;
    return offset >= end ? offset : -1;
  }

  #startAgain(position: number, size: number): void {
    this.write();
    const fits = size <= this.memory.bytes.length;
    const follows = fits && position === this.#base + this.#start;
    if (!fits) this.memory = this.#segments.memory(size * 2);
    this.#baseBefore = follows ? this.#base : Number.POSITIVE_INFINITY;
    this.#base = position;
    this.#start = 0;
  }

  /** Copies source[from, +length) to `at` of `memory`; CRC-32 (unsigned) of the source's [crcFrom, +crcLength). */
  copyIn(at: number, source: Bulk, from: number, length: number, crcFrom: number, crcLength: number): number {
    const { memory } = this;
    if (source.region !== 0 && memory.region !== 0) {
      return addon.copyWithCrc(memory.region, at, source.region, from, length, crcFrom, crcLength);
    }
    memory.bytes.set(source.bytes.subarray(from, from + length), at);
    return addon.crcOfBytes(source.bytes, crcFrom, crcLength);
  }

  /** Writes what is staged to the file. False when that failed, now or before. */
  write(): boolean {
    // Behind a hole nothing may follow: recovery would not find it, or find it where it does not belong.
    if (this.#length > 0 && this.fault === 0) {
      const at = this.#segments.offsetOf(this.#base + this.#start);
      const written = this.#mapping?.append(at, this.memory, this.#start, this.#length) ?? 0;
      if (written < 0) this.fault = -written;
    }
    this.#start += this.#length;
    this.#length = 0;
    return this.fault === 0;
  }
}
