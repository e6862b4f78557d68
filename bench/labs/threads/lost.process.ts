/**
 * A child of the lab "lost-pages": loses what it has mapped, touches it, and tells what it saw. Some scenes end it.
 * Arguments: the scene and an empty folder, for scenes of a full disk on a small disk of its own.
 */
import { rmSync, truncateSync, writeFileSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import { addon } from '../../../src/native/addon.ts';
import { check } from '../lib/lab.ts';
import { type Scene, SMALL_DISK_BYTES, type Told } from './lost-data.ts';

const [, , scene, folder = '.'] = process.argv as [string, string, Scene, string?];
const PAGE = 4096;
const BYTES = 64 * PAGE;
const LARGE_BYTES = 4 * SMALL_DISK_BYTES;
const path = join(folder, 'mapped');

function errnoName(result: number): string {
  const found = Object.entries(constants.errno).find(([, number]) => number === Math.abs(result));
  return result === 0 ? 'no error' : (found?.[0] ?? String(result));
}

interface Mapped {
  region: number;
  bytes: Uint8Array;
}

function map(bytes: number, create: boolean): Mapped {
  const region = check(addon.openSegment(path, bytes, create), 'openSegment');
  return { region, bytes: new Uint8Array(addon.attach(region)) };
}

/** A mapping whose pages have been written, and its file. */
function written(): Mapped {
  const mapped = map(BYTES, true);
  mapped.bytes.fill(3);
  check(addon.syncRegion(mapped.region, 0, BYTES), 'syncRegion');
  return mapped;
}

function truncated(): Told {
  const { region, bytes } = written();
  truncateSync(path, PAGE);
  const from = performance.now();
  const byte = bytes[5 * PAGE];
  const micros = (performance.now() - from) * 1000;
  const error = errnoName(addon.regionError(region));
  const sync = errnoName(addon.syncRegion(region, 0, PAGE));
  return { seen: `reads ${byte} where 3 was; the region says ${error}; a sync gives ${sync}`, micros };
}

function truncatedWrite(): Told {
  const { region } = written();
  const source = check(addon.allocateRegion(PAGE), 'allocateRegion');
  truncateSync(path, PAGE);
  const from = performance.now();
  const result = addon.appendToRegion(region, 5 * PAGE, source, 0, PAGE);
  return { seen: `the write call gives ${errnoName(result)}`, micros: (performance.now() - from) * 1000 };
}

function unlinked(): Told {
  const { bytes } = written();
  rmSync(path);
  const from = performance.now();
  const byte = bytes[5 * PAGE];
  return {
    seen: `reads ${byte}: the file lives as long as its mapping`,
    micros: (performance.now() - from) * 1000,
  };
}

function closed(): Told {
  const { region, bytes } = written();
  addon.closeRegion(region);
  const from = performance.now();
  const byte = bytes[5 * PAGE];
  const left = addon.regionReferences(region);
  return {
    seen: `reads ${byte}: the view holds the mapping (${left} left)`,
    micros: (performance.now() - from) * 1000,
  };
}

function detached(): Told {
  const { region, bytes } = written();
  addon.closeRegion(region);
  addon.detach(region);
  const from = performance.now();
  const byte = bytes[5 * PAGE];
  return {
    seen: `the view has ${bytes.length} bytes and reads ${byte}; the pages are unmapped`,
    micros: (performance.now() - from) * 1000,
  };
}

/** Leaves no free byte on the small disk. */
function fillDisk(): void {
  try {
    writeFileSync(join(folder, 'filler'), new Uint8Array(2 * SMALL_DISK_BYTES));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
  }
}

/** Maps a file without blocks, and stores into it when the disk is full. */
function fullSparse(): Told {
  writeFileSync(path, '');
  truncateSync(path, LARGE_BYTES);
  const { region, bytes } = map(LARGE_BYTES, false);
  fillDisk();
  const from = performance.now();
  bytes[5 * PAGE] = 9;
  const micros = (performance.now() - from) * 1000;
  const sync = errnoName(addon.syncRegion(region, 5 * PAGE, 6 * PAGE));
  return {
    seen: `the store is in memory only; the region says ${errnoName(addon.regionError(region))}; a sync gives ${sync}`,
    micros,
  };
}

function fullWrite(): Told {
  writeFileSync(path, '');
  truncateSync(path, LARGE_BYTES);
  const { region } = map(LARGE_BYTES, false);
  const source = check(addon.allocateRegion(PAGE), 'allocateRegion');
  fillDisk();
  const from = performance.now();
  const result = addon.appendToRegion(region, 5 * PAGE, source, 0, PAGE);
  return { seen: `the write call gives ${errnoName(result)}`, micros: (performance.now() - from) * 1000 };
}

function fullAllocate(): Told {
  fillDisk();
  const from = performance.now();
  const result = addon.openSegment(path, BYTES, true);
  const micros = (performance.now() - from) * 1000;
  return { seen: `making an allocated file gives ${errnoName(result)}: nothing is mapped`, micros };
}

function fullAllocated(): Told {
  const { region, bytes } = map(BYTES, true);
  fillDisk();
  const from = performance.now();
  for (let at = 0; at < BYTES; at += PAGE) bytes[at] = 9;
  const micros = (performance.now() - from) * 1000;
  return {
    seen: `${BYTES / PAGE} pages stored; a sync gives ${errnoName(addon.syncRegion(region, 0, BYTES))}`,
    micros,
  };
}

function guarded(run: () => Told): () => Told {
  return () => {
    addon.installFaultGuard();
    return run();
  };
}

const RUN: Record<Scene, () => Told> = {
  truncate: truncated,
  'truncate-guarded': guarded(truncated),
  'truncate-write': truncatedWrite,
  unlink: unlinked,
  close: closed,
  detach: detached,
  'full-sparse': fullSparse,
  'full-sparse-guarded': guarded(fullSparse),
  'full-write': fullWrite,
  'full-allocate': fullAllocate,
  'full-allocated': fullAllocated,
};

process.stdout.write(JSON.stringify(RUN[scene]()));
