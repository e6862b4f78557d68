/** The ring: records of any size through a small buffer, in order, whole, and with back-pressure. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { plainBulk } from '../../../src/ring/bulk.ts';
import {
  alignRecord,
  RECORD_HEADER_BYTES,
  RING_HEAD,
  RING_TAIL,
  RING_WORDS,
} from '../../../src/ring/layout.ts';
import { createRing, FULL, plainRing, RingConsumer, RingProducer } from '../../../src/ring/spsc-ring.ts';
import { Random } from '../../support/random.ts';

const test = suite('ring');
const CAPACITY = 4096;

type Ring = ReturnType<typeof plainRing>;

/** A ring whose positions begin at `start`, as after many records. */
function ringAt(start: number, wakeConsumer?: () => void, wakeProducer?: () => void): Ring {
  const words = new Int32Array(new SharedArrayBuffer(RING_WORDS * 4));
  words[RING_HEAD] = start;
  words[RING_TAIL] = start;
  const memory = { words, bulk: plainBulk(CAPACITY), capacity: CAPACITY };
  return {
    producer: new RingProducer(memory, wakeConsumer),
    consumer: new RingConsumer(memory, wakeProducer),
  };
}

/** Writes a record whose bytes all say `fill`; false when the ring is full. */
function put({ producer }: Ring, fill: number, length: number, type = 1): boolean {
  const at = producer.claim(type, length);
  if (at === FULL) return false;
  producer.bytes.fill(fill, at, at + length);
  producer.commit();
  return true;
}

/** Type and bytes of the next record. */
function take({ consumer }: Ring): [type: number, bytes: number[]] | undefined {
  if (!consumer.next()) return undefined;
  const { type, offset, length } = consumer;
  return [type, [...consumer.bytes.subarray(offset, offset + length)]];
}

test('nothing is seen before publish, everything after, in order', () => {
  const ring = plainRing(CAPACITY);
  put(ring, 1, 3, 7);
  put(ring, 2, 0, 8);
  put(ring, 3, 9, 9);
  assert.is(take(ring), undefined);
  assert.is(ring.consumer.pending, false);
  ring.producer.publish();
  assert.is(ring.consumer.pending, true);
  assert.equal(take(ring), [7, [1, 1, 1]]);
  assert.equal(take(ring), [8, []]);
  assert.equal(take(ring), [9, Array(9).fill(3)]);
  assert.is(take(ring), undefined);
});

test('random records survive every wrap, also that of the positions at 2^31', () => {
  for (const start of [0, 0x7ffff000, -4096]) {
    const ring = ringAt(start);
    const random = new Random(start);
    const expected: [fill: number, length: number][] = [];
    let received = 0;
    for (let sent = 0; received < 20_000; ) {
      const length = random.chance(0.1) ? random.int(0, 1500) : random.int(0, 60);
      if (expected.length < 200 && put(ring, sent & 0xff, length)) expected.push([sent++ & 0xff, length]);
      else {
        ring.producer.publish();
        for (let n = random.int(1, 30); n > 0 && expected.length > 0; n--) {
          const [fill, size] = expected.shift() ?? [0, 0];
          assert.equal(take(ring), [1, Array(size).fill(fill)], `record ${received}, start ${start}`);
          received++;
        }
        ring.consumer.release();
      }
    }
  }
});

test('a full ring says so, changes nothing, and has room again after release alone', () => {
  const ring = plainRing(CAPACITY);
  let sent = 0;
  while (put(ring, sent & 0xff, 120)) sent++;
  assert.is(sent, CAPACITY / 128);
  assert.is(ring.producer.used, CAPACITY);
  ring.producer.publish();
  assert.is(put(ring, 0, 0), false);
  for (let i = 0; i < 3; i++) assert.equal(take(ring)?.[1][0], i);
  assert.is(put(ring, 0, 120), false, 'stepping over a record does not give it back');
  ring.consumer.release();
  for (let i = 0; i < 3; i++) assert.ok(put(ring, (sent + i) & 0xff, 120));
  assert.is(put(ring, 0, 0), false);
  ring.producer.publish();
  for (let i = 3; i < sent + 3; i++) assert.equal(take(ring), [1, Array(120).fill(i & 0xff)]);
});

