/** How records enter a segment's file. */
import { readFileSync, truncateSync } from 'node:fs';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { addon } from '../../src/native/addon.ts';
import { failure } from './support/errno.ts';
import { freshPath } from './support/folder.ts';

const SIZE = 1 << 16;

function segment() {
  const path = freshPath();
  return { path, region: addon.openSegment(path, SIZE, true) };
}

function memoryOf(bytes: Uint8Array): number {
  const region = addon.allocateRegion(bytes.length);
  new Uint8Array(addon.attach(region)).set(bytes);
  return region;
}

const sample = Uint8Array.from({ length: 10_000 }, (_, i) => (i * 7 + 1) & 0xff);

test('what is appended is in the file and in the mapping, and can be synced', () => {
  const { path, region } = segment();
  const view = new Uint8Array(addon.attach(region));
  const memory = memoryOf(sample);
  assert.is(addon.appendToRegion(region, 100, memory, 0, sample.length), 0);
  assert.is(addon.appendToRegion(region, 100 + sample.length, memory, 16, 5), 0, 'shorter than a head');
  assert.equal(view.slice(100, 100 + sample.length), sample);
  assert.is(addon.syncRegion(region, 100, 105 + sample.length), 0);
  const file = readFileSync(path);
  assert.equal(Uint8Array.from(file.subarray(100, 100 + sample.length)), sample);
  assert.equal(file.subarray(100 + sample.length, 105 + sample.length), Buffer.from(sample.slice(16, 21)));
  assert.is(file.length, SIZE);
  for (const one of [region, memory]) {
    addon.detach(one);
    addon.closeRegion(one);
  }
});

test('a file that was cut short does not grow again: an error that stays', () => {
  const { path, region } = segment();
  const memory = memoryOf(sample);
  truncateSync(path, 4096);
  assert.is(addon.appendToRegion(region, 0, memory, 0, 100), failure('EIO'));
  assert.is(addon.regionError(region), -failure('EIO'));
  assert.is(readFileSync(path).length, 4096);
  assert.is(addon.syncRegion(region, 0, 100), failure('EIO'), 'nor does a sync say that it is durable');
});

test('misuse is refused', () => {
  const { region } = segment();
  const memory = memoryOf(sample);
  const cases: [number, number, number, number, number][] = [
    [memory, 0, memory, 5000, 10],
    [region, SIZE - 5, memory, 0, 6],
    [region, 0, memory, sample.length - 5, 6],
    [region, -1, memory, 0, 6],
    [999_999, 0, memory, 0, 6],
    [region, 0, 999_999, 0, 6],
  ];
  for (const [target, at, source, from, length] of cases) {
    assert.throws(() => addon.appendToRegion(target, at, source, from, length), /not a segment, or range/);
  }
});

test.run();
