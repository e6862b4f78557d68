import { Buffer } from 'node:buffer';
import { execFileSync } from 'node:child_process';
import { closeSync, existsSync, openSync, readFileSync, readSync, writeFileSync } from 'node:fs';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { addon } from '../../src/native/addon.ts';
import { failure } from './support/errno.ts';
import { freshPath, temporaryFolder } from './support/folder.ts';

test('zeroFileRange blanks a range and never grows the file', () => {
  const path = freshPath();
  writeFileSync(path, Buffer.alloc(10_000, 7));
  assert.is(addon.zeroFileRange(path, 100, 9000), 0);
  let content = readFileSync(path);
  assert.ok(content.subarray(0, 100).every((byte) => byte === 7));
  assert.ok(content.subarray(100, 9000).every((byte) => byte === 0));
  assert.ok(content.subarray(9000).every((byte) => byte === 7));
  assert.is(addon.zeroFileRange(path, 9500, 20_000), 0);
  assert.is(addon.zeroFileRange(path, 50_000, 60_000), 0);
  content = readFileSync(path);
  assert.is(content.length, 10_000);
  assert.ok(content.subarray(9500).every((byte) => byte === 0));
  assert.is(addon.zeroFileRange(freshPath(), 0, 1), failure('ENOENT'));
  assert.throws(() => addon.zeroFileRange(path, 2, 1), /from <= to/);
});

test('zeroFileRange is seen through a mapping of the file', () => {
  const path = freshPath();
  const region = addon.openSegment(path, 8192, true);
  const view = new Uint8Array(addon.attach(region)).fill(1);
  assert.is(addon.zeroFileRange(path, 10, 8192), 0);
  assert.is(view[9], 1);
  assert.ok(view.subarray(10).every((byte) => byte === 0));
  addon.detach(region);
  addon.closeRegion(region);
});

test('syncDirectory', () => {
  assert.is(addon.syncDirectory(temporaryFolder), 0);
  assert.is(addon.syncDirectory(freshPath()), failure('ENOENT'));
  const file = freshPath();
  writeFileSync(file, '');
  assert.is(addon.syncDirectory(file), failure('ENOTDIR'));
});

test('dropFileCache', () => {
  const path = freshPath();
  writeFileSync(path, Buffer.alloc(100_000, 1));
  assert.is(addon.dropFileCache(path, 0, 100_000), 0);
  assert.is(addon.dropFileCache(freshPath(), 0, 1), failure('ENOENT'));
});

test('a lock excludes others until it is given back', () => {
  const path = freshPath();
  const lock = addon.lockFile(path);
  assert.ok(lock >= 0);
  assert.ok(existsSync(path));
  assert.is(addon.lockFile(path), failure('EAGAIN'), 'also from the same process');
  addon.unlockFile(lock);
  const again = addon.lockFile(path);
  assert.ok(again >= 0);
  addon.unlockFile(again);
  assert.throws(() => addon.unlockFile(again), /not a lock/);
  assert.throws(() => addon.unlockFile(0), /not a lock/);
});

/** What another process finds, with the locks that Java uses too. The set-up needs python3 anyway. */
function lockElsewhere(path: string): string {
  const script = `
import fcntl, sys
file = open(sys.argv[1], 'r+')
try:
    fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, 0)
    print('free')
except OSError:
    print('held')
`;
  return execFileSync('python3', ['-c', script, path], { encoding: 'utf8' }).trim();
}

test('a lock excludes other processes', () => {
  const path = freshPath();
  const lock = addon.lockFile(path);
  assert.is(lockElsewhere(path), 'held');
  addon.unlockFile(lock);
  assert.is(lockElsewhere(path), 'free');
});

test('returnLargeBlocks takes a size in bytes', () => {
  assert.is(addon.returnLargeBlocks(128 * 1024), 0);
  assert.throws(() => addon.returnLargeBlocks(0), /needs a size/);
});

test('trimHeap says whether there was something to give back', async () => {
  assert.ok([0, 1].includes(await addon.trimHeap()));
});

test('duplicateDescriptor', () => {
  const path = freshPath();
  writeFileSync(path, 'content');
  const descriptor = openSync(path, 'r');
  const duplicate = addon.duplicateDescriptor(descriptor);
  assert.ok(duplicate > 2);
  assert.is.not(duplicate, descriptor);
  closeSync(descriptor);
  const bytes = Buffer.alloc(7);
  assert.is(readSync(duplicate, bytes, 0, 7, 0), 7);
  assert.is(bytes.toString(), 'content');
  closeSync(duplicate);
  assert.is(addon.duplicateDescriptor(duplicate), failure('EBADF'));
});

test('where data begins: behind holes and what was only allocated, with what is not on the device yet', async () => {
  const [prepared, sparse] = [freshPath(), freshPath()];
  const MIB = 1 << 20;
  assert.is(await addon.prepareSegment(prepared, 8 * MIB), 0);
  assert.is(addon.firstData(prepared, 0), -1);
  const file = addon.openFile(sparse, 8 * MIB);
  assert.is(addon.firstData(sparse, 0), -1);
  addon.writeFile(file, 3 * MIB + 5, Uint8Array.of(1), 0, 1);
  assert.is(addon.firstData(sparse, 0), 3 * MIB);
  assert.is(addon.firstData(sparse, 3 * MIB + 7), 3 * MIB + 7);
  assert.is(addon.firstData(sparse, 4 * MIB), -1);
  const written = addon.openFile(prepared, -1);
  addon.writeFile(written, 5 * MIB, Uint8Array.of(1), 0, 1);
  const found = addon.firstData(prepared, 0);
  assert.ok(found >= 0 && found <= 5 * MIB, `${found}`);
  for (const open of [file, written]) addon.closeFile(open);
  assert.is(addon.firstData(freshPath(), 7), 7, 'nobody knows');
});

test.run();
