/**
 * A disk in memory that fails as real ones do.
 *
 * Every file has live bytes, which all mappings and reads share (the page cache), and an image (the platter):
 * sim-file.ts. Only sync calls, and `writeBack` as a kernel would do it by itself, carry pages from one to the other.
 * Names have a life of their own: sim-names.ts.
 *
 * `kill` ends the process and keeps the page cache. `powerCut` keeps the image, a random subset of the pages not yet
 * synced (so records and index chains come back torn), and a part of the names not yet synced. `fail` makes one of
 * the next calls fail, `full` all that need room, `spoilPage` a page unreadable; files are not moved from one of
 * `mounts` to another.
 */
import { dirname } from 'node:path';
import { crc32 } from 'node:zlib';
import { type Bulk, plainBulk } from '../../src/ring/bulk.ts';
import type { Disk, Mapping, RangeFile } from '../../src/store/disk/disk.ts';
import { firstNonZero } from '../../src/store/log/find-record.ts';
import type { Random } from '../support/random.ts';
import { PAGE, SimFile } from './sim-file.ts';
import { SimNames, type Tree } from './sim-names.ts';

const ENOENT = -2;
const EIO = -5;
const EAGAIN = -11;
const EINVAL = -22;
const ENOSPC = -28;

/** The process dies in the middle of something. */
export class SimCrash extends Error {}

/** Whether a disk that fails has refused something: thrown by the store, or by a call of the disk. */
export function isRefusal(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  return 'errno' in error || /errno|could not|cannot/.test(error.message);
}

/** What can be made to fail: the sync of a mapping, of all range files, a write, anything that needs new room. */
export type Fault = 'sync' | 'syncRangeFiles' | 'write' | 'allocate';

/** As node:fs throws. */
function failure(errno: number, path: string): NodeJS.ErrnoException {
  const code = { [ENOENT]: 'ENOENT', [EIO]: 'EIO', [ENOSPC]: 'ENOSPC' }[errno] ?? 'EXDEV';
  return Object.assign(new Error(`${code}: simulated, '${path}'`), { code, errno });
}

const NOTHING = new Uint8Array(0);

class SimMapping implements Mapping {
  readonly region = 0;
  readonly size: number;
  readonly #disk: SimDisk;
  readonly #file: SimFile;
  bytes: Uint8Array;
  view: DataView;

  constructor(disk: SimDisk, file: SimFile) {
    this.#disk = disk;
    this.#file = file;
    this.size = file.live.length;
    this.bytes = file.live;
    this.view = new DataView(file.live.buffer);
  }

