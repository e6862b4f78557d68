/**
 * The contract of the C++ addon (`native/`), and the only file that loads it.
 *
 * Regions are memory that all threads of the process see at one address: anonymous memory or a mapped CommitLog
 * segment. Each thread attaches a region once and then works on a *non-shared* ArrayBuffer over it, since V8 copies
 * misaligned parts of SharedArrayBuffers with a slow word loop. Files are reached by (file id, offset, length) through
 * a bounded cache of descriptors, so that tens of thousands of ConsumeQueues need neither a descriptor nor a mapping
 * each.
 *
 * Conventions: ids are positive int32 and never reused within a process. Offsets and lengths are bytes, as JavaScript
 * numbers below 2^53. Calls that fail in an expected way return `-errno` (see `os.constants.errno`); misuse (unknown
 * id, range outside the region) throws a RangeError and touches nothing.
 */
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { embedded } from '../lib/embedded.ts';

export interface NativeAddon {
  // ---- regions -------------------------------------------------------------------------------------------------
  /** Anonymous zeroed memory, reserved but not touched (MAP_NORESERVE). Returns the region id or -errno. */
  allocateRegion(bytes: number): number;
  /**
   * Maps a file of exactly `bytes` bytes read-write and shared. With `create` a missing file is made first, its first
   * `room` bytes (all when left out) really allocated (fallocate; where unsupported, zeros are written), and synced
   * together with its directory. Without, a missing file is -ENOENT and one of another size -EINVAL. The same path
   * opened twice gives the same id; each open needs one `closeRegion`. Thread-safe: two threads creating the same path
   * wait for each other.
   */
  openSegment(path: string, bytes: number, create: boolean, room?: number): number;
  /**
   * Maps a file of exactly `bytes` bytes that this user may only read. A region of its own; writing to its bytes ends
   * the process. Region id, -ENOENT, -EINVAL for one of another size, or another -errno.
   */
  openSegmentForReading(path: string, bytes: number): number;
  /**
   * Makes the file as `openSegment(create)` would, in libuv's thread pool, without mapping it. Resolves 0 or -errno.
   */
  prepareSegment(path: string, bytes: number, room?: number): Promise<number>;
  /**
   * Allocates what [from, from + length) of a segment's file has not got yet, so that a write there never finds a full
   * disk. Only for ranges to which nothing was written: where the file system cannot allocate, zeros are. 0, or -errno:
   * -ENOSPC. Blocks for as long as the file system takes.
   */
  reserveRegion(region: number, from: number, length: number): number;
  /** The same in libuv's thread pool, by allocation alone. Resolves 0 or -errno: -EOPNOTSUPP. */
  reserveRegionAhead(region: number, from: number, length: number): Promise<number>;
  /**
   * This thread's ArrayBuffer over a region; the same object on every call. It keeps the region mapped until
   * `detach` or until it is collected.
   */
  attach(region: number): ArrayBuffer;
  /** Detaches this thread's ArrayBuffer: every view of it has length 0 from now on. Unknown or not attached: no-op. */
  detach(region: number): void;
  /** Gives back one open. The mapping ends when no open and no thread's attachment is left. */
  closeRegion(region: number): void;
  /** Number of opens plus attachments; 0 when the id is unknown or gone. */
  regionReferences(region: number): number;
  /**
   * Makes what was written of [from, to) durable, and what else of its file was (fdatasync). 0 or -errno; -EIO when the
   * fault guard met the range or the file was cut short: then nothing that was written counts as durable. Blocks.
   */
  syncRegion(region: number, from: number, to: number): number;
  /**
   * Writes source[sourceOffset, +length) to `offset` of a segment's file, the first eight bytes after all others. 0 or
   * -errno; -EIO also when the file has been cut short, which sets the region's error. The caller keeps both mapped.
   */
  appendToRegion(
    region: number,
    offset: number,
    source: number,
    sourceOffset: number,
    length: number,
  ): number;
  /** 0, or the errno-like code that the fault guard recorded for this region (EIO). */
  regionError(region: number): number;
  /**
   * The same for a range: 0 while the guard has met none of its pages, so that what was read there is the file's. A
   * page that was lost stays so for as long as the region lives; the file itself may be read (`readFile`).
   */
  regionErrorIn(region: number, from: number, length: number): number;
  /** madvise; advice: 'normal' | 'random' | 'sequential' | 'willneed' | 'dontneed' | 'populateRead'. 0 or -errno. */
  adviseRegion(region: number, from: number, length: number, advice: string): number;
  /** Number of pages of the range that are in memory (mincore), or -errno. */
  residentPages(region: number, from: number, length: number): number;
  /** Same, on libuv's thread pool: reads one byte of each page so that a later read does not fault. */
  populateRegion(region: number, from: number, length: number): Promise<number>;

