/** Channels: small and large payloads in order, who waits is woken, what fails leaves nothing behind. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { ChannelReceiver, ChannelSender, createChannel, MAX_INLINE } from '../../../src/ring/channel.ts';
import { FULL } from '../../../src/ring/spsc-ring.ts';
import { Random } from '../../support/random.ts';

const test = suite('channel');
const RING = 1024 * 1024;
const SLAB = 2 * 1024 * 1024;

function rig(slabs = 2, maxLateBytes = 1024) {
  const shape = createChannel({ ringBytes: RING, slabs, slabBytes: SLAB });
  const woken = { sender: 0, receiver: 0 };
  return {
    woken,
    sender: ChannelSender.join(shape, () => woken.receiver++, maxLateBytes),
    receiver: ChannelReceiver.join(shape, () => woken.sender++),
  };
}

type Rig = ReturnType<typeof rig>;

function claim({ sender }: Rig, fill: number, length: number): boolean {
  const at = sender.claim(7, length);
  if (at === FULL) return false;
  sender.bytes.fill(fill, at, at + length);
  sender.commit();
  return true;
}

function post({ sender }: Rig, fill: number, length: number): void {
  sender.post(7, length, (bytes, _, at) => bytes.fill(fill, at, at + length));
}

/** Fill byte and length of the next record, all of whose bytes are looked at. */
function take({ receiver }: Rig): [fill: number, length: number] | undefined {
  if (!receiver.next()) return undefined;
  const { type, offset, length, bytes, view } = receiver;
  assert.is(type, 7);
  const fill = length > 0 ? view.getUint8(offset) : 0;
  const same = Buffer.alloc(length, fill).equals(bytes.subarray(offset, offset + length));
  assert.ok(same, 'the payload is whole');
  return [fill, length];
}

test('payloads of every size arrive in order and whole, claimed or posted, whoever is slower', () => {
  for (const seed of [1, 2, 3]) {
    const random = new Random(seed);
    const both = rig(2, 64 * SLAB);
    const sent: [number, number][] = [];
    let received = 0;
    for (let n = 0; received < 3000; ) {
      const length = random.chance(0.1) ? random.int(MAX_INLINE - 2, SLAB) : random.int(1, 3000);
      const fill = n & 0xff;
      if (n < 3000 && sent.length < 300 && random.chance(0.7)) {
        // Who claims waits behind what is late, as the users of a channel do.
        const posts = random.chance(0.5);
        if (posts) post(both, fill, length);
        if (posts || (!both.sender.late && claim(both, fill, length))) {
          sent.push([fill, length]);
          n++;
        }
      } else {
        both.sender.publish();
        for (let i = random.int(1, 40); i > 0; i--) {
          const next = take(both);
          if (next === undefined) break;
          assert.equal(next, sent.shift());
          received++;
        }
        if (random.chance(0.8)) both.receiver.release();
      }
    }
  }
});

test('who found no free slab is woken by the one that comes free, once', () => {
  const both = rig(1);
  assert.ok(claim(both, 1, SLAB));
  assert.not.ok(claim(both, 2, SLAB));
  assert.is(both.woken.receiver, 1, 'the record that holds the slab was shown');
  assert.equal(take(both), [1, SLAB]);
  assert.is(both.woken.sender, 0, 'the payload is still being read');
  both.receiver.release();
  assert.ok(both.woken.sender > 0);
  assert.ok(claim(both, 2, SLAB));
});

test('twenty large posts through one slab all arrive, and each room that comes free is told', () => {
  const both = rig(1);
  for (let i = 0; i < 20; i++) post(both, i, SLAB);
  const got: number[] = [];
  for (let rounds = 0; got.length < 20 && rounds < 100; rounds++) {
    const before = both.woken.sender;
    for (let next = take(both); next !== undefined; next = take(both)) got.push(next[0]);
    both.receiver.release();
    if (got.length === 20) break;
    assert.ok(both.woken.sender > before, 'a sender that waits was not woken');
    both.sender.publish();
  }
  assert.equal(got, [...Array(20).keys()]);
});

test('what is claimed and never committed was never sent, and keeps no slab', () => {
  const both = rig(1);
  for (let i = 0; i < 5; i++) {
    assert.is.not(both.sender.claim(7, SLAB), FULL);
    if (i % 2 === 0) both.sender.publish();
    else assert.is.not(both.sender.claim(7, 10), FULL);
  }
  both.sender.publish();
  assert.is(take(both), undefined);
  assert.ok(claim(both, 3, SLAB));
  both.sender.publish();
  assert.equal(take(both), [3, SLAB]);
});

