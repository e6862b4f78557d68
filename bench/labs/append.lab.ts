/** Lab: appending records to a log by stores into a mapping, by write calls, and past the page cache. */
import { closeSync, constants, fdatasyncSync, openSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { addon } from '../../src/native/addon.ts';
import { attachBulk } from '../../src/ring/bulk.ts';
import { nativeDisk } from '../../src/store/disk/native-disk.ts';
import { AppendStage } from '../../src/store/log/append-stage.ts';
import { Segments } from '../../src/store/log/segments.ts';
import { type Bench, CannotRun, type Case, check, type Figures, type Lab, scaled } from './lib/lab.ts';

const TOTAL_BYTES = 16 << 20;
const SIZES = [256, 1024, 4096, 16_384];
/** Behind so many bytes they leave together, where they are staged. */
const BLOCK = 128 * 1024;

const STORES = 'stores into the mapping';
const CALLS = 'a write call a record';
const STAGED = 'staged, written together';
const DIRECT = 'O_DIRECT, written together';

const totalOf = (scale: Bench['scale']): number => scaled(scale, TOTAL_BYTES / BLOCK) * BLOCK;

/** Appends until the file is full. */
interface Log {
  append(bytes: number): void;
  /** All that was appended is on the device afterwards. */
  sync(): void;
  close(): void;
}

function mapped(path: string, total: number): Log {
  const mapping = nativeDisk.map(path, total, total);
  if (typeof mapping === 'number') throw new Error(`mapping failed with errno ${-mapping}`);
  const record = new Uint8Array(BLOCK).fill(7);
  return {
    append(bytes) {
      for (let at = 0; at < total; at += bytes) mapping.bytes.set(record.subarray(0, bytes), at);
    },
    sync: () => check(mapping.sync(0, total), 'msync'),
    close: () => mapping.close(),
  };
}

/** A file whose room is allocated, as all others have it. */
function openAllocated(path: string, total: number, flags: number): number {
  addon.closeRegion(check(addon.openSegment(path, total, true), 'openSegment'));
  return openSync(path, flags);
}

function called(path: string, total: number): Log {
  const descriptor = openAllocated(path, total, constants.O_WRONLY);
  const record = new Uint8Array(BLOCK).fill(7);
  return {
    append(bytes) {
      for (let at = 0; at < total; at += bytes) writeSync(descriptor, record, 0, bytes, at);
    },
    sync: () => fdatasyncSync(descriptor),
    close: () => closeSync(descriptor),
  };
}

/** As the broker does it. */
function staged(folder: string, total: number): Log {
  const segments = new Segments(nativeDisk, folder, total);
  const mapping = segments.at(0, true);
  if (mapping === undefined) throw new Error(`mapping failed with errno ${-segments.lastError}`);
  const source = nativeDisk.memory(BLOCK);
  source.bytes.fill(7);
  const stage = new AppendStage(segments);
  return {
    append(bytes) {
      for (let at = 0; at < total; at += bytes) {
        const place = stage.reserve(mapping, at, bytes);
        stage.memory.bytes.set(source.bytes.subarray(0, bytes), place);
      }
      if (!stage.write()) throw new Error(`write failed with errno ${stage.fault}`);
    },
    sync: () => check(mapping.sync(0, total), 'msync'),
    close: () => segments.close(),
  };
}

function openDirect(path: string, total: number): number {
  try {
    return openAllocated(path, total, constants.O_WRONLY | constants.O_DIRECT);
  } catch (error) {
    throw new CannotRun(`this file system opens no file with O_DIRECT (${(error as Error).message})`);
  }
}

function direct(path: string, total: number): Log {
  const descriptor = openDirect(path, total);
  // Memory, place and length must be multiples of a sector.
  const block = attachBulk(addon.allocateRegion(BLOCK)).bytes;
  const record = new Uint8Array(BLOCK).fill(7);
  return {
    append(bytes) {
      for (let at = 0; at < total; at += BLOCK) {
        for (let filled = 0; filled < BLOCK; filled += bytes) block.set(record.subarray(0, bytes), filled);
        writeSync(descriptor, block, 0, BLOCK, at);
      }
    },
    sync: () => fdatasyncSync(descriptor),
    close: () => closeSync(descriptor),
  };
}

function caseOf(folder: string, total: number, bytes: number, way: string, open: () => Log): Case {
  const measure = (): Figures => {
    const log = open();
    try {
      const cpu = process.cpuUsage();
      const from = performance.now();
      log.append(bytes);
      const appended = performance.now() - from;
      log.sync();
      const durable = performance.now() - from;
      const { user, system } = process.cpuUsage(cpu);
      const records = total / bytes;
      return {
        append: (appended * 1000) / records,
        durable: (durable * 1000) / records,
        processor: (user + system) / records,
      };
    } finally {
      log.close();
      for (const name of nativeDisk.list(folder)) rmSync(join(folder, name));
    }
  };
  return { place: `${bytes} B`, way, measure };
}

export const lab: Lab = {
  title: 'Appending: mapping, write calls and O_DIRECT',
  hypothesis:
    'The fewest system calls are not the cheapest: stores into a fresh mapping need none and pay a fault for each page. ' +
    'Records that are collected and written together cost the least, whatever their size. O_DIRECT saves the copy into ' +
    'the page cache and waits for the device instead; and whoever reads the records next has to fetch them back.',
  experiment:
    '16 MiB of records are appended to a fresh file whose room is allocated, then synced: by stores into the mapping, by ' +
    'one `pwrite` a record, by the class with which the broker stages records and writes some 128 KiB together, and in ' +
    'blocks of 128 KiB with O_DIRECT. "Appended" counts until the last call returns, "durable" until the sync behind it has.',
  reading:
    'Appended is what the writer thread pays, durable includes the device, which other programs use too. CPU time is the ' +
    "process's own: writing back is the kernel's. O_DIRECT looks slow while appending, because that is when it " +
    'writes; compare its "durable" with the others. Its blocks are full here: a log that must be durable after each record ' +
    'would write the last block again and again.',
  uses: [
    {
      file: 'src/store/log/append-stage.ts',
      symbol: 'AppendStage',
      what: 'records wait, complete, until they are written together',
    },
    {
      file: 'native/region_append.cc',
      symbol: 'appendToRegion',
      what: 'the write, its first eight bytes last, so that a kill leaves no half record',
    },
    {
      file: 'src/store/log/commit-log.ts',
      symbol: 'CommitLog',
      what: 'what is put into the stage; readers see it through their mapping',
    },
  ],
  places: 'record',
  columns: [
    { key: 'append', title: 'appended, µs a record' },
    { key: 'durable', title: 'durable, µs a record' },
    { key: 'processor', title: 'CPU, µs a record' },
  ],
  chart: { column: 'append', logarithmic: true },
  bytes: totalOf,
  open({ folder, scale }) {
    const total = totalOf(scale);
    const path = join(folder, 'appended');
    const ways: [string, () => Log][] = [
      [STORES, () => mapped(path, total)],
      [CALLS, () => called(path, total)],
      [STAGED, () => staged(folder, total)],
      [DIRECT, () => direct(path, total)],
    ];
    return {
      cases: SIZES.flatMap((bytes) => ways.map(([way, open]) => caseOf(folder, total, bytes, way, open))),
    };
  },
  findings: [
    (look) => {
      const times = look('1024 B', STORES, 'append') / look('1024 B', STAGED, 'append');
      return `1 KiB: stores into the mapping took ${times.toFixed(1)} times as long as staging and writing together`;
    },
    (look) => {
      const times = look('256 B', CALLS, 'append') / look('256 B', STAGED, 'append');
      return `256 B: a write call a record took ${times.toFixed(1)} times as long as staging`;
    },
    (look) => {
      const times = look('1024 B', DIRECT, 'durable') / look('1024 B', STAGED, 'durable');
      return `1 KiB, until durable: O_DIRECT took ${times.toFixed(2)} times as long as staging and a sync`;
    },
  ],
};
