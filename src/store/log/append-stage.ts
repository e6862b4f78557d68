/**
 * Where records wait, complete, until they enter the log's file together: once per drain, or when enough are there.
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
/** Memory at first; a larger record makes it grow. Untouched memory costs nothing. */
const FIRST_BYTES = 512 * 1024;

export class AppendStage {
  /** errno of the write that failed: from then on nothing enters the log. */
  fault = 0;
  memory: Bulk;
  readonly #segments: Segments;
  #mapping: Mapping | undefined;
  /** Where in the file the staged bytes begin, and how many there are. */
  #from = 0;
  #length = 0;

  constructor(segments: Segments) {
    this.#segments = segments;
    this.memory = segments.memory(FIRST_BYTES);
  }

  /**
   * Offset in `memory` where `size` bytes for `at` of the file go. What comes from one call to the next must follow in
   * the file, or `write` came between them.
   */
  reserve(mapping: Mapping, at: number, size: number): number {
    if (this.#length + size > this.memory.bytes.length || this.#length >= ENOUGH) this.write();
    if (size > this.memory.bytes.length) this.memory = this.#segments.memory(size * 2);
    if (this.#length === 0) {
      this.#mapping = mapping;
      this.#from = at;
    }
    const offset = this.#length;
    this.#length += size;
    return offset;
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
      const written = this.#mapping?.append(this.#from, this.memory, 0, this.#length) ?? 0;
      if (written < 0) this.fault = -written;
    }
    this.#length = 0;
    return this.fault === 0;
  }
}
