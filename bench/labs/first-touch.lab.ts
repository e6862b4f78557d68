/** Lab: what the first touch of a page of a file costs, by how it is touched and what the file has there. */
import { closeSync, ftruncateSync, openSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { addon } from '../../src/native/addon.ts';
import { attachBulk, type Bulk } from '../../src/ring/bulk.ts';
import { type Bench, type Case, check, type Figures, type Lab, scaled } from './lib/lab.ts';

const PAGE = 4096;
const PAGES = 4096;

/** What the file has where it is touched. */
const SPARSE = 'sparse file';
const ALLOCATED = 'allocated, never written';
const SYNCED = 'written and synced';
const DIRTY = 'written a moment ago';

const STORE = 'store into the mapping';
const POPULATED = 'populate, then store';
const WRITE = 'a write call a page';
const WRITE_MANY = 'write calls of 128 KiB';
const MANY = 128 * 1024;

/** A multiple of what is written at once. */
const bytesOf = (scale: Bench['scale']): number => scaled(scale, PAGES, MANY / PAGE) * PAGE;

interface Opened {
  region: number;
  bytes: Uint8Array;
}

/** A page at a time. */
function fill(bytes: Uint8Array, source: Bulk): void {
  const page = source.bytes.subarray(0, PAGE);
  for (let at = 0; at < bytes.length; at += PAGE) bytes.set(page, at);
}

/** A new file in the wanted state, mapped. */
function openFile(path: string, state: string, size: number, source: Bulk): Opened {
  if (state === SPARSE) {
    const descriptor = openSync(path, 'w');
    ftruncateSync(descriptor, size);
    closeSync(descriptor);
  }
  const region = check(addon.openSegment(path, size, state !== SPARSE), 'openSegment');
  addon.adviseRegion(region, 0, size, 'random');
  const bytes = new Uint8Array(addon.attach(region));
  if (state === SYNCED || state === DIRTY) {
    fill(bytes, source);
    check(addon.syncRegion(region, 0, size), 'syncRegion');
  }
  if (state === DIRTY) fill(bytes, source);
  return { region, bytes };
}

/** Fills all pages in one way. */
function touch({ region, bytes }: Opened, way: string, source: Bulk): void {
  if (way === WRITE || way === WRITE_MANY) {
    const step = way === WRITE ? PAGE : Math.min(MANY, bytes.length);
    for (let at = 0; at < bytes.length; at += step)
      check(addon.appendToRegion(region, at, source.region, 0, step), 'appendToRegion');
    return;
  }
  if (way === POPULATED)
    check(addon.adviseRegion(region, 0, bytes.length, 'populateRead'), 'MADV_POPULATE_READ');
  fill(bytes, source);
}

function caseOf(folder: string, size: number, source: Bulk, state: string, way: string): Case {
  const path = join(folder, 'touched');
  const measure = (): Figures => {
    const file = openFile(path, state, size, source);
    const cpu = process.cpuUsage();
    const from = performance.now();
    touch(file, way, source);
    const took = performance.now() - from;
    const { system } = process.cpuUsage(cpu);
    addon.detach(file.region);
    addon.closeRegion(file.region);
    rmSync(path);
    const pages = size / PAGE;
    return { page: (took * 1000) / pages, kernel: system / pages };
  };
  return { place: state, way, measure };
}

export const lab: Lab = {
  title: 'What the first touch of a page costs',
  hypothesis:
    'Storing into a page of a mapping that was never touched costs a fault, in which the kernel finds memory, fills it ' +
    'with zeros and asks the file system for a block; and after each sync the first store costs a fault again, as the ' +
    'kernel has to notice that the page is dirty. A write call pays for neither the fault nor the zeros: one call a page ' +
    'gains little by that, one call for many pages much.',
  experiment:
    'A file of 16 MiB is made anew in one of four states and all its pages are filled, 4 KiB each, one after the other: ' +
    'by stores into the mapping, by stores behind MADV_POPULATE_READ of the whole range, by a `pwrite` a page (as the broker ' +
    'appends: three system calls), or by one for 32 pages. Time and ' +
    "the process's system time are divided by the pages; making and removing the file does not count.",
  reading:
    'Compare the ways within a state. "Written a moment ago" is the price of the copy itself: what a state takes beyond ' +
    'it is the first touch. Populating for reading maps pages, but each first store into one still faults, to mark it ' +
    'dirty: it moves the cost, and does not remove it. Where a write call a page is no cheaper than a store, what counts is ' +
    'not the fault but how many pages a call takes at once. System time comes in steps of 10 ms on some kernels: small ' +
    'figures of it are rough.',
  uses: [
    {
      file: 'src/store/log/append-stage.ts',
      symbol: 'AppendStage',
      what: 'the writer stages records and writes them to the file, instead of storing into the mapping',
    },
    {
      file: 'src/store/log/page-release.ts',
      symbol: 'PageRelease',
      what: 'durable pages behind the tail are let go, so that the log gets its own memory again',
    },
    {
      file: 'src/store/log/log-room.ts',
      symbol: 'LogRoom',
      what: "room is allocated in the background, ahead of need, so that blocks are not looked for in the writer's time",
    },
    {
      file: 'native/tail_window.h',
      symbol: 'TailWindow',
      what: 'the page at the tail of a slow queue stays mapped: many small stores for one fault',
    },
  ],
  places: 'file',
  columns: [
    { key: 'page', title: 'µs a page' },
    { key: 'kernel', title: 'system time, µs a page' },
  ],
  chart: { column: 'page', logarithmic: false },
  bytes: bytesOf,
  open({ folder, scale }) {
    const source = attachBulk(addon.allocateRegion(MANY));
    source.bytes.fill(7);
    const ways: [string, string[]][] = [
      [SPARSE, [STORE, POPULATED, WRITE, WRITE_MANY]],
      [ALLOCATED, [STORE, POPULATED, WRITE, WRITE_MANY]],
      [SYNCED, [STORE, POPULATED, WRITE, WRITE_MANY]],
      [DIRTY, [STORE, WRITE, WRITE_MANY]],
    ];
    const size = bytesOf(scale);
    return {
      cases: ways.flatMap(([state, all]) => all.map((way) => caseOf(folder, size, source, state, way))),
    };
  },
  findings: [
    (look) => {
      const first = look(ALLOCATED, STORE, 'page');
      const again = look(DIRTY, STORE, 'page');
      return `a first store into allocated room took ${first.toFixed(1)} µs a page, a store into the same page again ${again.toFixed(1)}`;
    },
    (look) => {
      const single = look(ALLOCATED, STORE, 'page') / look(ALLOCATED, WRITE, 'page');
      const many = look(ALLOCATED, STORE, 'page') / look(ALLOCATED, WRITE_MANY, 'page');
      return `where nothing had been written before, storing took ${single.toFixed(1)} times as long as a write call a page, and ${many.toFixed(1)} times as long as one for 32 pages`;
    },
    (look) => {
      const fault = look(SYNCED, STORE, 'page') - look(DIRTY, STORE, 'page');
      return `after a sync the first store into a page cost ${fault.toFixed(1)} µs more than the next one`;
    },
  ],
};
