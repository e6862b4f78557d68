/** Positions, slabs and the word on which a thread sleeps. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  APPENDED,
  FLUSHED,
  HALT_ERRNO,
  HALT_SYNC_FAILED,
  HALT_THREAD_DIED,
  HALTED,
  Positions,
  STOPPING,
} from '../../../src/ring/positions.ts';
import { createSlabs, NO_SLAB, Slabs } from '../../../src/ring/slabs.ts';
import { createWake, Parker, wakerOf } from '../../../src/ring/wake.ts';

const test = suite('shared state');

test('positions hold what was set, whole, for everybody with the buffer', () => {
  const writer = new Positions();
  const reader = new Positions(writer.buffer);
  for (const value of [0, 1, 2 ** 31, 2 ** 32, 2 ** 32 + 1, Number.MAX_SAFE_INTEGER, -1]) {
    writer.set(APPENDED, value);
    assert.is(reader.get(APPENDED), value);
    assert.is(reader.differs(APPENDED, value), false);
    assert.is(reader.differs(APPENDED, value + 1), true);
  }
  assert.is(reader.get(FLUSHED), 0, 'slots are apart');
});

test('the first reason for a halt stays', () => {
  const positions = new Positions();
  assert.is(positions.halted, false);
  positions.halt(HALT_SYNC_FAILED, 5);
  positions.halt(HALT_THREAD_DIED, 0);
  assert.equal(
    [positions.halted, positions.get(HALTED), positions.get(HALT_ERRNO)],
    [true, HALT_SYNC_FAILED, 5],
  );
  assert.is(positions.stopping, false);
  positions.set(STOPPING, 1);
  assert.is(positions.stopping, true);
});

test('a halt is never seen without its errno, however two of them interleave', () => {
  const { store, compareExchange } = Atomics;
  const positions = new Positions();
  const seen: [number, number][] = [];
  let others = 0;
  // After each access of the first halt another thread may look, or halt as well.
  const between = <Result>(result: Result): Result => {
    Atomics.store = store;
    Atomics.compareExchange = compareExchange;
    if (positions.halted) seen.push([positions.get(HALTED), positions.get(HALT_ERRNO)]);
    if (others++ === 0) positions.halt(HALT_THREAD_DIED, 9);
    assert.ok(positions.halted, 'the second halt has returned');
    patch();
    return result;
  };
  const patch = () => {
    Atomics.store = ((...access: Parameters<typeof store>) => between(store(...access))) as typeof store;
    Atomics.compareExchange = ((...access: Parameters<typeof compareExchange>) =>
      between(compareExchange(...access))) as typeof compareExchange;
  };
  patch();
  try {
    positions.halt(HALT_SYNC_FAILED, 5);
  } finally {
    Atomics.store = store;
    Atomics.compareExchange = compareExchange;
  }
  seen.push([positions.get(HALTED), positions.get(HALT_ERRNO)]);
  assert.ok(seen.length > 1);
  for (const pair of seen) assert.equal(pair, [HALT_SYNC_FAILED, 5]);
});

test('slabs: each is one taker’s until freed, and comes back empty', () => {
  const shape = createSlabs(2, 64 * 1024);
  const taker = new Slabs(shape);
  const other = new Slabs(shape);
  const first = taker.take();
  const second = taker.take();
  assert.equal([first, second].sort(), [0, 1]);
  assert.is(taker.take(), NO_SLAB);
  taker.bulk(first).bytes.fill(7);
  assert.is(other.bulk(first).bytes[65535], 7, 'both sides see the same memory');
  other.free(first);
  assert.is(taker.take(), first);
  assert.is(taker.bulk(first).bytes[65535], 0);
  assert.throws(() => taker.bulk(2), /no slab 2/);
});

test('a sleeper looks for work after it said that it sleeps', () => {
  const shape = createWake('park');
  const word = new Int32Array(shape.word);
  const seen: number[] = [];
  new Parker(shape).park(1, () => {
    seen.push(Atomics.load(word, 0));
    return true;
  });
  assert.equal(seen, [1]);
  assert.is(Atomics.load(word, 0), 0, 'awake again');
});

test('a waker that comes between the look and the sleep is not missed', () => {
  const shape = createWake('park');
  const wake = wakerOf(shape);
  // Would sleep for a minute: the wake-up has already changed the word that it waits on.
  new Parker(shape).park(60_000, () => {
    wake();
    return false;
  });
  assert.is(Atomics.load(new Int32Array(shape.word), 0), 0);
});

test('a doorbell that nobody has opened rings without harm', () => {
  assert.not.throws(wakerOf(createWake('doorbell')));
});

test.run();