test('a record that does not fit before the end begins at 0; half the ring always fits', () => {
  for (let used = 0; used < CAPACITY; used += 8) {
    const ring = plainRing(CAPACITY);
    standAt(ring, used);
    const length = CAPACITY / 2 - RECORD_HEADER_BYTES;
    assert.ok(put(ring, 5, length), `after ${used} bytes`);
    ring.producer.publish();
    assert.equal(take(ring), [1, Array(length).fill(5)]);
  }
});

/** Brings the next record to `used` bytes into the buffer, with nothing in the ring. */
function standAt(ring: Ring, used: number): void {
  for (let left = used; left > 0; ) {
    const step = Math.min(left, CAPACITY / 2);
    assert.ok(put(ring, 0, step - RECORD_HEADER_BYTES));
    ring.producer.publish();
    take(ring);
    ring.consumer.release();
    left -= step;
  }
}

test('a part of what was claimed is committed, and what is not committed never was', () => {
  for (const before of [0, 104, CAPACITY - 64]) {
    const ring = plainRing(CAPACITY);
    standAt(ring, before);
    const first = ring.producer.claim(1, 500);
    ring.producer.bytes.fill(1, first, first + 5);
    ring.producer.commitPart(5);
    const second = ring.producer.claim(2, 300);
    ring.producer.bytes.fill(2, second, second + 300);
    put(ring, 3, 7, 3);
    ring.producer.claim(4, 100);
    ring.producer.publish();
    assert.equal(take(ring), [1, Array(5).fill(1)]);
    assert.equal(take(ring), [3, Array(7).fill(3)]);
    assert.is(take(ring), undefined);
    ring.consumer.release();
    assert.is(ring.producer.used, 0);
  }
});

test('a claim at the wrap that is not committed leaves nothing behind', () => {
  const ring = plainRing(CAPACITY);
  standAt(ring, CAPACITY - 200);
  ring.producer.claim(1, 1000);
  ring.producer.publish();
  assert.is(take(ring), undefined);
  assert.is(ring.producer.used, 0);
  put(ring, 4, 10, 4);
  ring.producer.publish();
  assert.equal(take(ring), [4, Array(10).fill(4)]);
});

test('what can never fit is an error at once, whatever is in the ring', () => {
  for (const used of [0, 8, CAPACITY - 8]) {
    const ring = plainRing(CAPACITY);
    standAt(ring, used);
    assert.throws(() => ring.producer.claim(1, CAPACITY / 2 - RECORD_HEADER_BYTES + 1), /takes no record of/);
    assert.throws(() => ring.producer.claimOrAwait(1, 1 << 20), /takes no record of/);
    assert.not.throws(() => ring.producer.claim(1, CAPACITY / 2 - RECORD_HEADER_BYTES));
  }
});

test('a producer that waits is woken by the release that makes room, once', () => {
  let rung = 0;
  const ring = ringAt(0, undefined, () => rung++);
  while (put(ring, 1, 120));
  ring.producer.publish();
  assert.is(ring.producer.awaitRoom(120), false);
  take(ring);
  assert.is(rung, 0);
  ring.consumer.release();
  assert.is(rung, 1);
  take(ring);
  ring.consumer.release();
  assert.is(rung, 1, 'nobody waits any more');
  assert.is(ring.producer.awaitRoom(120), true);
});

test('claimOrAwait shows what there is before it waits', () => {
  let shown = 0;
  const ring = ringAt(0, () => shown++);
  while (put(ring, 1, 120));
  assert.is(ring.producer.claimOrAwait(1, 120), FULL);
  assert.is(shown, 1);
  assert.is(ring.consumer.pending, true);
});

test('the consumer is woken once per publish that shows something', () => {
  let woken = 0;
  const ring = ringAt(0, () => woken++);
  ring.producer.publish();
  assert.is(woken, 0);
  put(ring, 1, 1);
  put(ring, 2, 1);
  ring.producer.publish();
  ring.producer.publish();
  assert.is(woken, 1);
});

test('sizes are aligned to eight, capacities are powers of two', () => {
  assert.equal(
    [8, 9, 15, 16, 17].map((size) => alignRecord(size)),
    [8, 16, 16, 16, 24],
  );
  assert.throws(() => createRing(5000), /no power of two/);
  assert.throws(() => createRing(2048), /no power of two/);
});

test('both ends of a shared ring see the same bytes', () => {
  const shape = createRing(CAPACITY);
  const ring = { producer: RingProducer.join(shape, () => {}), consumer: RingConsumer.join(shape, () => {}) };
  put(ring, 6, 100);
  ring.producer.publish();
  assert.equal(take(ring), [1, Array(100).fill(6)]);
});

test.run();
