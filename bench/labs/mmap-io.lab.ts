/** Lab: the project's addon and mmap-io, doing what both can do. */
import type { Buffer } from 'node:buffer';
import { join } from 'node:path';
import { addon } from '../../src/native/addon.ts';
import { measure } from '../micro/measure.ts';
import { loadMmapIo, type MmapIo, mapWhole } from '../micro/mmap-io.ts';
import { repeat, type Subject } from '../micro/suite.ts';
import { CannotRun, type Case, check, type Lab, type Scale } from './lib/lab.ts';

const BYTES = 16 << 20;
const DIRTY = 64 * 1024;
const RECORDS = 256;

const OURS = 'our addon';
const OURS_NATIVE = "our addon's copy";
const THEIRS = 'mmap-io';

const SMALL = 'write 128 B';
const MESSAGE = 'write 1 KiB';
const SYNC = 'write and sync 64 KiB';
const RESIDENT = 'ask what is in memory, 16 MiB';

interface Mapped {
  bytes: Uint8Array;
  sync: (from: number, to: number) => void;
  /** Pages that are in memory. */
  resident: () => number;
}

function ours(path: string): Mapped & { region: number } {
  const region = check(addon.openSegment(path, BYTES, true), 'openSegment');
  return {
    region,
    bytes: new Uint8Array(addon.attach(region)),
    sync: (from, to) => check(addon.syncRegion(region, from, to), 'syncRegion'),
    resident: () => check(addon.residentPages(region, 0, BYTES), 'residentPages'),
  };
}

function theirs(mmapIo: MmapIo, path: string): Mapped {
  addon.closeRegion(check(addon.openSegment(path, BYTES, true), 'openSegment'));
  const mapping: Buffer = mapWhole(mmapIo, path, BYTES);
  return {
    bytes: mapping,
    sync: (from, to) => mmapIo.sync(mapping, from, to - from, true, false),
    resident: () => mmapIo.incore(mapping)[1],
  };
}

function writing(length: number, write: (at: number) => void): Pick<Subject, 'batch' | 'run'> {
  let at = 0;
  const run = repeat(RECORDS, () => {
    write(at);
    at = (at + length) % BYTES;
    return at;
  });
  return { batch: RECORDS, run };
}

function setting(bytes: Uint8Array, length: number): Pick<Subject, 'batch' | 'run'> {
  const record = new Uint8Array(length).fill(7);
  return writing(length, (at) => bytes.set(record, at));
}

function syncing({ bytes, sync }: Mapped): Pick<Subject, 'batch' | 'run'> {
  const record = new Uint8Array(DIRTY).fill(7);
  let at = 0;
  const run = () => {
    bytes.set(record, at);
    sync(at, at + DIRTY);
    at = (at + DIRTY) % BYTES;
    return at;
  };
  return { batch: 1, run };
}

function caseOf(
  place: string,
  way: string,
  subject: Pick<Subject, 'batch' | 'run'>,
  { bytes }: Pick<Mapped, 'bytes'>,
  { timing }: Scale,
): Case {
  return {
    place,
    way,
    // A sync makes pages clean, and the first store into each of them fault.
    prepare: () => {
      bytes.fill(1);
    },
    measure: () => ({ nanos: measure({ name: `${way}: ${place}`, ...subject }, timing).median }),
  };
}

function casesOf(way: string, mapped: Mapped, scale: Scale): Case[] {
  return [
    caseOf(SMALL, way, setting(mapped.bytes, 128), mapped, scale),
    caseOf(MESSAGE, way, setting(mapped.bytes, 1024), mapped, scale),
    caseOf(SYNC, way, syncing(mapped), mapped, scale),
    caseOf(RESIDENT, way, { batch: 1, run: mapped.resident }, mapped, scale),
  ];
}

export const lab: Lab = {
  title: 'Our addon and mmap-io',
  hypothesis:
    'Where both do the same (store into a mapping, sync, mincore) they cost the same: the kernel does the work. The ' +
    'addon was not written to be faster there, but for what mmap-io has not got: one mapping for all threads of a ' +
    'process, its end while the process lives, and lost pages that do not end the process.',
  experiment:
    'A file of 16 MiB, all of its pages in memory, is mapped by each of the two. Records are stored into the mapping by ' +
    '`TypedArray.set`, 64 KiB are stored and synced, and the whole is asked which pages are in memory. The addon can ' +
    'also copy from another region by a call into C++.',
  reading:
    'Rows that are equal are the point. All rounds use one mapping of each, and how its pages fall into the caches is drawn ' +
    'once a run: it moves the rows of stores by up to a half, so run the lab again before you believe a difference there. ' +
    'Syncs need not be equal: around each sync the addon asks for the size of ' +
    'the file, since one that was cut short must not count as durable. Kernels from 6.13 on (multigrain timestamps) then ' +
    'give the next store a new modification time, which the sync after it has to write too. mmap-io loads in the main ' +
    'thread only, its buffers cannot be posted to a worker, and they end with the collector alone; the lab "lost-pages" ' +
    'shows the third difference.',
  uses: [
    { file: 'src/native/addon.ts', symbol: 'NativeAddon', what: 'the contract of the addon' },
    {
      file: 'src/store/disk/native-disk.ts',
      symbol: 'NativeMapping',
      what: 'what the store does with mappings',
    },
    { file: 'native/region.cc', symbol: 'Region', what: 'counts who has a mapping; the last one unmaps' },
  ],
  places: 'what',
  columns: [{ key: 'nanos', title: 'ns' }],
  chart: { column: 'nanos', logarithmic: true },
  bytes: () => 2 * BYTES,
  open({ folder, scale }) {
    const mmapIo = loadMmapIo();
    if (typeof mmapIo === 'string') {
      throw new CannotRun(`${mmapIo}; it is an optional peer, which \`npm run setup -- --dev\` builds`);
    }
    const own = ours(join(folder, 'ours'));
    const source = check(addon.allocateRegion(1024), 'allocateRegion');
    const copy = (length: number) => writing(length, (at) => addon.copy(own.region, at, source, 0, length));
    const cases = [
      ...casesOf(OURS, own, scale),
      caseOf(SMALL, OURS_NATIVE, copy(128), own, scale),
      caseOf(MESSAGE, OURS_NATIVE, copy(1024), own, scale),
      ...casesOf(THEIRS, theirs(mmapIo, join(folder, 'theirs')), scale),
    ];
    const places = [SMALL, MESSAGE, SYNC, RESIDENT];
    return { cases: cases.sort((a, b) => places.indexOf(a.place) - places.indexOf(b.place)) };
  },
  findings: [
    (look) => {
      const times = look(MESSAGE, OURS, 'nanos') / look(MESSAGE, THEIRS, 'nanos');
      return `storing 1 KiB took ${times.toFixed(2)} times as long by our addon's mapping as by mmap-io's`;
    },
    (look) => {
      const times = look(SYNC, OURS, 'nanos') / look(SYNC, THEIRS, 'nanos');
      return `storing and syncing 64 KiB: ${times.toFixed(2)} times`;
    },
    (look) => {
      const times = look(RESIDENT, OURS, 'nanos') / look(RESIDENT, THEIRS, 'nanos');
      return `asking what is in memory: ${times.toFixed(2)} times`;
    },
  ],
};
