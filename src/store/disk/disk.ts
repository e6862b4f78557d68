/**
 * What the store asks of a disk. Production uses the native addon (native-disk.ts); tests use a disk that can lose
 * everything not yet synced. Calls that may fail in an expected way return a negative errno.
 */
import type { Bulk } from '../../ring/bulk.ts';

/** A mapped CommitLog segment, or index file, as one thread sees it. */
export interface Mapping extends Bulk {
  readonly size: number;
  /**
   * Writes source[from, +length) to `offset` of the file, its first eight bytes after all others have been written: who
   * is killed in the middle leaves zeros there. `source` comes from `Disk.memory`. 0 or -errno.
   */
  append(offset: number, source: Bulk, from: number, length: number): number;
  /**
   * Allocates what [from, from + length) of the file has not got yet: `append` there finds room, whatever the disk.
   * Nothing was written there: zeros are, where the file system cannot allocate. 0 or -errno; blocks for as long as the
   * file system takes.
   */
  reserve(from: number, length: number): number;
  /** The same in the background; only where the file system can allocate. */
  reserveAhead(from: number, length: number): Promise<number>;
  /** CRC-32 (unsigned) of a range. */
  crc(offset: number, length: number): number;
  /** Makes [from, to) durable. 0 or -errno. */
  sync(from: number, to: number): number;
  /**
   * 0, or the errno of a fault that was caught in this mapping; with a range, of one there. Where there was one, zeros
   * may stand instead of what the file holds: `Segments.copy` reads the file itself then.
   */
  error(from?: number, length?: number): number;
  /** Whether every page of the range is in memory, so that reading it cannot wait for the device. */
  resident(from: number, length: number): boolean;
  /** Brings the range into memory in the background, so that reading it does not wait. 0 or -errno. */
  populate(from: number, length: number): Promise<number>;
  /**
   * Lets the memory of a range go that is durable: whoever reads it again reads it from the disk. Only a hint, never an
   * error.
   */
  release(from: number, length: number): void;
  /** Ends this thread's view; later reads see nothing. */
  close(): void;
}

/** A sparse file reached by ranges. */
export interface RangeFile {
  /** Bytes read (fewer only at the end of the file) or -errno. */
  read(fileOffset: number, target: Uint8Array, targetOffset: number, length: number): number;
  /** `length` or -errno. */
  write(fileOffset: number, source: Uint8Array, sourceOffset: number, length: number): number;
  size(): number;
  close(): void;
}

export interface Disk {
  /** Zeroed memory for `Mapping.append`. */
  memory(bytes: number): Bulk;
  /**
   * Opens a mapping of exactly `size` bytes; with `create` a missing file is made and synced first, so many bytes from
   * its beginning allocated.
   */
  map(path: string, size: number, create?: number): Mapping | number;
  /** Makes a segment file ahead of need without mapping it, `room` bytes of it allocated. 0 or -errno. */
  prepare(path: string, size: number, room: number): Promise<number>;
  /** Opens a range file; a missing one is created sparse when `size` >= 0. */
  open(path: string, size: number): RangeFile | number;
  /** Makes durable what range files wrote before the call. 0 or -errno. */
  syncRangeFiles(): Promise<number>;
  /** Names in a directory, unsorted; empty when it does not exist. */
  list(directory: string): string[];
  isDirectory(path: string): boolean;
  /** Makes a directory and those above it. Throws when that, or its use, is not possible. */
  makeDirectory(path: string): void;
  /** Size of a file, or -1 when it does not exist. */
  size(path: string): number;
  /** Last modification, ms since the epoch. */
  modified(path: string): number;
  /** Whole content, or undefined when the file does not exist. */
  readWhole(path: string): Uint8Array | undefined;
  /** Replaces a small file durably: temporary file, sync, rename, sync of the directory. */
  writeWhole(path: string, content: Uint8Array): void;
  /** Makes [from, to) of a file read as zeros, durably. 0 or -errno. */
  zero(path: string, from: number, to: number): number;
  /** First place at or behind `from` that may hold anything but zeros, as far as the file system knows; -1 = none. */
  firstData(path: string, from: number): number;
  /** Copies [from, to) of a file into a new file, durably, by way of a temporary one. Throws when it cannot. */
  copyRange(path: string, from: number, to: number, target: string): void;
  /** Moves a file within its file system; throws when it cannot. */
  setAside(path: string, to: string): void;
  /** Removes a file or a whole directory; missing is fine. */
  remove(path: string): void;
  /** Makes the names in a directory durable: what was made, moved or removed there. 0 or -errno. */
  syncDirectory(path: string): number;
  /** Locks a file, made when missing, against other processes and other opens. Number of the lock or -errno. */
  lock(path: string): number;
  unlock(lock: number): void;
  /** Names the running boot of the machine, or '' where nobody tells. In the same boot the page cache is the same. */
  boot(): string;
}