  // ---- bulk work on regions ------------------------------------------------------------------------------------
  /** memcpy between regions (may be the same one; ranges that overlap are misuse). The caller keeps both mapped. */
  copy(target: number, targetOffset: number, source: number, sourceOffset: number, length: number): void;
  /**
   * memcpy, and the CRC-32 (zlib polynomial, unmasked, as unsigned number) of the source bytes
   * [crcOffset, crcOffset + crcLength), offsets counted from the start of the source region.
   */
  copyWithCrc(
    target: number,
    targetOffset: number,
    source: number,
    sourceOffset: number,
    length: number,
    crcOffset: number,
    crcLength: number,
  ): number;
  /** CRC-32 of a range of a region, unsigned. */
  crcOfRegion(region: number, offset: number, length: number): number;
  /** CRC-32 of a range of a typed array, unsigned. */
  crcOfBytes(bytes: Uint8Array, offset: number, length: number): number;

  /**
   * Sends head[0, headLength) and then `count` ranges of regions, at most 64, over a stream socket, without waiting. In
   * `parts` stand region, offset and length of each. Bytes that the kernel has taken, which may end anywhere: the
   * socket is full, or a page cannot be read. -errno when it has taken none: -EAGAIN, -EFAULT for a page that cannot be
   * read, or another; but -EIO, whatever was sent, when a region has an error: zeros may be among it. The caller keeps
   * the regions mapped.
   */
  sendGathered(
    descriptor: number,
    head: Uint8Array,
    headLength: number,
    parts: Float64Array,
    count: number,
  ): number;

  // ---- small files ---------------------------------------------------------------------------------------------
  /**
   * Registers a file for reading and writing by range. A missing file is created sparse with `bytes` bytes when
   * `bytes` >= 0 (its directory must exist), -ENOENT otherwise. An existing file keeps its size. Same path, same id;
   * each open needs one `closeFile`, the last of them before the file is deleted or replaced.
   */
  openFile(path: string, bytes: number): number;
  /**
   * Reads up to `length` bytes at `fileOffset` into target[targetOffset…]. Bytes read (fewer only at the end) or
   * -errno.
   */
  readFile(
    file: number,
    fileOffset: number,
    target: Uint8Array,
    targetOffset: number,
    length: number,
  ): number;
  /**
   * Writes all of source[sourceOffset, +length) at `fileOffset`, growing the file if need be, and marks it dirty.
   * `length` or -errno.
   */
  writeFile(
    file: number,
    fileOffset: number,
    source: Uint8Array,
    sourceOffset: number,
    length: number,
  ): number;
  /** Size in bytes, or -errno. */
  fileSize(file: number): number;
  /**
   * fdatasync of every file written since the last call that returned 0 (syncfs when they are many), and of the
   * directories in which files were made, in libuv's thread pool. 0 or -errno: all of it then belongs to the next call,
   * which writes the files' pages again first.
   */
  syncDirtyFiles(): Promise<number>;
  /** Gives back one open; the descriptor is closed with the last. */
  closeFile(file: number): void;
  /** Upper bound of cached descriptors (default 512). */
  setFileCacheLimit(descriptors: number): void;

