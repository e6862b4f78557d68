import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { addon } from '../../src/native/addon.ts';
import { eventually } from './support/eventually.ts';
import { TestThread, withThreads } from './support/thread.ts';

const LONG = 1000;

function words(): Int32Array {
  return new Int32Array(new SharedArrayBuffer(8));
}

test('a thread sleeps until it is unparked', async () => {
  await withThreads(1, async ([thread]) => {
    const place = addon.openParking();
    const done = words();
    const slept = (thread as TestThread).call('parkUntil', place, done);
    await eventually(() => Atomics.load(done, 1) === 1, 'the thread to park');
    Atomics.store(done, 0, 1);
    addon.unpark(place);
    assert.ok((await slept) >= 1);
  });
});

test('who is unparked before it parks does not sleep, once', () => {
  const place = addon.openParking();
  addon.unpark(place);
  addon.unpark(place);
  assert.is(addon.park(place, LONG), 1);
  assert.is(addon.park(place, 1), 0, 'two calls are worth one');
});

test('a sleep ends by itself', () => {
  const place = addon.openParking();
  assert.is(addon.park(place, 20), 0);
  assert.is(addon.park(place, 0), 0);
});

test('no wake-up is lost between two threads that take turns', async () => {
  const turns = words();
  const last = 20_000;
  let missed = 0;
  await withThreads(1, async ([thread]) => {
    const [mine, others] = [addon.openParking(), addon.openParking()];
    const answered = (thread as TestThread).call('answerTurns', [others, mine], turns, last);
    for (let turn = 1; turn <= last; turn++) {
      Atomics.store(turns, 0, turn);
      addon.unpark(others);
      while (Atomics.load(turns, 1) < turn) missed += 1 - addon.park(mine, LONG);
    }
    assert.is(missed + (await answered), 0, 'sleeps that nobody ended');
  });
});

test('a thread that is parked can be ended', async () => {
  const place = addon.openParking();
  const thread = new TestThread();
  thread.start('parkForever', place);
  await thread.terminate();
  addon.unpark(place);
});

test('places that there are not, and times that are none, are refused', () => {
  assert.throws(() => addon.park(999_999, 1), /park: needs a place/);
  assert.throws(() => addon.unpark(999_999), /unpark: needs a place/);
  assert.throws(() => addon.park(addon.openParking(), -1), /park: needs a place/);
  assert.ok(addon.openParking() > 0);
});

test.run();
