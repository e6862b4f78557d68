import { Buffer } from 'node:buffer';
import {
  readdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { addon } from '../../src/native/addon.ts';
import { failure } from './support/errno.ts';
import { freshPath, temporaryFolder } from './support/folder.ts';
import { withThreads } from './support/thread.ts';

/** Descriptors of this process on files of the test. */
function openDescriptors(): number {
  return readdirSync('/proc/self/fd').filter((descriptor) => {
    try {
      return readlinkSync(`/proc/self/fd/${descriptor}`).startsWith(`${temporaryFolder}/`);
    } catch {
      return false;
    }
  }).length;
}

test.after.each(() => addon.setFileCacheLimit(512));

test('a missing file is made sparse, an existing one keeps its size', () => {
  const path = freshPath();
  const size = 6_000_000;
  const file = addon.openFile(path, size);
  assert.is(addon.fileSize(file), size);
  assert.is(statSync(path).blocks, 0);
  addon.closeFile(file);
  const again = addon.openFile(path, 10);
  assert.is(addon.fileSize(again), size);
  assert.is.not(again, file);
  addon.closeFile(again);
});

test('missing files and folders', () => {
  assert.is(addon.openFile(freshPath(), -1), failure('ENOENT'));
  assert.is(addon.openFile(`${freshPath()}/file`, 10), failure('ENOENT'));
  assert.is(addon.openFile(temporaryFolder, 10), failure('EISDIR'));
});

test('one id for a path, one close for each open', () => {
  const path = freshPath();
  const file = addon.openFile(path, 16);
  assert.is(addon.openFile(path, 16), file);
  addon.closeFile(file);
  assert.is(addon.fileSize(file), 16);
  addon.closeFile(file);
  assert.throws(() => addon.fileSize(file), /unknown file/);
  assert.throws(() => addon.closeFile(file), /unknown file/);
});

test('ranges are written, read back, and cut at the end of the file', () => {
  const path = freshPath();
  const file = addon.openFile(path, 100);
  const source = Buffer.from('..abcdef..');
  assert.is(addon.writeFile(file, 40, source, 2, 6), 6);
  assert.is(readFileSync(path).toString('latin1', 39, 47), '\0abcdef\0');
  const target = Buffer.alloc(20, '-');
  assert.is(addon.readFile(file, 38, target, 5, 10), 10);
  assert.is(target.toString('latin1'), `-----\0\0abcdef\0\0-----`);
  assert.is(addon.readFile(file, 95, target, 0, 20), 5);
  assert.is(addon.readFile(file, 100, target, 0, 20), 0);
  assert.is(addon.readFile(file, 0, target, 20, 0), 0);
  assert.is(addon.writeFile(file, 98, source, 0, 10), 10);
  assert.is(addon.fileSize(file), 108, 'a write past the end grows the file');
  addon.closeFile(file);
});

test('misuse throws and touches nothing', () => {
  const file = addon.openFile(freshPath(), 100);
  const bytes = new Uint8Array(10);
  const misuses: readonly (() => unknown)[] = [
    () => addon.readFile(file, 0, bytes, 0, 11),
    () => addon.readFile(file, 0, bytes, 11, 0),
    () => addon.writeFile(file, 0, bytes, 5, 6),
    () => addon.writeFile(file, -1, bytes, 0, 1),
    () => addon.readFile(4711, 0, bytes, 0, 1),
    () => addon.writeFile(4711, 0, bytes, 0, 1),
    () => addon.setFileCacheLimit(0),
    () => addon.openFile('with\0nul', 1),
  ];
  for (const misuse of misuses)
    assert.throws(misuse, (error: Error) => error instanceof RangeError, String(misuse));
  addon.closeFile(file);
});

test('more files than descriptors', async () => {
  addon.setFileCacheLimit(8);
  const paths = Array.from({ length: 100 }, freshPath);
  const files = paths.map((path) => addon.openFile(path, 64));
  assert.ok(openDescriptors() <= 8);
  for (const [index, file] of files.entries()) {
    assert.is(addon.writeFile(file, 8, Buffer.from(`file ${index}`), 0, 6), 6);
  }
  assert.ok(openDescriptors() <= 8);
  const target = Buffer.alloc(6);
  for (const [index, file] of files.entries()) {
    assert.is(addon.readFile(file, 8, target, 0, 6), 6);
    assert.is(target.toString(), `file ${index}`.slice(0, 6));
  }
  assert.is(await addon.syncDirtyFiles(), 0);
  assert.ok(openDescriptors() <= 8);
  addon.setFileCacheLimit(2);
  assert.ok(openDescriptors() <= 2);
  for (const file of files) addon.closeFile(file);
  assert.is(openDescriptors(), 0);
});

test('many threads, few descriptors', async () => {
  addon.setFileCacheLimit(4);
  const files = Array.from({ length: 40 }, () => addon.openFile(freshPath(), 256));
  await withThreads(4, async (threads) => {
    const working = threads.map((thread, slot) => thread.call('exchangeFiles', files, slot, 50));
    const syncs = Array.from({ length: 5 }, () => addon.syncDirtyFiles());
    assert.equal(await Promise.all(working), [0, 0, 0, 0]);
    assert.ok((await Promise.all(syncs)).every((result) => result === 0));
  });
  assert.ok(openDescriptors() <= 4);
  for (const file of files) addon.closeFile(file);
});

test('threads that open and close the same files', async () => {
  addon.setFileCacheLimit(3);
  const paths = Array.from({ length: 10 }, freshPath);
  await withThreads(3, async (threads) => {
    const working = threads.map((thread) => thread.call('openAndCloseFiles', paths, 50));
    const sync = addon.syncDirtyFiles();
    assert.equal(await Promise.all(working), [0, 0, 0]);
    assert.is(await sync, 0);
  });
  assert.is(await addon.syncDirtyFiles(), 0);
  assert.is(openDescriptors(), 0);
  for (const path of paths) assert.is(statSync(path).size, 64);
});

test('syncDirtyFiles: none, one, hundreds, closed ones, deleted ones', async () => {
  assert.is(await addon.syncDirtyFiles(), 0);
  const bytes = new Uint8Array(8);
  const files = Array.from({ length: 300 }, () => addon.openFile(freshPath(), 64));
  addon.writeFile(files[0] ?? 0, 0, bytes, 0, 8);
  assert.is(await addon.syncDirtyFiles(), 0);
  for (const file of files) addon.writeFile(file, 0, bytes, 0, 8);
  assert.is(await addon.syncDirtyFiles(), 0);
  for (const file of files) {
    addon.writeFile(file, 0, bytes, 0, 8);
    addon.closeFile(file);
  }
  assert.is(await addon.syncDirtyFiles(), 0);
  assert.is(openDescriptors(), 0);

  addon.setFileCacheLimit(1);
  const path = freshPath();
  const deleted = addon.openFile(path, 64);
  addon.writeFile(deleted, 0, bytes, 0, 8);
  const other = addon.openFile(freshPath(), 64);
  unlinkSync(path);
  assert.is(await addon.syncDirtyFiles(), 0);
  assert.is(addon.readFile(deleted, 0, bytes, 0, 8), failure('ENOENT'));
  addon.closeFile(deleted);
  addon.closeFile(other);
});

test('a link is another name', () => {
  const path = freshPath();
  const link = freshPath();
  writeFileSync(path, 'content');
  symlinkSync(path, link);
  const file = addon.openFile(link, -1);
  assert.is(addon.fileSize(file), 7);
  addon.closeFile(file);
});

test.run();
