/** Recalls in great number: each stays in force, no turn grows with them, and memory is bounded. Work is counted. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { digestOf, RecalledKeys, RecallRoom, recalledIn } from '../../../src/delivery/timer/recalled-keys.ts';
import { javaHashCode } from '../../../src/lib/java-hash.ts';
import { TimerRig } from './timer-support.ts';

const test = suite('recalls of timed messages');
const LARGE_LOG = 52 * 400_000 + 16;

/** Keys with one and the same hash in Java: each letter of one pair may stand for the other. */
function collidingKey(n: number): string {
  return Array.from({ length: 17 }, (_, i) => (((n >> i) & 1) === 0 ? 'Aa' : 'BB')).join('');
}

/** Most records that one turn of the service has read so far. */
function mostReads(rig: TimerRig): () => number {
  let most = 0;
  const after = rig.time.after.bind(rig.time);
  rig.time.after = (ms, task) =>
    after(ms, () => {
      const before = rig.store.reads;
      task();
      most = Math.max(most, rig.store.reads - before);
    });
  return () => most;
}

function slotAhead(rig: TimerRig, ms: number): number {
  return Math.ceil(rig.time.now() / 1000) * 1000 + ms;
}

test('100,000 recalls of one slot and one hash are read once, some in each turn', async () => {
  const rig = new TimerRig({ mappedFileSizeTimerLog: LARGE_LOG });
  const most = mostReads(rig);
  const out = slotAhead(rig, 10_000);
  const kept: string[] = [];
  assert.is(javaHashCode(collidingKey(0)), javaHashCode(collidingKey(131_071)));
  for (let i = 0; i < 2_000; i++) {
    // Every other one is recalled, by one of the 100,000.
    const key = collidingKey(i % 2 === 0 ? i : 100_000 + i);
    if (i % 2 === 1) kept.push(key);
    rig.at(key, out + 500);
  }
  for (let i = 0; i < 100_000; i++) rig.recall(collidingKey(i), out);
  await rig.time.advance(1_000);
  const enqueued = rig.store.reads;
  await rig.time.advance(20_000);
  assert.equal([...rig.bodies].sort(), kept.sort());
  assert.ok(rig.store.reads - enqueued <= 100_000 + 2_000 + 100, `${rig.store.reads - enqueued} reads`);
  assert.ok(most() <= 512, `${most()} records are read in one turn`);
});

test('one message that is recalled 20,000 times takes the room of one', async () => {
  const rig = new TimerRig({ mappedFileSizeTimerLog: LARGE_LOG, recalledKeys: 1 });
  const most = mostReads(rig);
  const out = slotAhead(rig, 10_000);
  for (const key of ['a', 'b']) rig.at(key, out + 500);
  for (let i = 0; i < 20_000; i++) rig.recall('a', out);
  await rig.time.advance(20_000);
  assert.equal(rig.bodies, ['b']);
  assert.ok(most() <= 512, `${most()} records are read in one turn`);
});

/** Messages of one slot, of which every third is recalled, with room for 50 of the recalls. */
function crowded(
  rig: TimerRig,
  count: number,
  out: number,
  send: (body: string, i: number) => void,
): string[] {
  const kept: string[] = [];
  for (let i = 0; i < count; i++) {
    send(`m${i}`, i);
    if (i % 3 === 0) rig.recall(`m${i}`, out);
    else kept.push(`m${i}`);
  }
  return kept.sort();
}

test('recalls beyond the room in memory stay in force, and the others come at their times', async () => {
  const rig = new TimerRig({ mappedFileSizeTimerLog: LARGE_LOG, recalledKeys: 50 });
  const most = mostReads(rig);
  const out = slotAhead(rig, 10_000);
  const dues = new Map<string, number>();
  const kept = crowded(rig, 3_000, out, (body, i) => {
    dues.set(body, out + 1 + 10 * (i % 100));
    rig.at(body, out + 1 + 10 * (i % 100));
  });
  rig.at('next slot', out + 1_500);
  await rig.time.advance(20_000);
  assert.equal([...rig.bodies].sort(), [...kept, 'next slot'].sort());
  for (const { body, at } of rig.delivered)
    assert.ok(at >= (dues.get(body) ?? out + 1_500), `${body} is early`);
  assert.ok(most() <= 512, `${most()} records are read in one turn`);
});

test('they stay in force over a stop while they are looked for', async () => {
  const rig = new TimerRig({ mappedFileSizeTimerLog: LARGE_LOG, recalledKeys: 50 });
  const out = slotAhead(rig, 5_000);
  const kept = crowded(rig, 3_000, out, (body, i) => rig.at(body, out + 1 + 10 * (i % 100)));
  await rig.time.advance(out + 500 - rig.time.now());
  await rig.save();
  await rig.stop();
  assert.ok(rig.delivered.length > 0 && rig.delivered.length < kept.length);
  rig.begin();
  await rig.time.advance(20_000);
  assert.equal([...rig.bodies].sort(), kept, 'none comes twice');
});

for (const step of [3_600_000, -3_600_000, 20_000, -2_000]) {
  test(`they stay in force when the clock is set by ${step} ms`, async () => {
    const rig = new TimerRig({ mappedFileSizeTimerLog: LARGE_LOG, recalledKeys: 50 });
    const out = slotAhead(rig, 30_000);
    const start = rig.time.monotonic();
    const span = out + 700 - rig.time.now();
    const kept = crowded(rig, 1_500, out, (body, i) =>
      i % 2 === 0 ? rig.after(body, span) : rig.at(body, out + 1 + 10 * (i % 100)),
    );
    await rig.time.advance(step === -2_000 ? span - 300 : 1_000);
    rig.time.jump(step);
    await rig.time.advance(7_300_000);
    assert.equal([...rig.bodies].sort(), kept);
    const early = rig.delivered.filter(
      ({ body, monotonic }) => Number(body.slice(1)) % 2 === 0 && monotonic - start < span,
    );
    assert.equal(early, []);
  });
}

test('keys that find no room make a set say that it does not know', () => {
  const room = new RecallRoom(2);
  const keys = new RecalledKeys(room);
  const [a, b, c] = ['a', 'b', 'c'].map(digestOf) as [string, string, string];
  assert.ok(keys.isEmpty);
  for (const digest of [a, b, a]) keys.add(digest);
  assert.is(room.left, 0);
  assert.is(recalledIn(c, [keys]), false);
  keys.add(c);
  assert.is(recalledIn(a, [keys]), true);
  assert.is(recalledIn(c, [keys]), undefined);
  const other = new RecalledKeys(room);
  other.add(c);
  assert.not(other.isEmpty);
  keys.release();
  assert.is(room.left, 2);
  assert.ok(keys.isEmpty);
});

test.run();
