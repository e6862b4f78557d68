/**
 * A disk in memory that loses what was never synced.
 *
 * Every file has live bytes, which all mappings and reads share (the page cache), and an image (the platter). Only sync
 * calls, and `writeBack` as a kernel would do it by itself, carry pages from one to the other. Names live in a journal:
 * making, moving and removing files takes effect on the platter in order, as with a journalling file system, and every
 * durable operation on names or small files carries the whole journal with it.
 *
 * `kill` ends the process and keeps the page cache. `powerCut` keeps the image, a random subset of the pages not yet
 * synced (so records and index chains come back torn), and a random prefix of the journal.
 */
import { dirname } from 'node:path';
import { crc32 } from 'node:zlib';
import { type Bulk, plainBulk } from '../../src/ring/bulk.ts';
import type { Disk, Mapping, RangeFile } from '../../src/store/disk/disk.ts';
import type { Random } from '../support/random.ts';

const PAGE = 4096;
const ENOENT = -2;
const EAGAIN = -11;
const EINVAL = -22;

/** The process dies in the middle of something. */
export class SimCrash extends Error {}

class SimFile {
  live: Uint8Array;
  image: Uint8Array;

  constructor(size: number) {
    this.live = new Uint8Array(size);
    this.image = new Uint8Array(size);
  }

  get pages(): number {
    return Math.ceil(this.live.length / PAGE);
  }

  isDirty(page: number): boolean {
    const [from, to] = [page * PAGE, (page + 1) * PAGE];
    return Buffer.compare(this.live.subarray(from, to), this.image.subarray(from, to)) !== 0;
  }

  /** Carries the pages that [from, to) touches to the platter. */
  sync(from: number, to: number): void {
    const start = from - (from % PAGE);
    const end = Math.min(this.live.length, Math.ceil(to / PAGE) * PAGE);
    this.image.set(this.live.subarray(start, end), start);
  }

  grow(size: number): void {
    for (const name of ['live', 'image'] as const) {
      const grown = new Uint8Array(size);
      grown.set(this[name]);
      this[name] = grown;
    }
  }
}

const NOTHING = new Uint8Array(0);

class SimMapping implements Mapping {
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

  append(offset: number, source: Bulk, from: number, length: number): number {
    // A kill may fall between any two pages, and before the first eight bytes.
    for (let done = 8; done < length; done += PAGE - ((offset + done) % PAGE)) {
      this.#disk.step();
      const end = Math.min(length, done + PAGE - ((offset + done) % PAGE));
      this.bytes.set(source.bytes.subarray(from + done, from + end), offset + done);
    }
    this.#disk.step();
    this.bytes.set(source.bytes.subarray(from, from + 8), offset);
    return 0;
  }

  crc(offset: number, length: number): number {
    return crc32(this.bytes.subarray(offset, offset + length));
  }