  // ---- whole files by path -------------------------------------------------------------------------------------
  /**
   * Makes [from, to) of a file read as zeros without growing it (FALLOC_FL_PUNCH_HOLE, else writes), then syncs. Room
   * that was allocated there is given back. 0 or -errno.
   */
  zeroFileRange(path: string, from: number, to: number): number;
  /**
   * Where data begins at or behind `from`: neither a hole nor an extent that was never written. -1 when there is none,
   * `from` when nobody knows.
   */
  firstData(path: string, from: number): number;
  /** fsync of a directory. 0 or -errno. */
  syncDirectory(path: string): number;
  /** Open-file-description write lock on byte 0 of the file (created if missing). Descriptor, or -EAGAIN when held. */
  lockFile(path: string): number;
  /** Closes a descriptor from `lockFile` and so releases the lock. */
  unlockFile(descriptor: number): void;
  /** posix_fadvise(DONTNEED) on a range of a file. 0 or -errno. */
  dropFileCache(path: string, from: number, length: number): number;

  // ---- waking event loops --------------------------------------------------------------------------------------
  /** A bell of this thread's event loop; does not keep it alive. Rings that arrive before the callback ran coalesce. */
  openDoorbell(callback: () => void): number;
  /** From any thread; after close: no-op. */
  ringDoorbell(doorbell: number): void;
  /** A place for a thread to park at, never closed; its id, valid in all threads. -errno when there are too many. */
  openParking(): number;
  /**
   * Blocks this thread until `unpark`, or for `millis` (a whole number), but for no longer than a second. Returns at
   * once when it was unparked since it parked here last. 1 when it was unparked, else 0. One thread a place.
   */
  park(place: number, millis: number): number;
  /** Wakes the thread that parks there, or the one that does so next. */
  unpark(place: number): void;
  closeDoorbell(doorbell: number): void;
  /** sched_yield: a thread that only looks for work lets those run that wait for its processor. */
  yieldProcessor(): void;
  /**
   * The name of this thread in the system's tools (`top -H`, /proc/PID/task/TID/comm): its first 15 bytes. Threads that
   * it starts begin with the same. 0 or -errno.
   */
  nameThread(name: string): number;

  // ---- the rest ------------------------------------------------------------------------------------------------
  /** dup(2) with CLOEXEC, for handing a socket to another thread. Descriptor or -errno. */
  duplicateDescriptor(descriptor: number): number;
  /**
   * From now on memory blocks of this size and more go back to the system when they are freed (mallopt
   * M_MMAP_THRESHOLD and M_TRIM_THRESHOLD; nothing where the C library is not glibc). For the whole process. 0 or
   * -errno.
   */
  returnLargeBlocks(bytes: number): number;
  /** Gives free memory within the heap back to the system (malloc_trim). Resolves 1 when there was some. */
  trimHeap(): Promise<number>;
  /**
   * Installs the SIGBUS handler once per process: a fault inside a mapped segment gets an anonymous page there and
   * sets the region's error; any other fault goes to the previous handler.
   */
  installFaultGuard(): void;
  /**
   * Sends a text to a service manager's datagram socket: a path, or an abstract name behind an `@` (NOTIFY_SOCKET of
   * sd_notify(3)). Does not wait. 0 or -errno.
   */
  notifySupervisor(address: string, text: string): number;
}

const require = createRequire(import.meta.url);

/** By the one file that knows where an addon may lie and which fits: native/load.cjs, which the packaging uses too. */
function load(): NativeAddon {
  if (embedded !== undefined) return embedded.addon() as NativeAddon;
  // From the sources or a bundle, then from the compiler's output.
  const places = ['../../native/load.cjs', '../../../native/load.cjs'];
  const place = places.find((candidate) => existsSync(new URL(candidate, import.meta.url))) as string;
  return (require(place) as { loadAddon: () => NativeAddon }).loadAddon();
}

export const addon: NativeAddon = load();
