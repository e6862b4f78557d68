import { spawnSync } from 'node:child_process';
import { truncateSync } from 'node:fs';
import { constants } from 'node:os';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { addon } from '../../src/native/addon.ts';
import { failure } from './support/errno.ts';
import { freshPath } from './support/folder.ts';
import { withThreads } from './support/thread.ts';

const PAGE = 4096;
const PAGES = 64;

function truncatedSegment(): number {
  const path = freshPath();
  const region = addon.openSegment(path, PAGES * PAGE, true);
  new Uint8Array(addon.attach(region)).fill(3);
  truncateSync(path, PAGE);
  return region;
}

function release(region: number): void {
  addon.detach(region);
  addon.closeRegion(region);
}

test.before(() => {
  addon.installFaultGuard();
  addon.installFaultGuard();
});

test('a page that is lost reads as zeros, and the region says so', () => {
  const region = truncatedSegment();
  const view = new Uint8Array(addon.attach(region));
  assert.is(addon.regionError(region), 0);
  assert.is(view[0], 3, 'what is left is left');
  assert.is(view[5 * PAGE], 0);
  assert.is(addon.regionError(region), constants.errno.EIO);
  view[6 * PAGE + 1] = 9;
  assert.is(view[6 * PAGE + 1], 9, 'writes to a lost page stay in memory');
  assert.is(view[0], 3);
  assert.is(addon.syncRegion(region, 0, PAGE), failure('EIO'));
  release(region);
});

test('what is lost in one page is no trouble of the others', () => {
  const path = freshPath();
  const region = addon.openSegment(path, PAGES * PAGE, true);
  const view = new Uint8Array(addon.attach(region));
  view.fill(3);
  truncateSync(path, 5 * PAGE);
  assert.is(view[5 * PAGE], 0);
  truncateSync(path, PAGES * PAGE);
  const { EIO } = constants.errno;
  assert.is(addon.regionErrorIn(region, 5 * PAGE, 1), EIO);
  assert.is(addon.regionErrorIn(region, 6 * PAGE - 1, 1), EIO);
  assert.is(addon.regionErrorIn(region, 0, PAGES * PAGE), EIO);
  assert.is(addon.regionErrorIn(region, 0, 5 * PAGE), 0);
  assert.is(addon.regionErrorIn(region, 6 * PAGE, 58 * PAGE), 0);
  assert.is(addon.regionErrorIn(region, 5 * PAGE, 0), 0);
  assert.is(addon.syncRegion(region, 0, 5 * PAGE), 0);
  assert.is(addon.syncRegion(region, 6 * PAGE, 8 * PAGE), 0);
  assert.is(addon.syncRegion(region, 0, 5 * PAGE + 1), failure('EIO'));
  assert.throws(() => addon.regionErrorIn(region, 0, PAGES * PAGE + 1), RangeError);
  release(region);
});

test('more lost pages than can be noted make the whole region lost', () => {
  const path = freshPath();
  const region = addon.openSegment(path, 100 * PAGE, true);
  const view = new Uint8Array(addon.attach(region));
  truncateSync(path, PAGE);
  for (let page = 1; page < 100; page++) assert.is(view[page * PAGE], 0);
  assert.is(addon.regionErrorIn(region, 0, 1), constants.errno.EIO);
  release(region);
});

test('a file that was cut short syncs nowhere, read or not', () => {
  const region = truncatedSegment();
  assert.is(addon.syncRegion(region, 0, PAGE), failure('EIO'));
  release(region);
});

test('native code that meets a lost page goes on', async () => {
  const region = truncatedSegment();
  const memory = addon.allocateRegion(PAGES * PAGE);
  addon.copy(memory, 0, region, 0, PAGES * PAGE);
  const copied = new Uint8Array(addon.attach(memory));
  assert.is(copied[0], 3);
  assert.is(copied[PAGE], 0);
  addon.copy(region, 0, memory, 0, PAGES * PAGE);
  assert.is(addon.regionError(region), constants.errno.EIO);
  assert.is(await addon.populateRegion(region, 0, PAGES * PAGE), failure('EIO'));
  release(region);
  release(memory);
});

test('population of lost pages fails instead of filling them in', async () => {
  const region = truncatedSegment();
  assert.ok((await addon.populateRegion(region, 0, PAGES * PAGE)) < 0);
  release(region);
});

test('faults in several threads at once', async () => {
  await withThreads(2, async (threads) => {
    for (let round = 0; round < 5; round += 1) {
      const region = truncatedSegment();
      const accesses = await Promise.all(threads.map((thread) => thread.call('hammer', region, 30)));
      assert.ok(accesses.every((count) => count > 0));
      assert.is(addon.regionError(region), constants.errno.EIO);
      for (const thread of threads) await thread.call('detach', region);
      release(region);
    }
  });
});

test('an error of one region is not the error of another', () => {
  const good = addon.openSegment(freshPath(), PAGE, true);
  const bad = truncatedSegment();
  assert.is(new Uint8Array(addon.attach(bad))[PAGE], 0);
  assert.is(addon.regionError(good), 0);
  assert.is(addon.syncRegion(good, 0, PAGE), 0);
  addon.closeRegion(good);
  release(bad);
});

test('a SIGBUS that somebody sends still ends the process', () => {
  const module = new URL('../../src/native/addon.js', import.meta.url).href;
  const script = `
    const { addon } = await import('${module}');
    addon.installFaultGuard();
    process.kill(process.pid, 'SIGBUS');
    setTimeout(() => {}, 10000);
  `;
  const child = spawnSync(process.execPath, ['--input-type=module', '-e', script], { timeout: 20000 });
  assert.is(child.signal, 'SIGBUS');
});

test.run();
