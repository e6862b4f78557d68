/** mmap-io maps the same files with code that is not ours: what one writes the other must see. */
import type { Buffer } from 'node:buffer';
import { closeSync, openSync } from 'node:fs';
import { createRequire } from 'node:module';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { addon } from '../../src/native/addon.ts';
import { freshPath } from './support/folder.ts';

interface MmapIo {
  readonly PROT_READ: number;
  readonly PROT_WRITE: number;
  readonly MAP_SHARED: number;
  map(size: number, protection: number, flags: number, descriptor: number, offset?: number): Buffer;
  sync(buffer: Buffer, offset: number, length: number, blocking: boolean, invalidate: boolean): void;
  incore(buffer: Buffer): [number, number];
}

const SIZE = 1 << 20;

function load(): MmapIo | string {
  try {
    return createRequire(import.meta.url)('mmap-io') as MmapIo;
  } catch (error) {
    return (error as Error).message.split('\n')[0] ?? '';
  }
}

function mapFile(mmapIo: MmapIo, path: string): Buffer {
  const descriptor = openSync(path, 'r+');
  try {
    return mmapIo.map(SIZE, mmapIo.PROT_READ | mmapIo.PROT_WRITE, mmapIo.MAP_SHARED, descriptor);
  } finally {
    closeSync(descriptor);
  }
}

function compareWith(mmapIo: MmapIo): void {
  test('bytes travel both ways between the mappings', () => {
    const path = freshPath();
    const region = addon.openSegment(path, SIZE, true);
    const ours = new Uint8Array(addon.attach(region));
    const theirs = mapFile(mmapIo, path);
    for (let offset = 0; offset < SIZE; offset += 4099) ours[offset] = offset & 0xff;
    for (let offset = 0; offset < SIZE; offset += 4099) assert.is(theirs[offset], offset & 0xff);
    theirs.write('from there', 777);
    assert.is(String.fromCharCode(...ours.subarray(777, 787)), 'from there');
    assert.is(addon.syncRegion(region, 0, SIZE), 0);
    mmapIo.sync(theirs, 0, SIZE, true, false);
    assert.is(addon.crcOfRegion(region, 0, SIZE), addon.crcOfBytes(theirs, 0, SIZE));
    addon.detach(region);
    addon.closeRegion(region);
    assert.is(theirs.toString('latin1', 777, 787), 'from there');
  });

  test('copies and small-file writes arrive in the other mapping', () => {
    const path = freshPath();
    const region = addon.openSegment(path, SIZE, true);
    const theirs = mapFile(mmapIo, path);
    const memory = addon.allocateRegion(4096);
    new Uint8Array(addon.attach(memory)).fill(8);
    const checksum = addon.copyWithCrc(region, 5000, memory, 0, 4096, 0, 4096);
    assert.is(checksum, addon.crcOfBytes(theirs, 5000, 4096));
    const file = addon.openFile(path, -1);
    addon.writeFile(file, 100_000, theirs, 5000, 16);
    assert.equal([...theirs.subarray(100_000, 100_016)], new Array(16).fill(8));
    addon.closeFile(file);
    addon.closeRegion(region);
  });

  test('residency is counted alike', async () => {
    const path = freshPath();
    const region = addon.openSegment(path, SIZE, true);
    assert.is(await addon.populateRegion(region, 0, SIZE), 0);
    const [resident] = [...mmapIo.incore(mapFile(mmapIo, path))].sort((a, b) => b - a);
    assert.is(addon.residentPages(region, 0, SIZE), resident);
    addon.closeRegion(region);
  });
}

const mmapIo = load();
if (typeof mmapIo === 'string') {
  console.log(`skipped: comparison with mmap-io (${mmapIo})`);
  test.skip('comparison with mmap-io');
} else {
  compareWith(mmapIo);
}

test.run();
