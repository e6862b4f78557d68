/**
 * Writing the key index; owned by a dispatcher. Entries and slots go into the mapped current file at once, its header
 * once per batch (`commit`), so readers never meet an entry that is not complete. A full file is followed by a new one.
 */
import { join } from 'node:path';
import { getSystemErrorName } from 'node:util';
import type { Clock } from '../../lib/clock.ts';
import { readInt64, writeInt64 } from '../../lib/int64.ts';
import type { Disk, Mapping } from '../disk/disk.ts';
import { STORE_TIME_LEAD_MS } from '../log/commit-log.ts';
import {
  BEGIN_PHYSICAL,
  BEGIN_TIMESTAMP,
  END_PHYSICAL,
  END_TIMESTAMP,
  ENTRY_PHYSICAL,
  ENTRY_PREVIOUS,
  ENTRY_TIME,
  entryOffset,
  INDEX_COUNT,
  INDEX_HEADER_BYTES,
  type IndexGeometry,
  indexFileBytes,
  indexFileName,
  SLOT_BYTES,
  SLOT_COUNT,
  storedHash,
} from './index-layout.ts';

const MAX_TIME_DIFF = 0x7fffffff;
const NOTHING = new Uint8Array(0);

export class KeyIndex {
  /** Position of the newest record all of whose keys are in the index; -1 while there is none. */
  endPhysical = -1;
  /**
   * Store time of the last record of a file that was completed; 0 when none was since start. The file is among those
   * that `Disk.syncRangeFiles` makes durable, so it is so only after the next call of that.
   */
  completedTimestamp = 0;
  readonly #disk: Disk;
  readonly #directory: string;
  readonly #geometry: IndexGeometry;
  readonly #clock: Clock;
  #mapping: Mapping | undefined;
  #count = 1;
  #usedSlots = 0;
  #beginTimestamp = 0;
  #endTimestamp = 0;
  #lastName = '';
  /** Something was entered in the file since its header was written. */
  #isAhead = false;
  /** Keys entered of the record at `endPhysical`; of one that could not be entered whole, those to leave out. */
  #keys = 0;
  #partial = -1;

  constructor(disk: Disk, directory: string, geometry: IndexGeometry, clock: Clock) {
    this.#disk = disk;
    this.#directory = directory;
    this.#geometry = geometry;
    this.#clock = clock;
    disk.makeDirectory(directory);
    const names = listIndexFiles(disk, directory);
    const newest = names.at(-1);
    if (newest !== undefined) this.#resume(newest, names.at(-2));
  }

