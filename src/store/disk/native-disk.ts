/** The real disk: mappings and range files through the addon, the rest through node:fs. */
import {
  closeSync,
  fsyncSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { makeUsableDirectory, naming } from '../../lib/files.ts';
import { addon } from '../../native/addon.ts';
import { attachBulk, type Bulk } from '../../ring/bulk.ts';
import type { Disk, Mapping, RangeFile } from './disk.ts';

const PAGE = 4096;

/**
 * Views of each region in this thread. The addon has one ArrayBuffer per region and thread, so it may be detached only
 * with the last view: several agents in one thread map the same file.
 */
const views = new Map<number, number>();

function addView(region: number): ArrayBuffer {
  views.set(region, (views.get(region) ?? 0) + 1);
  return addon.attach(region);
}

function dropView(region: number): void {
  const left = (views.get(region) ?? 1) - 1;
  if (left > 0) {
    views.set(region, left);
    return;
  }
  views.delete(region);
  addon.detach(region);
}

export class NativeMapping implements Mapping {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  readonly size: number;
  readonly region: number;
  readonly #path: string;

  constructor(region: number, size: number, path: string) {
    this.#path = path;
    const buffer = addView(region);
    this.region = region;
    this.size = size;
    this.bytes = new Uint8Array(buffer);
    this.view = new DataView(buffer);
  }

  append(offset: number, source: Bulk, from: number, length: number): number {
    return addon.appendToRegion(this.region, offset, source.region, from, length);
  }

  reserve(from: number, length: number): number {
    return addon.reserveRegion(this.region, from, length);
  }

  reserveAhead(from: number, length: number): Promise<number> {
    return addon.reserveRegionAhead(this.region, from, length);
  }

  crc(offset: number, length: number): number {
    return addon.crcOfRegion(this.region, offset, length);
  }

  sync(from: number, to: number): number {
    return addon.syncRegion(this.region, from, to);
  }

  error(from?: number, length = 0): number {
    if (from === undefined) return addon.regionError(this.region);
    return addon.regionErrorIn(this.region, from, length);
  }

  resident(from: number, length: number): boolean {
    const first = Math.floor(from / PAGE);
    const last = Math.floor((from + length - 1) / PAGE);
    return addon.residentPages(this.region, from, length) === last - first + 1;
  }

  populate(from: number, length: number): Promise<number> {
    const bounded = Math.min(length, this.size - from);
    addon.adviseRegion(this.region, from, bounded, 'willneed');
    return addon.populateRegion(this.region, from, bounded);
  }

  release(from: number, length: number): void {
    // Pages stay in the page cache while they are mapped, so they are unmapped first.
    addon.adviseRegion(this.region, from, length, 'dontneed');
    addon.dropFileCache(this.#path, from, length);
  }

  close(): void {
    dropView(this.region);
    addon.closeRegion(this.region);
  }
}

class NativeRangeFile implements RangeFile {
  readonly #file: number;

  constructor(file: number) {
    this.#file = file;
  }

  read(fileOffset: number, target: Uint8Array, targetOffset: number, length: number): number {
    return addon.readFile(this.#file, fileOffset, target, targetOffset, length);
  }

  write(fileOffset: number, source: Uint8Array, sourceOffset: number, length: number): number {
    return addon.writeFile(this.#file, fileOffset, source, sourceOffset, length);
  }

  size(): number {
    return addon.fileSize(this.#file);
  }

  close(): void {
    addon.closeFile(this.#file);
  }
}

function stat(path: string) {
  return statSync(path, { throwIfNoEntry: false });
}

const COPY_BYTES = 1024 * 1024;

function copyRange(path: string, from: number, to: number, target: string): void {
  const temporary = `${target}.tmp`;
  const source = openSync(path, 'r');
  try {
    const copy = openSync(temporary, 'w');
    try {
      const block = new Uint8Array(COPY_BYTES);
      for (let at = from; at < to; ) {
        const read = readSync(source, block, 0, Math.min(block.length, to - at), at);
        if (read === 0) break;
        for (let done = 0; done < read; ) done += writeSync(copy, block, done, read - done);
        at += read;
      }
      fsyncSync(copy);
    } finally {
      closeSync(copy);
    }
  } finally {
    closeSync(source);
  }
  renameSync(temporary, target);
  addon.syncDirectory(dirname(target));
}

export const nativeDisk: Disk = {
  memory(bytes) {
    const region = addon.allocateRegion(bytes);
    if (region < 0) throw new Error(`no memory for ${bytes} bytes (errno ${-region})`);
    const bulk = attachBulk(region);
    // The attachment alone keeps it: it goes when nobody looks at it any more.
    addon.closeRegion(region);
    return bulk;
  },
  map(path, size, create) {
    const region = addon.openSegment(path, size, create !== undefined, create ?? 0);
    if (region < 0) return region;
    // No read-ahead on faults: behind the tail it would zero megabytes in the writer's time (measured: 40 ms stalls).
    // Who reads cold messages says how much it wants (`populate`).
    addon.adviseRegion(region, 0, size, 'random');
    return new NativeMapping(region, size, path);
  },
  prepare: (path, size, room) => addon.prepareSegment(path, size, room),
  open(path, size) {
    const file = addon.openFile(path, size);
    return file < 0 ? file : new NativeRangeFile(file);
  },
  syncRangeFiles: () => addon.syncDirtyFiles(),
  list: (directory) => (stat(directory)?.isDirectory() ? readdirSync(directory) : []),
  isDirectory: (path) => stat(path)?.isDirectory() ?? false,
  makeDirectory: makeUsableDirectory,
  size: (path) => stat(path)?.size ?? -1,
  modified: (path) => stat(path)?.mtimeMs ?? 0,
  readWhole: (path) => (stat(path) === undefined ? undefined : naming(path, () => readFileSync(path))),
  writeWhole(path, content) {
    const temporary = `${path}.tmp`;
    const descriptor = openSync(temporary, 'w');
    try {
      naming(path, () => {
        writeSync(descriptor, content);
        fsyncSync(descriptor);
      });
    } finally {
      closeSync(descriptor);
    }
    renameSync(temporary, path);
    addon.syncDirectory(dirname(path));
  },
  zero: (path, from, to) => addon.zeroFileRange(path, from, to),
  firstData: (path, from) => addon.firstData(path, from),
  copyRange,
  setAside: (path, to) => renameSync(path, to),
  remove: (path) => rmSync(path, { recursive: true, force: true }),
  syncDirectory: (path) => addon.syncDirectory(path),
  lock: (path) => addon.lockFile(path),
  unlock: (lock) => addon.unlockFile(lock),
  boot() {
    try {
      return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
    } catch {
      return '';
    }
  },
};