test('a slab claimed for nothing while the receiver frees it: who waited before is woken', () => {
  const both = rig(1);
  assert.ok(claim(both, 1, SLAB));
  both.sender.publish();
  assert.equal(take(both), [1, SLAB]);
  assert.not.ok(claim(both, 2, SLAB), 'it waits');
  // Between the receiver's two steps, freeing and looking who waits.
  const { store } = Atomics;
  let steps = 0;
  const between = (words: Int32Array, index: number, value: number) => {
    const stored = store(words, index, value);
    if (index === 0 && value === 0 && ++steps === 1) {
      assert.is.not(both.sender.claim(7, SLAB), FULL);
      both.sender.publish();
    }
    return stored;
  };
  Atomics.store = between as typeof Atomics.store;
  try {
    both.receiver.release();
  } finally {
    Atomics.store = store;
  }
  assert.ok(steps > 0 && both.woken.sender > 0);
  assert.ok(claim(both, 2, SLAB));
});

test('a part of a large claim is sent as that part', () => {
  const both = rig();
  const at = both.sender.claim(7, SLAB);
  both.sender.bytes.fill(5, at, at + 10);
  both.sender.commitPart(10);
  both.sender.publish();
  assert.equal(take(both), [5, 10]);
});

test('what can never be sent is an error at once', () => {
  const both = rig();
  assert.throws(() => both.sender.claim(7, SLAB + 1), /takes no payload/);
  assert.throws(() => post(both, 1, SLAB + 1), /takes no payload/);
  const small = ChannelSender.join(createChannel({ ringBytes: 4096 }), () => {});
  assert.throws(() => small.post(7, MAX_INLINE + 1, () => {}), /takes no payload/);
  assert.throws(() => small.claim(7, small.maxPayload + 1), /takes no/);
  assert.is.not(small.claim(7, small.maxPayload), FULL);
  assert.is(both.sender.late, false, 'nothing is left behind that would hold others up');
});

test('posts beyond the limit make the channel overfull until they have gone', () => {
  const both = rig(2, 4 * SLAB + 2048);
  for (let i = 0; i < 6; i++) post(both, i, SLAB);
  assert.is(both.sender.overfull, false);
  post(both, 6, SLAB);
  assert.is(both.sender.overfull, true);
  for (let next = take(both); next !== undefined; next = take(both));
  both.receiver.release();
  both.sender.publish();
  assert.is(both.sender.overfull, false);
  assert.is(both.sender.late, true);
});

test('small posts count what they cost to keep, so that their number is bounded', () => {
  const both = rig(2, 1024 * 1024);
  let posts = 0;
  while (!both.sender.overfull && posts < 1e6) {
    post(both, 1, 0);
    posts++;
  }
  assert.ok(posts < 200_000, `${posts} posts wait`);
});

test('who claims among posts catches up first: nothing waits that has room', () => {
  const both = rig(1);
  for (let i = 0; i < 3; i++) post(both, i, SLAB);
  both.sender.publish();
  assert.is(both.sender.catchUp(), false);
  assert.equal(take(both), [0, SLAB]);
  const woken = both.woken.sender;
  both.receiver.release();
  assert.is(both.woken.sender, woken + 1, 'who could not catch up is woken');
  assert.is(both.sender.catchUp(), false);
  both.sender.publish();
  assert.equal(take(both), [1, SLAB]);
  both.receiver.release();
  assert.is(both.sender.catchUp(), true);
  assert.ok(claim(both, 9, 1));
  both.sender.publish();
  assert.equal(
    [take(both), take(both)],
    [
      [2, SLAB],
      [9, 1],
    ],
  );
});

test('a place in the ring is released when the receiver is past it, and who asked is woken', () => {
  const both = rig();
  assert.ok(claim(both, 1, 100));
  const { position } = both.sender;
  assert.is(both.sender.isReleasedOrAwait(position), false);
  assert.is(both.woken.receiver, 1);
  take(both);
  both.receiver.release();
  assert.is(both.woken.sender, 1);
  assert.is(both.sender.isReleasedOrAwait(position), true);
});

test.run();
