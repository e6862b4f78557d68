import { spawnSync } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { addon } from '../../src/native/addon.ts';
import { eventually } from './support/eventually.ts';
import { freshPath } from './support/folder.ts';
import { TestThread, withThreads } from './support/thread.ts';

const SIZE = 1 << 16;

test('all threads see the same bytes', async () => {
  const regions = [addon.allocateRegion(SIZE), addon.openSegment(freshPath(), SIZE, true)];
  await withThreads(2, async ([first, second]) => {
    assert.ok(first && second);
    for (const region of regions) {
      const view = new Uint8Array(addon.attach(region));
      view.set([1, 2, 3], 10);
      assert.equal(await first.call('read', region, 10, 3), [1, 2, 3]);
      await first.call('write', region, 20, [4, 5]);
      assert.equal(await second.call('read', region, 20, 2), [4, 5]);
      assert.equal([...view.subarray(20, 22)], [4, 5]);
      assert.is(await first.call('isSameBuffer', region), true);
      assert.is(addon.regionReferences(region), 4, 'one open and three attachments');
    }
  });
});

test('detach concerns one thread only', async () => {
  const region = addon.allocateRegion(SIZE);
  await withThreads(1, async ([thread]) => {
    assert.ok(thread);
    const view = new Uint8Array(addon.attach(region));
    await thread.call('attach', region);
    await thread.call('detach', region);
    assert.is(await thread.call('length', region), 0);
    assert.is(await thread.call('readOne', region, 5), undefined);
    assert.is(view.length, SIZE);
    assert.is(addon.regionReferences(region), 2);
  });
  addon.detach(region);
  addon.closeRegion(region);
});

test('terminated threads give their attachments back', async () => {
  const regions = [addon.allocateRegion(SIZE), addon.openSegment(freshPath(), SIZE, true)];
  const [memory = 0] = regions;
  for (let round = 0; round < 8; round += 1) {
    const threads = [new TestThread(), new TestThread(), new TestThread()];
    for (const thread of threads) {
      for (const region of regions) await thread.call('attach', region);
    }
    for (const region of regions) assert.is(addon.regionReferences(region), 4);
    threads[0]?.start('sleepForever');
    threads[1]?.start('spinForever', memory);
    await Promise.all(threads.map((thread) => thread.terminate()));
    for (const region of regions) {
      await eventually(() => addon.regionReferences(region) === 1, 'attachments are gone');
    }
  }
  for (const region of regions) addon.closeRegion(region);
});

test('a region outlives its close while threads hold it, and ends with the last of them', async () => {
  const region = addon.openSegment(freshPath(), SIZE, true);
  await withThreads(2, async (threads) => {
    for (const thread of threads) await thread.call('attach', region);
    addon.closeRegion(region);
    await threads[0]?.call('write', region, 0, [42]);
    assert.equal(await threads[1]?.call('read', region, 0, 1), [42]);
    assert.is(addon.regionReferences(region), 2);
    for (const thread of threads) await thread.call('detach', region);
    assert.is(addon.regionReferences(region), 0);
    for (const thread of threads) assert.is(await thread.call('readOne', region, 0), undefined);
  });
});

test('threads end with work in the pool and with open bells', async () => {
  for (let round = 0; round < 8; round += 1) {
    const thread = new TestThread();
    const bell = await thread.call('openDoorbell');
    thread.start('startSync');
    thread.start('startPrepare', freshPath(), 1 << 24);
    await thread.call('ringDoorbell', bell, 1);
    thread.start('startPrepare', freshPath(), 1 << 24);
    await thread.terminate();
    addon.ringDoorbell(bell);
  }
});

test('threads end in the middle of calls', async () => {
  const region = addon.allocateRegion(SIZE);
  for (let round = 0; round < 30; round += 1) {
    const threads = [new TestThread(), new TestThread(), new TestThread()];
    for (const thread of threads) {
      await thread.call('attach', region);
      thread.start('callForever', region, freshPath());
    }
    await sleep(round % 5);
    await Promise.all(threads.map((thread) => thread.terminate()));
  }
  await eventually(() => addon.regionReferences(region) === 1, 'attachments are gone');
  addon.closeRegion(region);
});

test('the addon works in threads that start after all others have ended', async () => {
  const region = addon.allocateRegion(SIZE);
  for (let round = 0; round < 3; round += 1) {
    await withThreads(1, async ([thread]) => {
      assert.is(await thread?.call('attach', region), SIZE);
    });
  }
  addon.closeRegion(region);
});

test('the addon stays loaded when the last worker that used it has ended', () => {
  const module = new URL('../../src/native/addon.js', import.meta.url).href;
  const worker = `import('${module}').then(({ addon }) => {
    addon.installFaultGuard();
    addon.openDoorbell(() => {});
    new Uint8Array(addon.attach(addon.allocateRegion(4096)))[0] = 1;
  })`;
  const script = `
    const { Worker } = require('node:worker_threads');
    const once = require('node:events').once;
    (async () => {
      for (let round = 0; round < 3; round += 1) await once(new Worker(process.argv[1], { eval: true }), 'exit');
      process.kill(process.pid, 'SIGBUS');
      setTimeout(() => {}, 10000);
    })();
  `;
  const child = spawnSync(process.execPath, ['-e', script, worker], { timeout: 30000 });
  assert.is(child.signal, 'SIGBUS', 'the handler of the fault guard is still there to pass the signal on');
});

test.run();
