/** The real disk for those who only look, also at files that this user may not write. What would change it throws. */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { addon } from '../../native/addon.ts';
import type { Disk, RangeFile } from './disk.ts';
import { EIO } from './errors.ts';
import { NativeMapping, nativeDisk } from './native-disk.ts';

class ReadOnlyFile implements RangeFile {
  readonly #descriptor: number;

  constructor(descriptor: number) {
    this.#descriptor = descriptor;
  }

  read(fileOffset: number, target: Uint8Array, targetOffset: number, length: number): number {
    return orErrno(() => readSync(this.#descriptor, target, targetOffset, length, fileOffset));
  }

  write(): never {
    return refuse();
  }

  size(): number {
    return orErrno(() => fstatSync(this.#descriptor).size);
  }

  close(): void {
    closeSync(this.#descriptor);
  }
}

/** What the call returns, or -errno. */
function orErrno(call: () => number): number {
  try {
    return call();
  } catch (error) {
    // node:fs gives libuv's numbers, which are negative.
    return (error as NodeJS.ErrnoException).errno ?? -EIO;
  }
}

function refuse(): never {
  throw new Error('this disk is only read');
}

export const readOnlyDisk: Disk = {
  ...nativeDisk,
  map(path, size) {
    const region = addon.openSegmentForReading(path, size);
    return region < 0 ? region : new NativeMapping(region, size, path);
  },
  open(path) {
    const descriptor = orErrno(() => openSync(path, 'r'));
    return descriptor < 0 ? descriptor : new ReadOnlyFile(descriptor);
  },
  prepare: refuse,
  syncRangeFiles: refuse,
  makeDirectory: refuse,
  writeWhole: refuse,
  zero: refuse,
  copyRange: refuse,
  setAside: refuse,
  remove: refuse,
  syncDirectory: refuse,
  lock: refuse,
  unlock: refuse,
};
