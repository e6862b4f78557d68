import { execFileSync } from 'node:child_process';
import { readdirSync, statfsSync, statSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { addon } from '../../src/native/addon.ts';
import { failure } from './support/errno.ts';
import { freshPath, temporaryFolder } from './support/folder.ts';
import { withThreads } from './support/thread.ts';

const SIZE = 1 << 20;

test('makes the file without mapping it, and is content with a file that is there', async () => {
  const path = freshPath();
  assert.is(await addon.prepareSegment(path, SIZE), 0);
  assert.is(statSync(path).size, SIZE);
  assert.ok(statSync(path).blocks * 512 >= SIZE);
  assert.is(await addon.prepareSegment(path, SIZE), 0);
  const region = addon.openSegment(path, SIZE, false);
  assert.ok(region > 0);
  addon.closeRegion(region);
});

/** Bytes that the file takes of the disk. */
function held(path: string): number {
  return statSync(path).blocks * 512;
}

test('with less room than bytes a file has its size and takes as little; more is allocated when it is asked for', async () => {
  const path = freshPath();
  const prepared = freshPath();
  assert.is(await addon.prepareSegment(prepared, SIZE, SIZE / 4), 0);
  const region = addon.openSegment(path, SIZE, true, SIZE / 4);
  for (const name of [path, prepared]) {
    assert.is(statSync(name).size, SIZE);
    assert.ok(held(name) >= SIZE / 4 && held(name) < SIZE / 2, `${held(name)} bytes are held`);
  }
  const view = new Uint8Array(addon.attach(region));
  view.fill(7, 0, SIZE / 4);
  assert.is(addon.reserveRegion(region, SIZE / 4, SIZE / 2), 0);
  assert.ok(held(path) >= (SIZE * 3) / 4 && held(path) < SIZE);
  assert.is(await addon.reserveRegionAhead(region, SIZE / 4, (SIZE * 3) / 4), 0);
  assert.ok(held(path) >= SIZE);
  assert.ok(view.subarray(0, SIZE / 4).every((byte) => byte === 7));
  assert.ok(view.subarray(SIZE / 4).every((byte) => byte === 0));
  assert.is(statSync(path).size, SIZE);
  assert.is(addon.zeroFileRange(path, SIZE / 4, SIZE), 0);
  assert.ok(held(path) < SIZE / 2, 'a hole takes no room');
  addon.detach(region);
  addon.closeRegion(region);
});

test('room is asked for within a segment', () => {
  const region = addon.openSegment(freshPath(), SIZE, true);
  assert.throws(() => addon.reserveRegion(region, 1, SIZE), /range outside/);
  assert.throws(() => addon.reserveRegionAhead(region, 1, SIZE), /range outside/);
  addon.closeRegion(region);
  assert.throws(() => addon.reserveRegion(region, 0, 1), /not a segment/);
  const memory = addon.allocateRegion(SIZE);
  assert.throws(() => addon.reserveRegion(memory, 0, 1), /not a segment/);
  addon.closeRegion(memory);
  assert.throws(() => addon.openSegment(freshPath(), SIZE, true, SIZE + 1), /at most as much room/);
});

test('a file of another size stays as it is', async () => {
  const path = freshPath();
  writeFileSync(path, 'short');
  assert.is(await addon.prepareSegment(path, SIZE), failure('EINVAL'));
  assert.is(statSync(path).size, 5);
});

test('a full disk is -ENOSPC and leaves nothing behind', async () => {
  const { bavail, bsize } = statfsSync(temporaryFolder);
  const before = readdirSync(temporaryFolder);
  const tooMuch = (bavail + 2 ** 20) * bsize;
  const path = freshPath();
  assert.is(await addon.prepareSegment(path, tooMuch), failure('ENOSPC'));
  assert.is(addon.openSegment(path, tooMuch, true), failure('ENOSPC'));
  assert.equal(readdirSync(temporaryFolder), before);
});

test('a missing folder is -ENOENT', async () => {
  assert.is(await addon.prepareSegment(`${freshPath()}/segment`, SIZE), failure('ENOENT'));
});

test('many at once, the same path and others', async () => {
  const path = freshPath();
  const others = Array.from({ length: 8 }, freshPath);
  const jobs = [path, ...others, path, path].map((name) => addon.prepareSegment(name, SIZE));
  const opened = addon.openSegment(path, SIZE, true);
  assert.ok(opened > 0);
  assert.ok((await Promise.all(jobs)).every((result) => result === 0));
  addon.closeRegion(opened);
});

test('threads that create the same path get the same region', async () => {
  await withThreads(3, async (threads) => {
    for (let round = 0; round < 20; round += 1) {
      const path = freshPath();
      const ids = await Promise.all(threads.map((thread) => thread.call('openSegment', path, SIZE, true)));
      assert.is(new Set(ids).size, 1, `round ${round}: ${ids}`);
      const region = ids[0] ?? 0;
      assert.is(addon.regionReferences(region), 3);
      for (const id of ids) addon.closeRegion(id);
    }
  });
});

/** A file system of its own that is full, where the system lets users mount one. */
function runOnSmallDisk(script: string): string | undefined {
  const inside = 'mount -t tmpfs -o size=1m tmpfs "$0" && cd "$0" && exec "$1" --input-type=module -e "$2"';
  try {
    const args = ['-rm', 'sh', '-c', inside, dirname(freshPath()), process.execPath, script];
    return execFileSync('unshare', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] }).trim();
  } catch {
    return undefined;
  }
}

if (runOnSmallDisk('console.log(1)') === '1') {
  test('room that a small disk has not got is -ENOSPC, and what is allocated already needs none', () => {
    const module = new URL('../../src/native/addon.js', import.meta.url).href;
    const output = runOnSmallDisk(`
      const { addon } = await import('${module}');
      const segment = addon.openSegment('segment', 2 ** 30, true, 2 ** 19);
      const more = addon.reserveRegion(segment, 2 ** 19, 2 ** 24);
      const ahead = await addon.reserveRegionAhead(segment, 2 ** 19, 2 ** 24);
      const file = addon.openFile('filler', 0);
      while (addon.writeFile(file, addon.fileSize(file), new Uint8Array(4096), 0, 4096) > 0);
      console.log(segment > 0, more, ahead, addon.reserveRegion(segment, 0, 2 ** 19));
    `);
    assert.is(output, `true ${failure('ENOSPC')} ${failure('ENOSPC')} 0`);
  });

  test('running out of space while writing a small file is -ENOSPC', () => {
    const module = new URL('../../src/native/addon.js', import.meta.url).href;
    const output = runOnSmallDisk(`
      const { addon } = await import('${module}');
      const file = addon.openFile('small', 0);
      const bytes = new Uint8Array(2 ** 20 + 4096);
      const segment = addon.openSegment('segment', 2 ** 21, true);
      console.log(addon.writeFile(file, 0, bytes, 0, bytes.length), segment, await addon.prepareSegment('other', 2 ** 20));
    `);
    assert.is(output, `${failure('ENOSPC')} ${failure('ENOSPC')} ${failure('ENOSPC')}`);
  });
} else {
  console.log('skipped: a full disk while writing (no right to mount a file system here)');
  test.skip('running out of space while writing a small file is -ENOSPC');
}

test.run();
