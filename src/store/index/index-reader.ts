/** Looking keys up in the index files, newest file first. Any thread; files are read by ranges, never mapped. */
import { join } from 'node:path';
import { readInt64 } from '../../lib/int64.ts';
import { MAX_QUERY_ENTRIES } from '../../lib/limits.ts';
import type { Disk, RangeFile } from '../disk/disk.ts';
import { STORE_TIME_LEAD_MS } from '../log/commit-log.ts';
import {
  BEGIN_TIMESTAMP,
  END_PHYSICAL,
  END_TIMESTAMP,
  ENTRY_PHYSICAL,
  ENTRY_PREVIOUS,
  ENTRY_TIME,
  entryOffset,
  INDEX_COUNT,
  INDEX_ENTRY_BYTES,
  INDEX_HEADER_BYTES,
  type IndexGeometry,
  SLOT_BYTES,
  storedHash,
} from './index-layout.ts';
import { listIndexFiles } from './key-index.ts';

export interface IndexLookup {
  /** Candidate positions; keys whose hashes collide are among them. */
  physicalOffsets: number[];
  lastTimestamp: number;
  lastPhysicalOffset: number;
  /** Entries looked at. */
  entries: number;
}

export class IndexReader {
  readonly #disk: Disk;
  readonly #directory: string;
  readonly #geometry: IndexGeometry;
  readonly #bytes = new Uint8Array(INDEX_HEADER_BYTES);
  readonly #view = new DataView(this.#bytes.buffer);

  constructor(disk: Disk, directory: string, geometry: IndexGeometry) {
    this.#disk = disk;
    this.#directory = directory;
    this.#geometry = geometry;
  }

  /**
   * Positions of records with this key hash and, as far as the index knows, a store time in [begin, end] (ms), newest
   * first. `accept` looks at each candidate (and may read the record); the search ends at `maxCount` accepted ones, or
   * after MAX_QUERY_ENTRIES.
   */
  find(
    javaHash: number,
    begin: number,
    end: number,
    maxCount: number,
    accept: (physicalOffset: number) => boolean,
  ): IndexLookup {
    const lookup: IndexLookup = { physicalOffsets: [], lastTimestamp: 0, lastPhysicalOffset: 0, entries: 0 };
    for (const name of listIndexFiles(this.#disk, this.#directory).reverse()) {
      const file = this.#disk.open(join(this.#directory, name), -1);
      if (typeof file === 'number') continue;
      try {
        if (this.#search(file, storedHash(javaHash), begin, end, maxCount, accept, lookup)) break;
      } finally {
        file.close();
      }
    }
    return lookup;
  }

  /** True when enough is found. Times need not ascend from file to file: the clock may have been wrong. */
  #search(
    file: RangeFile,
    hash: number,
    begin: number,
    end: number,
    maxCount: number,
    accept: (physicalOffset: number) => boolean,
    lookup: IndexLookup,
  ): boolean {
    if (file.read(0, this.#bytes, 0, INDEX_HEADER_BYTES) !== INDEX_HEADER_BYTES) return false;
    const count = this.#view.getInt32(INDEX_COUNT);
    // Made a moment ago, or by a process that was killed then: it has no times yet.
    if (count <= 1) return false;
    const fileBegin = readInt64(this.#view, BEGIN_TIMESTAMP);
    const fileEnd = readInt64(this.#view, END_TIMESTAMP);
    if (lookup.lastTimestamp === 0) {
      lookup.lastTimestamp = fileEnd;
      lookup.lastPhysicalOffset = readInt64(this.#view, END_PHYSICAL);
    }
    if (fileBegin - STORE_TIME_LEAD_MS > end || fileEnd < begin) return false;
    let entry = this.#newest(file, hash, count);
    while (entry > 0 && entry < count && lookup.physicalOffsets.length < maxCount) {
      if (++lookup.entries > MAX_QUERY_ENTRIES) return true;
      const read = file.read(entryOffset(this.#geometry, entry), this.#bytes, 0, INDEX_ENTRY_BYTES);
      if (read !== INDEX_ENTRY_BYTES) break;
      const difference = this.#view.getInt32(ENTRY_TIME);
      const time = fileBegin + difference * 1000;
      // Within a file store times may go back by so much.
      if (time + STORE_TIME_LEAD_MS < begin) break;
      const physicalOffset = readInt64(this.#view, ENTRY_PHYSICAL);
      const previous = this.#view.getInt32(ENTRY_PREVIOUS);
      // The stored time has whole seconds only: a record may be up to one second younger than it says. And records that
      // are a little older than the file's first one stand there as if they were not.
      const isInTime = time + 1000 > begin && (time <= end || difference === 0);
      if (this.#view.getInt32(0) === hash && isInTime && accept(physicalOffset)) {
        lookup.physicalOffsets.push(physicalOffset);
      }
      if (previous >= entry) break;
      entry = previous;
    }
    return lookup.physicalOffsets.length >= maxCount;
  }

  /** The newest entry of the key's chain that the header counts; the dispatcher may have put newer ones by now. */
  #newest(file: RangeFile, hash: number, count: number): number {
    const at = INDEX_HEADER_BYTES + (hash % this.#geometry.slots) * SLOT_BYTES;
    if (file.read(at, this.#bytes, 0, SLOT_BYTES) !== SLOT_BYTES) return 0;
    let entry = this.#view.getInt32(0);
    while (entry >= count && entry < this.#geometry.entries) {
      const read = file.read(entryOffset(this.#geometry, entry), this.#bytes, 0, INDEX_ENTRY_BYTES);
      const previous = read === INDEX_ENTRY_BYTES ? this.#view.getInt32(ENTRY_PREVIOUS) : 0;
      if (previous >= entry) return 0;
      entry = previous;
    }
    return entry;
  }
}
