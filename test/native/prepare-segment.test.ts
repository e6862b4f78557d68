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
