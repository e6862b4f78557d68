import { existsSync, readFileSync, unlinkSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { addon } from '../../src/native/addon.ts';
import { failure } from './support/errno.ts';
import { freshPath } from './support/folder.ts';
import { withThreads } from './support/thread.ts';

const SIZE = 1 << 18;

test('reads give zeros, writes go nowhere, views stay', () => {
  const path = freshPath();
  const region = addon.openSegment(path, SIZE, true);
  const view = new Uint8Array(addon.attach(region)).fill(5);
  addon.neutralizeRegion(region);
  assert.is(view.length, SIZE);
  assert.ok(view.every((byte) => byte === 0));
  view.fill(6);
  assert.ok(
    readFileSync(path).every((byte) => byte === 5),
    'the file keeps what it had',
  );
  addon.detach(region);
  addon.closeRegion(region);
});

test('a sync does not claim that lost bytes are durable', () => {
  const region = addon.openSegment(freshPath(), SIZE, true);
  addon.neutralizeRegion(region);
  assert.is(addon.syncRegion(region, 0, SIZE), failure('ESTALE'));
  addon.closeRegion(region);
});

test('a new file under the old name is another region', () => {
  const path = freshPath();
  const old = addon.openSegment(path, SIZE, true);
  new Uint8Array(addon.attach(old)).fill(1);
  addon.neutralizeRegion(old);
  unlinkSync(path);
  const region = addon.openSegment(path, SIZE, true);
  assert.is.not(region, old);
  assert.is(new Uint8Array(addon.attach(region))[0], 0);
  for (const id of [old, region]) {
    addon.detach(id);
    addon.closeRegion(id);
  }
});

test('threads that read and write meanwhile go on', async () => {
  await withThreads(2, async (threads) => {
    for (let round = 0; round < 10; round += 1) {
      const path = freshPath();
      const region = addon.openSegment(path, SIZE, true);
      const working = threads.map((thread) => thread.call('hammer', region, 60));
      await sleep(20);
      addon.neutralizeRegion(region);
      unlinkSync(path);
      const accesses = await Promise.all(working);
      assert.ok(accesses.every((count) => count > 0));
      assert.is(existsSync(path), false);
      for (const thread of threads) await thread.call('detach', region);
      addon.closeRegion(region);
      assert.is(addon.regionReferences(region), 0);
    }
  });
});

test.run();