  sync(from: number, to: number): number {
    this.#disk.step();
    if (!this.#disk.lies) this.#file.sync(from, to);
    return 0;
  }

  error(): number {
    return 0;
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
}

class SimRangeFile implements RangeFile {
  readonly #file: SimFile;
  readonly #written: () => void;

  constructor(file: SimFile, written: () => void) {
    this.#file = file;
    this.#written = written;
  }

  read(fileOffset: number, target: Uint8Array, targetOffset: number, length: number): number {
    const bytes = this.#file.live.subarray(fileOffset, fileOffset + length);
    target.set(bytes, targetOffset);
    return bytes.length;
  }

  write(fileOffset: number, source: Uint8Array, sourceOffset: number, length: number): number {
    this.#written();
    if (fileOffset + length > this.#file.live.length) this.#file.grow(fileOffset + length);
    this.#file.live.set(source.subarray(sourceOffset, sourceOffset + length), fileOffset);
    return length;
  }

  size(): number {
    return this.#file.live.length;
  }

  close(): void {}
}

/** The names of a disk. */
class Tree {
  readonly files = new Map<string, SimFile>();
  readonly directories = new Set<string>(['/']);

  copy(): Tree {
    const copy = new Tree();
    for (const [path, file] of this.files) copy.files.set(path, file);
    for (const path of this.directories) copy.directories.add(path);
    return copy;
  }
}

export class SimDisk implements Disk {
  /** A disk that says "synced" and does nothing. */
  lies = false;
  /** The process dies at the call that changes something after so many others. */
  callsUntilCrash = Number.POSITIVE_INFINITY;
  #tree = new Tree();
  #durable = new Tree();
  #journal: ((tree: Tree) => void)[] = [];
  readonly #written = new Set<SimFile>();
  readonly #locks = new Set<string>();
  #boots = 1;

  /** The process is gone, the machine runs on. */
  kill(): void {
    this.#locks.clear();
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
    const kept = random.int(0, this.#journal.length);
    for (const change of this.#journal.slice(0, kept)) change(this.#durable);
    this.#journal = [];
    for (const file of new Set(this.#durable.files.values())) {
      this.#keepPages(file, random, share);
      file.live = file.image.slice();
    }
    this.#written.clear();
    this.#tree = this.#durable.copy();
  }

  /** Carries some pages to the platter, as a kernel does now and then. */
  writeBack(random: Random, share = random.next()): void {
    for (const file of this.#tree.files.values()) this.#keepPages(file, random, share);
  }

  memory(bytes: number): Bulk {
    return plainBulk(bytes);
  }

  map(path: string, size: number, create: boolean): Mapping | number {
    let file = this.#tree.files.get(path);
    if (file === undefined && !create) return ENOENT;
    if (create) this.step();
    file ??= this.#create(path, size);
    if (create) this.#commit();
    return file.live.length === size ? new SimMapping(this, file) : EINVAL;
  }

  async prepare(path: string, size: number): Promise<number> {
    if (!this.#tree.files.has(path)) this.#create(path, size);
    this.#commit();
    return 0;
  }

  open(path: string, size: number): RangeFile | number {
    let file = this.#tree.files.get(path);
    if (file === undefined && (size < 0 || !this.#tree.directories.has(dirname(path)))) return ENOENT;
    file ??= this.#create(path, size);
    const opened = file;
    return new SimRangeFile(file, () => {
      this.step();
      this.#written.add(opened);
    });
  }

  async syncRangeFiles(): Promise<number> {
    this.step();
    if (this.lies) return 0;
    for (const file of this.#written) file.sync(0, file.live.length);
    this.#written.clear();
    this.#commit();
    return 0;
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
    this.#change((tree) => tree.directories.add(path));
  }

  size(path: string): number {
    return this.#tree.files.get(path)?.live.length ?? -1;
  }

  modified(): number {
    return 0;
  }

  readWhole(path: string): Uint8Array | undefined {
    return this.#tree.files.get(path)?.live.slice();
  }

  writeWhole(path: string, content: Uint8Array): void {
    this.step();
    const file = new SimFile(content.length);
    file.live.set(content);
    if (!this.lies) file.image.set(content);
    this.#change((tree) => tree.files.set(path, file));
    this.#commit();
  }

  zero(path: string, from: number, to: number): number {
    const file = this.#tree.files.get(path);
    if (file === undefined) return ENOENT;
    this.step();
    file.live.fill(0, from, to);
    if (!this.lies) file.image.fill(0, from, to);
    return 0;
  }

  setAside(path: string, to: string): void {
    this.#change((tree) => {
      const file = tree.files.get(path);
      if (file !== undefined) tree.files.set(to, file);
      tree.files.delete(path);
    });
  }

  remove(path: string): void {
    this.#change((tree) => {
      const isInside = (other: string) => other === path || other.startsWith(`${path}/`);
      for (const other of [...tree.files.keys()]) if (isInside(other)) tree.files.delete(other);
      for (const other of [...tree.directories]) if (isInside(other)) tree.directories.delete(other);
    });
  }

  syncDirectory(): number {
    this.step();
    this.#commit();
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

  /** Carries a part of one file to the platter. */
  syncBytes(path: string, from: number, to: number): void {
    this.#tree.files.get(path)?.sync(from, to);
  }

  paths(): string[] {
    return [...this.#tree.files.keys()].sort();
  }

  #keepPages(file: SimFile, random: Random, share: number): void {
    for (let page = 0; page < file.pages; page++) {
      if (file.isDirty(page) && random.chance(share)) file.sync(page * PAGE, (page + 1) * PAGE);
    }
  }

  /** A file appears empty and gets its size in a second step: a crash may come between. */
  #create(path: string, size: number): SimFile {
    const file = new SimFile(size);
    this.#tree.files.set(path, file);
    const empty = new SimFile(0);
    this.#journal.push((tree) => tree.files.set(path, empty));
    this.#journal.push((tree) => tree.files.set(path, file));
    return file;
  }

  #change(change: (tree: Tree) => void): void {
    this.step();
    change(this.#tree);
    this.#journal.push(change);
  }

  #commit(): void {
    if (this.lies) return;
    for (const change of this.#journal) change(this.#durable);
    this.#journal = [];
  }
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}
