/**
 * Index files: every chain is whole and leads from its slot to ever older entries, and every entry points to a record
 * that has such a key.
 */
import { join } from 'node:path';
import { readInt64 } from '../../lib/int64.ts';
import type { Disk, Mapping } from '../../store/disk/disk.ts';
import {
  BEGIN_PHYSICAL,
  END_PHYSICAL,
  ENTRY_PHYSICAL,
  ENTRY_PREVIOUS,
  entryOffset,
  INDEX_COUNT,
  INDEX_HEADER_BYTES,
  type IndexGeometry,
  SLOT_BYTES,
  SLOT_COUNT,
} from '../../store/index/index-layout.ts';
import { storePaths } from '../../store/paths.ts';
import type { LogFacts } from './check-commit-log.ts';
import { indexGeometry } from './index-geometry.ts';
import { indexEntryProblem } from './record-keys.ts';
import type { RecordLookup } from './record-lookup.ts';
import { type Found, type Report, Ticker } from './report.ts';
import type { StoreFiles } from './store-files.ts';

const EINVAL = 22;

export class IndexCheck {
  entries = 0;
  readonly #disk: Disk;
  readonly #store: StoreFiles;
  readonly #report: Report;
  readonly #log: LogFacts;
  readonly #records: RecordLookup;
  readonly #ticker = new Ticker();

  constructor(disk: Disk, store: StoreFiles, report: Report, log: LogFacts, records: RecordLookup) {
    this.#disk = disk;
    this.#store = store;
    this.#report = report;
    this.#log = log;
    this.#records = records;
  }

  /** `slots`: hash slots of a file, where its size does not tell. */
  run(slots?: number): void {
    for (const name of this.#store.indexFiles) {
      this.#report.file('Index', `index/${name}`, (found) => this.#checkFile(name, slots, found));
    }
  }

  #checkFile(name: string, slots: number | undefined, found: Found): string {
    const path = join(storePaths.index(this.#store.root), name);
    const size = this.#disk.size(path);
    const mapping = size < INDEX_HEADER_BYTES ? -EINVAL : this.#disk.map(path, size);
    if (typeof mapping === 'number') {
      found(
        'index-file',
        0,
        `its ${size} bytes cannot be opened for reading and writing (errno ${-mapping})`,
      );
      return 'not read';
    }
    try {
      const geometry = indexGeometry(mapping, slots);
      if (geometry !== undefined) return this.#checkMapped(mapping, geometry, found);
      found(
        'index-file',
        0,
        `its content does not tell how many slots it has: say so with --index-slots (maxHashSlotNum)`,
      );
      return 'not read';
    } finally {
      mapping.close();
    }
  }

  #checkMapped(mapping: Mapping, geometry: IndexGeometry, found: Found): string {
    const { view } = mapping;
    const count = view.getInt32(INDEX_COUNT);
    if (count < 0 || count > geometry.entries) {
      found(
        'index-file',
        INDEX_COUNT,
        `indexCount is ${count}, but the file has room for ${geometry.entries} entries`,
      );
      return 'not read';
    }
    const newest = new Int32Array(geometry.slots);
    for (let entry = 1; entry < count; entry++) {
      this.#checkEntry(view, geometry, entry, newest, found);
      if (this.#ticker.due()) this.#report.progress(entry, count, 'entries');
    }
    const used = this.#checkSlots(view, newest, count, found);
    this.#checkHeader(view, geometry, count, used, found);
    const entries = Math.max(0, count - 1);
    this.entries += entries;
    return `${entries} entries in ${used} slots`;
  }

  #checkEntry(
    view: DataView,
    geometry: IndexGeometry,
    entry: number,
    newest: Int32Array,
    found: Found,
  ): void {
    const at = entryOffset(geometry, entry);
    const hash = view.getInt32(at);
    const physical = readInt64(view, at + ENTRY_PHYSICAL);
    const previous = view.getInt32(at + ENTRY_PREVIOUS);
    if (hash < 0) {
      found('index-chain', at, `entry ${entry} has the negative hash ${hash}`);
      return;
    }
    const slot = hash % geometry.slots;
    const expected = newest[slot] as number;
    if (previous !== expected) {
      found(
        'index-chain',
        at,
        `entry ${entry} goes on to entry ${previous}, but the next older one of slot ${slot} is ${expected}`,
      );
    }
    newest[slot] = entry;
    if (physical < this.#log.start && physical >= 0) return;
    const problem = indexEntryProblem(this.#records, physical, hash);
    if (problem !== undefined) found('index-record', at, `entry ${entry} points to ${physical}: ${problem}`);
  }

  /** Number of slots in use. */
  #checkSlots(view: DataView, newest: Int32Array, count: number, found: Found): number {
    let used = 0;
    for (let slot = 0; slot < newest.length; slot++) {
      const expected = newest[slot] as number;
      if (expected !== 0) used++;
      const at = INDEX_HEADER_BYTES + slot * SLOT_BYTES;
      const value = view.getInt32(at);
      // A broker at work writes slots before it counts their entries.
      if (value === expected || (this.#store.open && value >= count)) continue;
      found('index-chain', at, `slot ${slot} names entry ${value}, but its newest entry is ${expected}`);
    }
    return used;
  }

  #checkHeader(view: DataView, geometry: IndexGeometry, count: number, used: number, found: Found): void {
    if (count <= 1) return;
    const slots = view.getInt32(SLOT_COUNT);
    // A broker at work may have counted on since.
    if (slots !== used && !this.#store.open) {
      found('index-header', SLOT_COUNT, `the header counts ${slots} slots in use, there are ${used}`);
    }
    const first = readInt64(view, entryOffset(geometry, 1) + ENTRY_PHYSICAL);
    const last = readInt64(view, entryOffset(geometry, count - 1) + ENTRY_PHYSICAL);
    const begin = readInt64(view, BEGIN_PHYSICAL);
    const end = readInt64(view, END_PHYSICAL);
    if (begin !== first)
      found('index-header', BEGIN_PHYSICAL, `the header begins at ${begin}, the first entry at ${first}`);
    // Records behind the last entry may have had no key.
    if (end < last)
      found('index-header', END_PHYSICAL, `the header ends at ${end}, the last entry is at ${last}`);
  }
}
