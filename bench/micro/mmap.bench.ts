/** mmap-io and our addon: writing into a mapping and making it durable. mmap-io works in the main thread only. */
import { join } from 'node:path';
import { addon } from '../../src/native/addon.ts';
import { loadMmapIo, mapWhole } from './mmap-io.ts';
import { repeat, type Subject, type Suite } from './suite.ts';

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
  const mmapIo = loadMmapIo();
  if (typeof mmapIo === 'string') return mmapIo;
  const path = join(folder, 'theirs');
  addon.closeRegion(addon.openSegment(path, BYTES, true));
  const mapping = mapWhole(mmapIo, path, BYTES);
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
  return { subjects, skipped: comparison };
}
