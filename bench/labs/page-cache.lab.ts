/** Lab: reading old parts of a log by several ways, and what a writer beside it feels of that. */
import { once } from 'node:events';
import { closeSync, openSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { addon } from '../../src/native/addon.ts';
import type { Mapping } from '../../src/store/disk/disk.ts';
import { nativeDisk } from '../../src/store/disk/native-disk.ts';
import {
  type Bench,
  CannotRun,
  type Case,
  check,
  type Figures,
  type Lab,
  type Scale,
  scaled,
} from './lib/lab.ts';
import type { PacedWriterData, StintReport } from './threads/paced-writer-data.ts';

const COLD_BYTES = 128 << 20;
const WRITTEN_BYTES = 64 << 20;
const MILLIS = 1000;
/** Read at once, between which the event loop runs. */
const CHUNK = 1 << 20;
const CALL_BYTES = 64 * 1024;

const NOBODY = 'nobody reads';
const HOT = 'from memory';
const FAULTS = 'cold: faults, no read-ahead';
const AHEAD = 'cold: faults, with read-ahead';
const CALLS = 'cold: read calls of 64 KiB';
const POPULATED = 'cold: populated in the pool';

interface OldLog {
  path: string;
  bytes: number;
  mapping: Mapping;
}

/** Reads [at, at + CHUNK) of the old log. */
type ReadChunk = (at: number) => number | Promise<number>;

/** Copies a part of the old log out, as an answer to a pull does. Returns what depends on it. */
function copyOut(bytes: Uint8Array, from: number, target: Uint8Array): number {
  for (let at = from; at < from + CHUNK; at += target.length)
    target.set(bytes.subarray(at, at + target.length));
  return target[0] as number;
}

/** Brings the whole into memory: the case before may have let it go. */
function warm({ mapping, bytes }: OldLog): void {
  const target = new Uint8Array(CALL_BYTES);
  for (let at = 0; at < bytes; at += CHUNK) copyOut(mapping.bytes, at, target);
}

function advise({ mapping, bytes, path }: OldLog, advice: 'random' | 'sequential'): void {
  const region = check(addon.openSegment(path, bytes, false), 'openSegment');
  check(addon.adviseRegion(region, 0, mapping.size, advice), 'madvise');
  addon.closeRegion(region);
}

function readersOf(old: OldLog): Map<string, { prepare: () => void; read: ReadChunk }> {
  const { mapping } = old;
  const target = new Uint8Array(CALL_BYTES);
  const byFaults: ReadChunk = (at) => copyOut(mapping.bytes, at, target);
  const descriptor = openSync(old.path, 'r');
  process.once('exit', () => closeSync(descriptor));
  const byCalls: ReadChunk = (at) => {
    let read = 0;
    for (let done = 0; done < CHUNK; done += CALL_BYTES)
      read += readSync(descriptor, target, 0, CALL_BYTES, at + done);
    return read;
  };
  const populated: ReadChunk = async (at) => {
    check(await mapping.populate(at, CHUNK), 'populate');
    return byFaults(at);
  };
  const random = () => advise(old, 'random');
  return new Map([
    [HOT, { prepare: () => warm(old), read: byFaults }],
    [FAULTS, { prepare: random, read: byFaults }],
    [AHEAD, { prepare: () => advise(old, 'sequential'), read: byFaults }],
    [CALLS, { prepare: random, read: byCalls }],
    [POPULATED, { prepare: random, read: populated }],
  ]);
}

/** Lets all pages of the old log go. */
function evict({ mapping, bytes }: OldLog): void {
  mapping.release(0, bytes);
  if (mapping.resident(0, bytes))
    throw new CannotRun('the file system keeps all pages in memory, as tmpfs does: nothing is ever cold');
}

/** MiB a second, while the time lasts; making the log cold again does not count. */
async function readFor(millis: number, old: OldLog, read: ReadChunk, cold: boolean): Promise<number> {
  const end = performance.now() + millis;
  let [chunks, reading, sum] = [0, 0, 0];
  for (let at = 0; performance.now() < end; at = (at + CHUNK) % old.bytes) {
    if (at === 0 && cold) evict(old);
    const from = performance.now();
    sum += await read(at);
    reading += performance.now() - from;
    chunks++;
    await new Promise((resolve) => setImmediate(resolve));
  }
  if (sum === 0) throw new Error('nothing was read');
  return (chunks * CHUNK * 1000) / reading / (1 << 20);
}

async function stint(writer: Worker, millis: number): Promise<StintReport> {
  const told = once(writer, 'message');
  writer.postMessage({ millis });
  return (await told)[0] as StintReport;
}

function casesOf(writer: Worker, old: OldLog, scale: Scale): Case[] {
  const millis = scaled(scale, MILLIS, 30);
  const alone: Case = {
    place: '',
    way: NOBODY,
    measure: async (): Promise<Figures> => ({ ...(await stint(writer, millis)) }),
  };
  const beside = [...readersOf(old)].map(
    ([way, { prepare, read }]): Case => ({
      place: '',
      way,
      prepare,
      async measure() {
        const written = stint(writer, millis);
        const rate = await readFor(millis, old, read, way !== HOT).finally(() => written);
        return { ...(await written), rate };
      },
    }),
  );
  return [alone, ...beside];
}

const coldBytes = (scale: Scale): number => scaled(scale, COLD_BYTES / CHUNK, 4) * CHUNK;
const writtenBytes = (scale: Scale): number => scaled(scale, WRITTEN_BYTES / CHUNK, 2) * CHUNK;

async function open({ folder, scale }: Bench) {
  const bytes = coldBytes(scale);
  const path = join(folder, 'old');
  const mapping = nativeDisk.map(path, bytes, bytes);
  if (typeof mapping === 'number') throw new Error(`mapping failed with errno ${-mapping}`);
  mapping.bytes.fill(7);
  check(mapping.sync(0, bytes), 'sync');
  const old: OldLog = { path, bytes, mapping };
  evict(old);
  const workerData: PacedWriterData = { path: join(folder, 'new'), bytes: writtenBytes(scale) };
  const writer = new Worker(new URL('./threads/paced-writer.thread.js', import.meta.url), { workerData });
  await once(writer, 'online');
  return { cases: casesOf(writer, old, scale), close: () => writer.terminate().then(() => {}) };
}

export const lab: Lab = {
  title: 'Cold reads, and the writer beside them',
  hypothesis:
    'A page that is not in memory stops the thread that touches it for as long as the device takes, page by page where ' +
    'nothing is read ahead. Who reads a backlog should ask for many pages at once, and in another thread. And what one ' +
    'reads the other feels: the device is shared, and so is the lock of the address space under which pages are mapped.',
  experiment:
    'One thread appends 32 KiB a millisecond to a log and syncs every eighth time, as writer and flusher do. Beside it ' +
    'another copies out an old log of 128 MiB whose pages were let go before each pass: from a mapping with and without ' +
    "the kernel's read-ahead, by read calls, or from a mapping of which each MiB is populated in libuv's pool before.",
  reading:
    'The rate is that of the reader, the rest what the writer felt. Compare with "nobody reads", and "from memory": beside a ' +
    'reader that only takes a processor. A virtual disk whose host has the file in its own memory reads far ' +
    'faster than a device does: then the rates are those of the host, and only the order of the ways says something.',
  uses: [
    {
      file: 'src/store/disk/native-disk.ts',
      symbol: 'populate',
      what: 'mappings ask for no read-ahead; cold ranges are populated in the pool',
    },
    {
      file: 'src/store/read/resident-blocks.ts',
      symbol: 'ResidentBlocks',
      what: 'whether a read would wait is asked before it',
    },
    {
      file: 'src/store/read/pull-reader.ts',
      symbol: 'populate',
      what: 'a pull of cold messages waits for the pool, not the thread',
    },
    {
      file: 'src/store/log/read-ahead.ts',
      symbol: 'ReadAhead',
      what: 'delivery reads by calls, in blocks of 64 KiB',
    },
  ],
  places: '',
  columns: [
    { key: 'rate', title: 'read, MiB a second' },
    { key: 'appendP50', title: 'append p50, µs' },
    { key: 'appendP99', title: 'append p99, µs' },
    { key: 'syncP50', title: 'sync p50, µs' },
    { key: 'syncP99', title: 'sync p99, µs' },
  ],
  chart: { column: 'syncP50', logarithmic: true },
  bytes: (scale) => coldBytes(scale) + writtenBytes(scale),
  open,
  findings: [
    (look) => {
      const times = look('', AHEAD, 'rate') / look('', FAULTS, 'rate');
      return `with read-ahead a cold log was read ${times.toFixed(1)} times as fast as page by page`;
    },
    (look) => {
      const times = look('', POPULATED, 'rate') / look('', FAULTS, 'rate');
      return `populated in the pool it was read ${times.toFixed(1)} times as fast`;
    },
    (look) => {
      const at = (way: string) => look('', way, 'syncP50').toFixed(0);
      return `half of the writer's syncs took up to ${at(NOBODY)} µs alone, ${at(POPULATED)} beside populated cold reads, ${at(AHEAD)} beside those with read-ahead`;
    },
  ],
};
