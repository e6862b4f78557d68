import { spawnSync } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { addon } from '../../src/native/addon.ts';
import { createWake, Doorbell, wakerOf } from '../../src/ring/wake.ts';
import { eventually } from './support/eventually.ts';
import { TestThread, withThreads } from './support/thread.ts';

function countingBell(): { bell: number; rings: () => number } {
  let rings = 0;
  const bell = addon.openDoorbell(() => {
    rings += 1;
  });
  return { bell, rings: () => rings };
}

function runScript(script: string): { status: number | null; output: string } {
  const module = new URL('../../src/native/addon.js', import.meta.url).href;
  const source = `const { addon } = await import('${module}');${script}`;
  const child = spawnSync(process.execPath, ['--input-type=module', '-e', source], {
    encoding: 'utf8',
    timeout: 20000,
  });
  return { status: child.status, output: `${child.stdout}${child.stderr}` };
}

test('rings coalesce until the callback has run', async () => {
  const { bell, rings } = countingBell();
  for (let ring = 0; ring < 1000; ring += 1) addon.ringDoorbell(bell);
  assert.is(rings(), 0, 'never from inside of the ring');
  await eventually(() => rings() > 0, 'the callback');
  await sleep(20);
  assert.is(rings(), 1);
  addon.ringDoorbell(bell);
  await eventually(() => rings() === 2, 'the second callback');
  addon.closeDoorbell(bell);
});

test('a muted doorbell is not rung, an unmuted one is again', async () => {
  let rings = 0;
  const shape = createWake('doorbell');
  const doorbell = new Doorbell(shape, () => rings++);
  const wake = wakerOf(shape);
  doorbell.mute();
  wake();
  await sleep(20);
  assert.is(rings, 0);
  doorbell.unmute();
  wake();
  await eventually(() => rings === 1, 'the callback');
  doorbell.close();
  wake();
  await sleep(20);
  assert.is(rings, 1, 'rung after it was closed');
});

test('a ring from inside of the callback rings again', async () => {
  let rings = 0;
  const bell = addon.openDoorbell(() => {
    rings += 1;
    if (rings < 5) addon.ringDoorbell(bell);
  });
  addon.ringDoorbell(bell);
  await eventually(() => rings === 5, 'five rounds');
  addon.closeDoorbell(bell);
});

test('a closed bell is silent', async () => {
  const { bell, rings } = countingBell();
  addon.ringDoorbell(bell);
  addon.closeDoorbell(bell);
  addon.ringDoorbell(bell);
  addon.closeDoorbell(bell);
  addon.ringDoorbell(99999);
  await sleep(30);
  assert.is(rings(), 0);
});

test('the callback may close its own bell', async () => {
  let rings = 0;
  const bell = addon.openDoorbell(() => {
    rings += 1;
    addon.closeDoorbell(bell);
  });
  addon.ringDoorbell(bell);
  await eventually(() => rings === 1, 'the callback');
});

test('workers ring the main thread, and it rings them', async () => {
  const { bell, rings } = countingBell();
  await withThreads(2, async (threads) => {
    for (const thread of threads) {
      const before = rings();
      await thread.call('ringDoorbell', bell, 10);
      await eventually(() => rings() > before, 'a ring from a worker');
    }
    const theirs = await threads[0]?.call('openDoorbell');
    addon.ringDoorbell(theirs ?? 0);
    await threads[1]?.call('ringDoorbell', theirs ?? 0, 1);
    await eventually(() => rings() >= 2, 'rings');
    for (let tries = 0; (await threads[0]?.call('bellRings')) === 0; tries += 1) {
      assert.ok(tries < 200, 'the worker hears its bell');
    }
  });
  addon.closeDoorbell(bell);
});

test('no ring is lost between two threads that race', async () => {
  // What the callback sees must be at least what was published before the ring that woke it.
  const region = addon.allocateRegion(4096);
  const words = new Int32Array(addon.attach(region));
  let seen = 0;
  const bell = addon.openDoorbell(() => {
    seen = Math.max(seen, Atomics.load(words, 0));
  });
  await withThreads(1, async ([thread]) => {
    for (let round = 1; round <= 300; round += 1) {
      await thread?.call('write', region, 0, [round & 0xff, round >> 8, 0, 0]);
      await thread?.call('ringDoorbell', bell, 1);
    }
  });
  await eventually(() => seen === 300, 'the last value');
  addon.closeDoorbell(bell);
  addon.detach(region);
  addon.closeRegion(region);
});

test('rings to threads that end do no harm', async () => {
  for (let round = 0; round < 20; round += 1) {
    const thread = new TestThread();
    const bell = await thread.call('openDoorbell');
    const end = thread.terminate();
    for (let ring = 0; ring < 200; ring += 1) addon.ringDoorbell(bell);
    await end;
    addon.ringDoorbell(bell);
    addon.closeDoorbell(bell);
  }
});

test('a bell does not keep its loop alive', () => {
  const { status } = runScript('addon.openDoorbell(() => {});');
  assert.is(status, 0);
});

test('an exception of the callback is an uncaught exception', () => {
  const { status, output } = runScript(`
    process.on('uncaughtException', (error) => { console.log('caught', error.message); process.exit(3); });
    addon.ringDoorbell(addon.openDoorbell(() => { throw new Error('from the bell'); }));
    setTimeout(() => {}, 5000);
  `);
  assert.match(output, 'caught from the bell');
  assert.is(status, 3);
});

test.run();
