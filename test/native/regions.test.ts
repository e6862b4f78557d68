import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { addon } from '../../src/native/addon.ts';
import { failure } from './support/errno.ts';
import { eventually } from './support/eventually.ts';
import { freshPath } from './support/folder.ts';

const SIZE = 1 << 16;

function collectGarbage(): void {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  collect();
}

test('anonymous memory is zeroed, writable and ends with its last holder', () => {
  const region = addon.allocateRegion(SIZE);
  const view = new Uint8Array(addon.attach(region));
  assert.is(view.length, SIZE);
  assert.ok(view.every((byte) => byte === 0));
  view[SIZE - 1] = 7;
  assert.is(addon.regionReferences(region), 2);
  addon.closeRegion(region);
  assert.is(view[SIZE - 1], 7, 'the attachment keeps it mapped');
  addon.detach(region);
  assert.is(addon.regionReferences(region), 0);
  assert.throws(() => addon.attach(region), /unknown region/);
});

test('reserving memory costs none until it is touched', () => {
  const region = addon.allocateRegion(64 * 2 ** 30);
  assert.ok(region > 0);
  assert.is(addon.residentPages(region, 0, 2 ** 30), 0);
  addon.closeRegion(region);
});

test('ids are never used twice', () => {
  const first = addon.allocateRegion(SIZE);
  addon.closeRegion(first);
  const second = addon.allocateRegion(SIZE);
  assert.ok(second > first);
  addon.closeRegion(second);
  assert.throws(() => addon.closeRegion(second), isRangeError);
});

test('attach gives the same ArrayBuffer every time', () => {
  const region = addon.allocateRegion(SIZE);
  const buffer = addon.attach(region);
  assert.is(addon.attach(region), buffer);
  assert.is(addon.regionReferences(region), 2, 'one open and one attachment');
  addon.detach(region);
  assert.is.not(addon.attach(region), buffer, 'a new one after detach');
  addon.detach(region);
  addon.closeRegion(region);
});

test('after detach every view is empty and late accesses are harmless', () => {
  const region = addon.allocateRegion(SIZE);
  const buffer = addon.attach(region);
  const view = new Uint8Array(buffer, 100, 200);
  const words = new DataView(buffer);
  addon.detach(region);
  assert.is(buffer.byteLength, 0);
  assert.is(view.length, 0);
  assert.is(view[0], undefined);
  view[0] = 1;
  assert.throws(() => words.getInt32(0), /detached|outside/i);
  assert.throws(() => addon.crcOfBytes(view, 0, 1), isRangeError);
  addon.detach(region);
  addon.detach(123456);
  addon.closeRegion(region);
});

test('a collected ArrayBuffer gives its region back', async () => {
  const region = addon.allocateRegion(SIZE);
  (() => new Uint8Array(addon.attach(region)).fill(1))();
  addon.closeRegion(region);
  await eventually(() => {
    collectGarbage();
    return addon.regionReferences(region) === 0;
  }, 'the collector ends the attachment');
});

test('attach works again after the old ArrayBuffer was collected', async () => {
  const region = addon.allocateRegion(SIZE);
  (() => new Uint8Array(addon.attach(region)).fill(9))();
  await eventually(() => {
    collectGarbage();
    return addon.regionReferences(region) === 1;
  }, 'only the open is left');
  assert.is(new Uint8Array(addon.attach(region))[0], 9);
  addon.detach(region);
  addon.closeRegion(region);
});

test('openSegment makes an allocated file, and maps it shared', () => {
  const path = freshPath();
  const region = addon.openSegment(path, SIZE, true);
  assert.ok(region > 0);
  const status = statSync(path);
  assert.is(status.size, SIZE);
  assert.ok(status.blocks * 512 >= SIZE, 'really allocated');
  new Uint8Array(addon.attach(region)).set([1, 2, 3], 1000);
  assert.equal([...readFileSync(path).subarray(999, 1004)], [0, 1, 2, 3, 0]);
  assert.is(addon.syncRegion(region, 1000, 1003), 0);
  assert.is(addon.syncRegion(region, 0, SIZE), 0);
  addon.detach(region);
  addon.closeRegion(region);
});

test('the same file opened twice is one region with two opens', () => {
  const path = freshPath();
  const region = addon.openSegment(path, SIZE, true);
  assert.is(addon.openSegment(path, SIZE, false), region);
  assert.is(addon.openSegment(path.replace('/file-', '/./file-'), SIZE, true), region);
  assert.is(addon.regionReferences(region), 3);
  for (let open = 0; open < 3; open += 1) addon.closeRegion(region);
  assert.is(addon.regionReferences(region), 0);
  assert.is.not(addon.openSegment(path, SIZE, false), region);
});

test('a size that is not whole pages', () => {
  const region = addon.openSegment(freshPath(), 5001, true);
  const view = new Uint8Array(addon.attach(region));
  assert.is(view.length, 5001);
  view[5000] = 1;
  assert.is(addon.syncRegion(region, 0, 5001), 0);
  assert.is(addon.residentPages(region, 0, 5001) >= 1, true);
  assert.throws(() => addon.crcOfRegion(region, 5000, 2), isRangeError);
  addon.detach(region);
  addon.closeRegion(region);
});

test('missing files, files of another size, missing folders', () => {
  const path = freshPath();
  assert.is(addon.openSegment(path, SIZE, false), failure('ENOENT'));
  writeFileSync(path, 'short');
  assert.is(addon.openSegment(path, SIZE, false), failure('EINVAL'));
  assert.is(addon.openSegment(path, SIZE, true), failure('EINVAL'));
  assert.is(readFileSync(path, 'utf8'), 'short');
  assert.is(addon.openSegment(`${path}-folder/segment`, SIZE, true), failure('ENOENT'));
});

test('advice, residency and population', async () => {
  const region = addon.openSegment(freshPath(), 1 << 20, true);
  for (const advice of ['normal', 'random', 'sequential', 'willneed', 'dontneed', 'populateRead']) {
    assert.is(addon.adviseRegion(region, 100, 5000, advice), 0, advice);
  }
  assert.throws(() => addon.adviseRegion(region, 0, 4096, 'whatever'), isRangeError);
  assert.is(await addon.populateRegion(region, 0, 1 << 20), 0);
  assert.is(addon.residentPages(region, 0, 1 << 20), 256);
  assert.is(addon.residentPages(region, 4095, 2), 2);
  assert.is(addon.residentPages(region, 0, 0), 0);
  addon.closeRegion(region);
});

test('a region that is closed while the pool populates it stays mapped until that is over', async () => {
  const region = addon.openSegment(freshPath(), 1 << 24, true);
  const population = addon.populateRegion(region, 0, 1 << 24);
  addon.closeRegion(region);
  assert.is(await population, 0);
  await eventually(() => addon.regionReferences(region) === 0, 'gone');
});

function isRangeError(error: Error): boolean {
  return error instanceof RangeError;
}

test.run();
