/** mmap-io and our addon: writing into a mapping and making it durable. mmap-io works in the main thread only. */
import { closeSync, openSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { addon } from '../../src/native/addon.ts';
import { repeat, type Subject, type Suite } from './suite.ts';

interface MmapIo {
  readonly PROT_READ: number;
  readonly PROT_WRITE: number;
  readonly MAP_SHARED: number;
  map(size: number, protection: number, flags: number, descriptor: number, offset?: number): Buffer;
  sync(buffer: Buffer, offset: number, length: number, blocking: boolean, invalidate: boolean): void;
}

const BYTES = 16 << 20;
const MESSAGE = 1024;
const WRITES = 256;
const DIRTY = 64 * 1024;

/** Writes a message and makes what was written durable, for one of the two. */
interface Mapped {
  name: string;
  write: (at: number) => void;
  sync: (from: number, to: number) => void;
}

function ours(folder: string): Mapped {
  const region = addon.openSegment(join(folder, 'ours'), BYTES, true);
  const source = addon.allocateRegion(MESSAGE);
  return {
    name: 'addon',
    write: (at) => addon.copy(region, at, source, 0, MESSAGE),
    sync: (from, to) => {
      const outcome = addon.syncRegion(region, from, to);
      if (outcome !== 0) throw new Error(`sync failed: ${outcome}`);
    },
  };
}

/** Or why it cannot be loaded. */
function theirs(folder: string): Mapped | string {
  let mmapIo: MmapIo;
  try {
    mmapIo = createRequire(import.meta.url)('mmap-io') as MmapIo;
  } catch (error) {
    return (error as Error).message.split('\n')[0] ?? '';
  }
  const path = join(folder, 'theirs');
  addon.closeRegion(addon.openSegment(path, BYTES, true));
  const descriptor = openSync(path, 'r+');
  const mapping = mmapIo.map(BYTES, mmapIo.PROT_READ | mmapIo.PROT_WRITE, mmapIo.MAP_SHARED, descriptor);
  closeSync(descriptor);
  const source = new Uint8Array(MESSAGE);
  return {
    name: 'mmap-io',
    write: (at) => mapping.set(source, at),
    sync: (from, to) => mmapIo.sync(mapping, from, to - from, true, false),
  };
}

function subjectsOf({ name, write, sync }: Mapped): Subject[] {
  let at = 0;
  const writeNext = () => {
    write(at);
    at = (at + MESSAGE) % BYTES;
    return at;
  };
  return [
    { name: `${name}: write ${MESSAGE} bytes`, batch: WRITES, run: repeat(WRITES, writeNext) },
    {
      name: `${name}: write and sync ${DIRTY / 1024} KiB`,
      batch: 1,
      run: () => {
        const from = at - (at % DIRTY);
        for (let place = from; place < from + DIRTY; place += MESSAGE) write(place);
        sync(from, from + DIRTY);
        at = (from + DIRTY) % BYTES;
        return at;
      },
    },
  ];
}

export function open(folder: string): Suite {
  const comparison = theirs(folder);
  const subjects = subjectsOf(ours(folder));
  if (typeof comparison !== 'string') return { subjects: [...subjects, ...subjectsOf(comparison)] };
  return { subjects, skipped: `mmap-io cannot be loaded: ${comparison}` };
}