  /**
   * Enters one key of the record at `physicalOffset`. 0, or -errno when a new file cannot be made: the record may be
   * entered again then, with the same keys, and those that were entered are left out.
   */
  put(javaHash: number, physicalOffset: number, storeTimestamp: number): number {
    if (physicalOffset === this.#partial) {
      if (this.#keys-- > 0) return 0;
      this.#partial = -1;
    }
    if (
      this.#mapping === undefined ||
      this.#count >= this.#geometry.entries ||
      this.#wentBack(storeTimestamp)
    ) {
      const outcome = this.#roll();
      if (outcome < 0) return this.#stopWithin(physicalOffset, outcome);
    }
    const { view } = this.#mapping as Mapping;
    if (this.#count <= 1) this.#begin(view, physicalOffset, storeTimestamp);
    const hash = storedHash(javaHash);
    const slotAt = INDEX_HEADER_BYTES + (hash % this.#geometry.slots) * SLOT_BYTES;
    const previous = this.#committed(view, view.getInt32(slotAt));
    const at = entryOffset(this.#geometry, this.#count);
    view.setInt32(at, hash);
    writeInt64(view, at + ENTRY_PHYSICAL, physicalOffset);
    view.setInt32(at + ENTRY_TIME, this.#timeDiff(storeTimestamp));
    view.setInt32(at + ENTRY_PREVIOUS, previous);
    view.setInt32(slotAt, this.#count);
    if (previous === 0) this.#usedSlots++;
    this.#count++;
    this.#isAhead = true;
    this.#endTimestamp = Math.max(this.#endTimestamp, storeTimestamp);
    this.#keys = physicalOffset === this.endPhysical ? this.#keys + 1 : 1;
    this.endPhysical = physicalOffset;
    return 0;
  }

  /** Shows what was put to readers. 0, or the errno of a fault in the mapping. */
  commit(): number {
    const mapping = this.#mapping;
    if (mapping === undefined) return 0;
    // The header of a file that was only resumed says where its last entry leads, which `endPhysical` may lie before.
    if (!this.#isAhead) return mapping.error();
    this.#isAhead = false;
    const { view } = mapping;
    writeInt64(view, END_TIMESTAMP, this.#endTimestamp);
    writeInt64(view, END_PHYSICAL, this.endPhysical);
    view.setInt32(SLOT_COUNT, this.#usedSlots);
    view.setInt32(INDEX_COUNT, this.#count);
    return mapping.error();
  }

  /** Makes the current file durable: at a clean stop. */
  sync(): number {
    return this.#mapping?.sync(0, this.#mapping.size) ?? 0;
  }

  get lastTimestamp(): number {
    return this.#endTimestamp;
  }

  close(): void {
    this.#mapping?.close();
    this.#mapping = undefined;
  }

  #stopWithin(physicalOffset: number, outcome: number): number {
    if (physicalOffset !== this.endPhysical) this.#keys = 0;
    else this.endPhysical--;
    this.#partial = physicalOffset;
    return outcome;
  }

  #begin(view: DataView, physicalOffset: number, storeTimestamp: number): void {
    this.#beginTimestamp = storeTimestamp;
    this.#endTimestamp = storeTimestamp;
    writeInt64(view, BEGIN_TIMESTAMP, storeTimestamp);
    writeInt64(view, BEGIN_PHYSICAL, physicalOffset);
  }

  /**
   * Store times go back by more than they may be ahead when a clock turns out to have been wrong: a new file then. So
   * readers may rely on the order within a file, with that tolerance.
   */
  #wentBack(storeTimestamp: number): boolean {
    return this.#count > 1 && this.#endTimestamp - storeTimestamp > STORE_TIME_LEAD_MS;
  }

  #timeDiff(storeTimestamp: number): number {
    const seconds = Math.floor((storeTimestamp - this.#beginTimestamp) / 1000);
    return Math.min(Math.max(seconds, 0), MAX_TIME_DIFF);
  }

  /**
   * The newest entry of a chain that counts. A killed process may have left newer ones: they are put again, in the same
   * order and places, and until then they only lead on to the older ones.
   */
  #committed(view: DataView, newest: number): number {
    let entry = newest;
    while (entry >= this.#count && entry < this.#geometry.entries) {
      const previous = view.getInt32(entryOffset(this.#geometry, entry) + ENTRY_PREVIOUS);
      if (previous >= entry) return 0;
      entry = previous;
    }
    return entry > 0 && entry < this.#count ? entry : 0;
  }

  #resume(name: string, before: string | undefined): void {
    const mapping = this.#open(name);
    if (typeof mapping === 'number') {
      throw new Error(
        `The index file ${join(this.#directory, name)} cannot be opened (${getSystemErrorName(mapping)}): set ` +
          'maxHashSlotNum and maxIndexNum as they were when it was made, or move it away.',
      );
    }
    const { view } = mapping;
    this.#mapping = mapping;
    this.#count = Math.max(1, view.getInt32(INDEX_COUNT));
    this.#usedSlots = view.getInt32(SLOT_COUNT);
    this.#beginTimestamp = readInt64(view, BEGIN_TIMESTAMP);
    this.#endTimestamp = readInt64(view, END_TIMESTAMP);
    this.#lastName = name;
    if (this.#count > 1) this.endPhysical = readInt64(view, END_PHYSICAL);
    else if (before !== undefined) this.endPhysical = this.#endOf(before);
    // The last keys of a full file's last record may have gone into the next file: they are entered again.
    if (this.#count <= 1 || this.#count >= this.#geometry.entries) this.endPhysical--;
  }

  #endOf(name: string): number {
    const file = this.#disk.open(join(this.#directory, name), -1);
    if (typeof file === 'number') return -1;
    const header = new Uint8Array(INDEX_HEADER_BYTES);
    const read = file.read(0, header, 0, INDEX_HEADER_BYTES);
    file.close();
    return read === INDEX_HEADER_BYTES ? readInt64(new DataView(header.buffer), END_PHYSICAL) : -1;
  }

  #roll(): number {
    if (this.#mapping !== undefined) {
      const outcome = this.#complete(this.#mapping);
      if (outcome < 0) return outcome;
      this.#mapping = undefined;
    }
    const name = this.#freshName();
    const mapping = this.#open(name);
    if (typeof mapping === 'number') {
      // An empty file among the others would end searches before the older ones.
      this.#disk.remove(join(this.#directory, name));
      return mapping;
    }
    mapping.view.setInt32(INDEX_COUNT, 1);
    this.#mapping = mapping;
    this.#count = 1;
    this.#usedSlots = 0;
    return 0;
  }

  /**
   * Closes the full file off. Syncing 400 MB takes seconds, in which nothing would be dispatched: the file is only
   * marked as written, so that the sync before the next checkpoint, in a thread of its own, makes it durable.
   */
  #complete(mapping: Mapping): number {
    const fault = this.commit();
    if (fault !== 0) return -fault;
    const marked = syncLater(this.#disk, join(this.#directory, this.#lastName));
    if (marked < 0) return marked;
    this.completedTimestamp = this.#endTimestamp;
    mapping.close();
    return 0;
  }

  /** Names ascend even when two files are made within a millisecond or the clock steps back. */
  #freshName(): string {
    let now = this.#clock.now();
    let name = indexFileName(now);
    while (name <= this.#lastName) {
      now++;
      const later = indexFileName(now);
      name = later > this.#lastName ? later : String(BigInt(this.#lastName) + 1n);
    }
    this.#lastName = name;
    return name;
  }

  /** The file is made sparse first: allocating 400 MB for a handful of keys would be absurd. */
  #open(name: string): Mapping | number {
    const path = join(this.#directory, name);
    const bytes = indexFileBytes(this.#geometry);
    const file = this.#disk.open(path, bytes);
    if (typeof file === 'number') return file;
    file.close();
    return this.#disk.map(path, bytes);
  }
}

/** Puts a file whose mapping was written among those that the next `Disk.syncRangeFiles` makes durable. 0 or -errno. */
export function syncLater(disk: Disk, path: string): number {
  const file = disk.open(path, -1);
  if (typeof file === 'number') return file;
  const marked = file.write(0, NOTHING, 0, 0);
  file.close();
  return marked;
}

/** Names of the index files, oldest first; anything else in the directory is left alone. */
export function listIndexFiles(disk: Disk, directory: string): string[] {
  return disk
    .list(directory)
    .filter((name) => /^\d{17}$/.test(name))
    .sort();
}