  reserve(from: number, length: number): number {
    // As a file system does that cannot allocate.
    if (firstNonZero(this.#file.live.subarray(from, from + length), 0) >= 0)
      throw new Error(`room is asked for at ${from}, where something stands`);
    if (from + length <= this.#file.room) return 0;
    this.#disk.step();
    const outcome = this.#disk.outcomeOf('allocate');
    if (outcome === 0) this.#file.room = from + length;
    return outcome;
  }

  async reserveAhead(from: number, length: number): Promise<number> {
    return this.reserve(from, length);
  }

  append(offset: number, source: Bulk, from: number, length: number): number {
    if (offset + length > this.#file.room) this.#disk.unreservedWrites++;
    const outcome = this.#disk.outcomeOf('write');
    // A kill may fall between any two pages, and before the first eight bytes.
    const written = outcome < 0 ? Math.floor(length / 2) : length;
    for (let done = 8; done < written; done += PAGE - ((offset + done) % PAGE)) {
      this.#disk.step();
      const end = Math.min(written, done + PAGE - ((offset + done) % PAGE));
      this.#put(source.bytes.subarray(from + done, from + end), offset + done);
    }
    this.#disk.step();
    if (outcome < 0) return outcome;
    this.#put(source.bytes.subarray(from, from + Math.min(8, length)), offset);
    return 0;
  }

  crc(offset: number, length: number): number {
    return crc32(this.bytes.subarray(offset, offset + length));
  }

  sync(from: number, to: number): number {
    this.#disk.step();
    const outcome = this.#disk.outcomeOf('sync');
    if (outcome < 0) this.#file.failSync(from, to);
    else if (!this.#disk.lies) this.#file.sync(from, to);
    return outcome;
  }

  error(): number {
    return this.#file.fault;
  }

  resident(): boolean {
    return true;
  }

  async populate(): Promise<number> {
    return 0;
  }

  release(): void {}

  close(): void {
    this.bytes = NOTHING;
    this.view = new DataView(NOTHING.buffer);
  }

  #put(bytes: Uint8Array, at: number): void {
    this.bytes.set(bytes, at);
    this.#file.wrote(at, bytes.length);
  }
}

class SimRangeFile implements RangeFile {
  readonly #disk: SimDisk;
  readonly #file: SimFile;
  readonly #written: () => void;

  constructor(disk: SimDisk, file: SimFile, written: () => void) {
    this.#disk = disk;
    this.#file = file;
    this.#written = written;
  }

  read(fileOffset: number, target: Uint8Array, targetOffset: number, length: number): number {
    if (this.#file.isUnreadable(fileOffset, length)) return EIO;
    const bytes = this.#file.live.subarray(fileOffset, fileOffset + length);
    target.set(bytes, targetOffset);
    return bytes.length;
  }

  write(fileOffset: number, source: Uint8Array, sourceOffset: number, length: number): number {
    this.#disk.step();
    this.#written();
    const outcome = this.#disk.outcomeOf('write');
    const written = outcome < 0 ? Math.floor(length / 2) : length;
    if (fileOffset + length > this.#file.live.length) this.#file.grow(fileOffset + length);
    this.#file.live.set(source.subarray(sourceOffset, sourceOffset + written), fileOffset);
    this.#file.wrote(fileOffset, written);
    return outcome < 0 ? outcome : length;
  }

  size(): number {
    return this.#file.live.length;
  }

  close(): void {}
}

export class SimDisk implements Disk {
  /** A disk that says "synced" and does nothing. */
  lies = false;
  /** Nothing new finds room any more. */
  full = false;
  /** Writes to a mapped file where no room had been allocated: a full disk would have met them in the middle. */
  unreservedWrites = 0;
  /** Something that was ordered to fail has failed since the disk was mended. */
  hasFailed = false;
  /** Directories where other file systems are mounted. */
  mounts: readonly string[] = [];
  /** The process dies at the call that changes something after so many others. */
  callsUntilCrash = Number.POSITIVE_INFINITY;
  readonly #names = new SimNames();
  readonly #faults = new Map<Fault, { after: number; errno: number }>();
  readonly #written = new Map<SimFile, string>();
  readonly #locks = new Set<string>();
  #boots = 1;

  /** See `SimNames.unordered`. */
  set unordered(value: boolean) {
    this.#names.unordered = value;
  }

  /** One call of this kind fails, after `after` that do not. */
  fail(fault: Fault, after = 0, errno = fault === 'allocate' ? -ENOSPC : -EIO): void {
    this.#faults.set(fault, { after, errno });
  }

  /** The disk is well again. */
  mend(): void {
    this.#faults.clear();
    this.full = false;
    this.hasFailed = false;
    for (const file of this.#tree.files.values()) file.heal();
  }

  /** 0, or the negative errno of a failure that was ordered. */
  outcomeOf(fault: Fault): number {
    if (fault === 'allocate' && this.full) {
      this.hasFailed = true;
      return ENOSPC;
    }
    const ordered = this.#faults.get(fault);
    if (ordered === undefined || ordered.after-- > 0) return 0;
    this.#faults.delete(fault);
    this.hasFailed = true;
    return -ordered.errno;
  }

  /** The process is gone, the machine runs on. */
  kill(): void {
    this.#locks.clear();
    // Which files were written only the process knew: nobody syncs them now, unless they are written again.
    this.#written.clear();
    this.callsUntilCrash = Number.POSITIVE_INFINITY;
  }

  /** Counts a call that changes something. */
  step(): void {
    if (this.callsUntilCrash-- <= 0) throw new SimCrash('the simulated process dies here');
  }

  /** The machine stops; what comes back is the image and, of everything else, what chance has let reach it. */
  powerCut(random: Random, share = random.pick([0, 0.1, 0.5, 0.9, 1])): void {
    this.kill();
    this.#boots++;
    for (const file of this.#names.powerCut(random)) {
      this.#keepPages(file, random, share);
      file.reboot();
    }
    this.#written.clear();
  }

  /** Carries some pages to the platter, as a kernel does now and then. */
  writeBack(random: Random, share = random.next()): void {
    for (const file of this.#tree.files.values()) this.#keepPages(file, random, share);
  }

  /** The kernel lets clean pages go: those whose write-back failed come back as they were before. */
  evict(): void {
    for (const file of this.#tree.files.values()) file.evict();
  }

  spoilPage(path: string, page: number): void {
    this.#tree.files.get(path)?.spoil(page);
  }

  /** A byte changes, in memory and on the platter. */
  rot(path: string, at: number): void {
    const file = this.#tree.files.get(path);
    if (file === undefined) throw new Error(`the simulated disk has no ${path}`);
    for (const bytes of [file.live, file.image]) bytes[at] = (bytes[at] as number) ^ 0x40;
  }

  memory(bytes: number): Bulk {
    return plainBulk(bytes);
  }

  map(path: string, size: number, create?: number): Mapping | number {
    let file = this.#tree.files.get(path);
    if (file === undefined && create === undefined) return ENOENT;
    if (file === undefined) {
      const made = this.#create(path, size, create);
      if (typeof made === 'number') return made;
      file = made;
      this.syncDirectory(dirname(path));
    }
    return file.live.length === size ? new SimMapping(this, file) : EINVAL;
  }

  async prepare(path: string, size: number, room: number): Promise<number> {
    const made = this.#tree.files.has(path) ? 0 : this.#create(path, size, room);
    if (typeof made === 'number' && made < 0) return made;
    return this.syncDirectory(dirname(path));
  }

  open(path: string, size: number): RangeFile | number {
    let file = this.#tree.files.get(path);
    if (file === undefined && (size < 0 || !this.#tree.directories.has(dirname(path)))) return ENOENT;
    if (file === undefined) {
      const made = this.#create(path, size);
      if (typeof made === 'number') return made;
      file = made;
    }
    const opened = file;
    return new SimRangeFile(this, opened, () => this.#written.set(opened, path));
  }

  async syncRangeFiles(): Promise<number> {
    this.step();
    const outcome = this.outcomeOf('syncRangeFiles');
    for (const [file, path] of this.#written) {
      this.step();
      if (outcome < 0) file.failSync(0, file.live.length);
      else if (!this.lies) {
        file.sync(0, file.live.length);
        this.#names.syncNameOf(path);
      }
    }
    this.#written.clear();
    return outcome;
  }

  list(directory: string): string[] {
    const names = [...this.#tree.files.keys(), ...this.#tree.directories];
    return names.filter((path) => path !== '/' && dirname(path) === directory).map((path) => nameOf(path));
  }

  isDirectory(path: string): boolean {
    return this.#tree.directories.has(path);
  }

  makeDirectory(path: string): void {
    if (this.#tree.directories.has(path)) return;
    this.makeDirectory(dirname(path));
    if (this.outcomeOf('allocate') < 0) throw failure(ENOSPC, path);
    this.#change([path], (tree) => tree.directories.add(path));
  }

  size(path: string): number {
    return this.#tree.files.get(path)?.live.length ?? -1;
  }

  modified(): number {
    return 0;
  }

  readWhole(path: string): Uint8Array | undefined {
    const file = this.#tree.files.get(path);
    if (file?.isUnreadable(0, file.live.length)) throw failure(EIO, path);
    return file?.live.slice();
  }

  writeWhole(path: string, content: Uint8Array): void {
    const temporary = `${path}.tmp`;
    const room = this.outcomeOf('allocate');
    if (room < 0) throw failure(room, temporary);
    const file = new SimFile(content.length);
    this.#change([temporary], (tree) => tree.files.set(temporary, file));
    this.step();
    file.live.set(content);
    const outcome = this.outcomeOf('write');
    if (outcome < 0) throw failure(outcome, temporary);
    if (!this.lies) file.image.set(content);
    this.#move(temporary, path);
    this.syncDirectory(dirname(path));
  }

  zero(path: string, from: number, to: number): number {
    const file = this.#tree.files.get(path);
    if (file === undefined) return ENOENT;
    const outcome = this.outcomeOf('write');
    for (let at = from; at < to; at += 16 * PAGE) {
      this.step();
      const end = Math.min(to, at + 16 * PAGE, file.live.length);
      file.live.fill(0, at, end);
      file.wrote(at, end - at);
      if (outcome < 0) return outcome;
    }
    // As a hole, which takes no room.
    if (to >= file.room) file.room = Math.min(file.room, from);
    if (!this.lies) file.sync(0, file.live.length);
    return 0;
  }

  /** A file system knows whole pages. */
  firstData(path: string, from: number): number {
    const file = this.#tree.files.get(path);
    if (file === undefined) return from;
    const byte = file.live.findIndex((value, at) => at >= from && value !== 0);
    return byte < 0 ? -1 : Math.max(from, byte - (byte % PAGE));
  }

  copyRange(path: string, from: number, to: number, target: string): void {
    const file = this.#tree.files.get(path);
    if (file === undefined) throw failure(ENOENT, path);
    if (file.isUnreadable(from, to - from)) throw failure(EIO, path);
    this.writeWhole(target, file.live.slice(from, to));
  }

  setAside(path: string, to: string): void {
    if (this.#mountOf(path) !== this.#mountOf(to)) throw failure(-18, path);
    this.step();
    this.#move(path, to);
  }

  remove(path: string): void {
    const isInside = (other: string) => other === path || other.startsWith(`${path}/`);
    // Files go one by one, the directories after them: a kill may come in between.
    for (const file of [...this.#tree.files.keys()].filter(isInside)) {
      this.#change([file], (tree) => tree.files.delete(file));
    }
    for (const directory of [...this.#tree.directories].filter(isInside).sort().reverse()) {
      this.#change([directory], (tree) => tree.dropDirectory(directory));
    }
  }

  syncDirectory(path: string): number {
    this.step();
    if (!this.lies) this.#names.syncDirectory(path);
    return 0;
  }

  lock(path: string): number {
    if (this.#locks.has(path)) return EAGAIN;
    this.#locks.add(path);
    return [...this.#locks].indexOf(path) + 1;
  }

  unlock(lock: number): void {
    const path = [...this.#locks][lock - 1];
    if (path !== undefined) this.#locks.delete(path);
  }

  boot(): string {
    return `boot-${this.#boots}`;
  }

  /** All bytes of a file, for tests that look at them or change them. */
  bytesOf(path: string): Uint8Array {
    const file = this.#tree.files.get(path);
    if (file === undefined) throw new Error(`the simulated disk has no ${path}`);
    return file.live;
  }

  /** Makes a file of so many bytes of what stands in it: a file cut short, or emptied. */
  truncate(path: string, size: number): void {
    const file = this.#tree.files.get(path);
    if (file === undefined) throw new Error(`the simulated disk has no ${path}`);
    file.live = file.live.slice(0, size);
    file.image = file.image.slice(0, size);
  }

  /** Carries a part of one file to the platter. */
  syncBytes(path: string, from: number, to: number): void {
    this.#tree.files.get(path)?.sync(from, to);
  }

  paths(): string[] {
    return [...this.#tree.files.keys()].sort();
  }

  get #tree(): Tree {
    return this.#names.tree;
  }

  #mountOf(path: string): string {
    const inside = this.mounts.filter((mount) => path.startsWith(`${mount}/`));
    return inside.sort((a, b) => b.length - a.length)[0] ?? '/';
  }

  #keepPages(file: SimFile, random: Random, share: number): void {
    for (let page = 0; page < file.pages; page++) {
      if (file.isDirty(page) && random.chance(share)) file.sync(page * PAGE, (page + 1) * PAGE);
    }
  }

  /** A file appears empty and gets its size in a second step: a crash may come between. */
  #create(path: string, size: number, room = size): SimFile | number {
    // A name takes no room, where its directory has some left.
    const outcome = size === 0 ? 0 : this.outcomeOf('allocate');
    if (outcome < 0) return outcome;
    const empty = new SimFile(0);
    this.#change([path], (tree) => tree.files.set(path, empty));
    const file = new SimFile(size, room);
    this.#change([path], (tree) => tree.files.set(path, file));
    return file;
  }

  #change(paths: readonly string[], apply: (tree: Tree) => void): void {
    this.step();
    this.#names.change(paths, apply);
  }

  #move(path: string, to: string): void {
    const file = this.#tree.files.get(path);
    this.#names.change([path, to], (tree) => {
      if (file !== undefined) tree.files.set(to, file);
      tree.files.delete(path);
    });
  }
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}
