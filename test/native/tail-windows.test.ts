/** Small appends to a file go through a mapped page of its tail (native/tail_window.h); nobody may notice. */
import { readFileSync, statSync, truncateSync } from 'node:fs';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { addon } from '../../src/native/addon.ts';
import { freshPath } from './support/folder.ts';

const ENTRY = 20;
const PAGE = 4096;

/** How often a file is mapped in this process. */
function mappings(path: string): number {
  return readFileSync('/proc/self/maps', 'utf8')
    .split('\n')
    .filter((line) => line.endsWith(` ${path}`)).length;
}

function entry(n: number): Uint8Array {
  return new Uint8Array(ENTRY).fill((n % 255) + 1);
}

function append(file: number, from: number, to: number): void {
  for (let n = from; n < to; n++) assert.is(addon.writeFile(file, n * ENTRY, entry(n), 0, ENTRY), ENTRY);
}

function expectEntries(bytes: Uint8Array, count: number): void {
  for (let n = 0; n < count; n++)
    assert.equal(bytes.subarray(n * ENTRY, (n + 1) * ENTRY), Buffer.from(entry(n)), `entry ${n}`);
}

test.before(() => addon.installFaultGuard());

test('entries across many pages are all in the file, and one page is mapped', () => {
  const path = freshPath();
  const file = addon.openFile(path, 100_000);
  assert.is(mappings(path), 0);
  append(file, 0, 3000);
  assert.is(mappings(path), 1);
  expectEntries(readFileSync(path), 3000);
  assert.is(statSync(path).size, 100_000);
  const read = Buffer.alloc(3000 * ENTRY);
  assert.is(addon.readFile(file, 0, read, 0, read.length), read.length);
  expectEntries(read, 3000);
  addon.closeFile(file);
});

test('a closed file is mapped no longer, once it is durable', async () => {
  const path = freshPath();
  const file = addon.openFile(path, PAGE);
  append(file, 0, 10);
  assert.is(mappings(path), 1);
  addon.closeFile(file);
  assert.is(await addon.syncDirtyFiles(), 0);
  assert.is(mappings(path), 0);
  expectEntries(readFileSync(path), 10);
});

test('large writes, small ones elsewhere, and ones past the end', () => {
  const path = freshPath();
  const size = PAGE + 50;
  const file = addon.openFile(path, size);
  append(file, 0, 204);
  const large = new Uint8Array(1000).fill(7);
  assert.is(addon.writeFile(file, 100, large, 0, 1000), 1000);
  assert.is(addon.writeFile(file, 60, entry(1), 0, ENTRY), ENTRY);
  append(file, 205, 206);
  for (let n = 0; n < 3; n++) assert.is(addon.writeFile(file, size - 10, entry(n), 0, ENTRY), ENTRY);
  assert.is(statSync(path).size, size + 10, 'the end is where the file ended, not the page');
  const bytes = readFileSync(path);
  assert.equal(bytes.subarray(100, 1100), Buffer.from(large));
  assert.equal(bytes.subarray(60, 80), Buffer.from(entry(1)));
  assert.equal(bytes.subarray(205 * ENTRY, 206 * ENTRY), Buffer.from(entry(205)));
  assert.equal(bytes.subarray(size - 10), Buffer.from(entry(2)));
  addon.closeFile(file);
});

test('more files than descriptors: those with a window need none', () => {
  addon.setFileCacheLimit(4);
  const paths = Array.from({ length: 100 }, freshPath);
  const files = paths.map((path) => addon.openFile(path, PAGE));
  for (let n = 0; n < 50; n++) for (const file of files) append(file, n, n + 1);
  for (const [index, path] of paths.entries()) {
    assert.is(mappings(path), 1);
    expectEntries(readFileSync(path), 50);
    addon.closeFile(files[index] as number);
  }
  addon.setFileCacheLimit(512);
});

test('a file that was shortened under its window: the write still arrives', () => {
  const path = freshPath();
  const file = addon.openFile(path, 4 * PAGE);
  append(file, 0, 300);
  assert.is(mappings(path), 1);
  truncateSync(path, 0);
  append(file, 300, 303);
  const bytes = readFileSync(path);
  for (let n = 300; n < 303; n++)
    assert.equal(bytes.subarray(n * ENTRY, (n + 1) * ENTRY), Buffer.from(entry(n)), `entry ${n}`);
  addon.closeFile(file);
});

test('idle files lose their window', async () => {
  const idle = freshPath();
  const busy = freshPath();
  const files = [idle, busy].map((path) => addon.openFile(path, PAGE));
  for (const file of files) append(file, 0, 5);
  for (let n = 5; n < 75; n++) {
    append(files[1] as number, n, n + 1);
    assert.is(await addon.syncDirtyFiles(), 0);
  }
  assert.is(mappings(idle), 0);
  assert.is(mappings(busy), 1);
  append(files[0] as number, 5, 10);
  expectEntries(readFileSync(idle), 10);
  for (const file of files) addon.closeFile(file);
});

test.run();
