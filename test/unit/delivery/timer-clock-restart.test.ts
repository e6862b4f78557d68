/** Timers when stops and crashes come together with a clock that is set: nothing lost, and nothing twice by a stop. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { SimCrash } from '../../sim/sim-disk.ts';
import { Random } from '../../support/random.ts';
import { TimerRig } from './timer-support.ts';

const test = suite('timers across restarts and clock steps');
const CHECK = '/store/config/timercheck';
const WHEEL = '/store/timerwheel';
const HOUR = 3_600_000;
/** Slots of the rig's wheel. */
const TURN_MS = 800_000;

const sorted = (bodies: readonly string[]) => [...bodies].sort();

/** Starts at the begin of a slot that is two seconds ahead. */
function nextSlot(rig: TimerRig): number {
  return Math.ceil(rig.time.now() / 1000) * 1000 + 2_000;
}

async function advanceTo(rig: TimerRig, now: number): Promise<void> {
  await rig.time.advance(now - rig.time.now());
}

for (const step of [-300, -20_000, -HOUR]) {
  test(`a stop within a slot, then a clock set by ${step} ms: nothing comes twice, at no later stop either`, async () => {
    const rig = new TimerRig();
    const start = nextSlot(rig);
    for (const ms of [100, 200, 800, 900]) {
      rig.at(`at ${ms}`, start + ms);
      rig.after(`after ${ms}`, start + ms - rig.time.now());
    }
    await advanceTo(rig, start + 500);
    await rig.stop();
    assert.is(rig.delivered.length, 4);
    rig.time.jump(step);
    for (let i = 0; i < 4; i++) {
      rig.begin();
      rig.at(`early ${i}`, rig.time.now() + 100);
      await rig.time.advance(i * 40);
      await rig.stop();
    }
    rig.begin();
    await rig.time.advance(HOUR + 10_000);
    const early = [0, 1, 2, 3].map((i) => `early ${i}`);
    const all = [100, 200, 800, 900].flatMap((ms) => [`at ${ms}`, `after ${ms}`]);
    assert.equal(sorted(rig.bodies), sorted([...all, ...early]));
  });

  test(`a clock set by ${step} ms within a slot, then stops: nothing comes twice`, async () => {
    const rig = new TimerRig();
    const start = nextSlot(rig);
    for (const ms of [100, 200, 800, 900]) rig.at(`at ${ms}`, start + ms);
    await advanceTo(rig, start + 500);
    rig.time.jump(step);
    await rig.time.advance(1_100);
    for (let i = 0; i < 3; i++) {
      // Something else waits in an earlier slot.
      rig.at(`early ${i}`, rig.time.now() + 200);
      await rig.time.advance(20);
      await rig.stop();
      rig.begin();
      await rig.time.advance(20);
    }
    await rig.time.advance(HOUR + 10_000);
    const all = [100, 200, 800, 900].map((ms) => `at ${ms}`);
    assert.equal(sorted(rig.bodies), sorted([...all, 'early 0', 'early 1', 'early 2']));
  });
}

test('many slots that were just delivered do not come again when the clock is set back and a stop comes', async () => {
  const rig = new TimerRig();
  const now = nextSlot(rig);
  const all = Array.from({ length: 40 }, (_, i) => `m${i}`);
  for (const [i, body] of all.entries()) rig.at(body, now + i * 1_000 + 250);
  await rig.time.advance(10);
  rig.time.jump(60_000);
  await rig.time.advance(1_100);
  assert.equal(sorted(rig.bodies), sorted(all));
  rig.time.jump(-60_000);
  await rig.time.advance(1_100);
  await rig.stop();
  rig.begin();
  await rig.time.advance(100_000);
  assert.equal(sorted(rig.bodies), sorted(all));
});

test('a chain that a power cut brings back does not hide units of its place that are newer', async () => {
  const rig = new TimerRig();
  const due = rig.time.now() + 5_250;
  rig.at('old', due);
  await rig.time.advance(8_000);
  const before = rig.disk.bytesOf(WHEEL).slice();
  await rig.save();
  await rig.save();
  rig.time.jump(-8_000 - 50 * TURN_MS);
  await rig.time.advance(1_100);
  await rig.save();
  // The same place of the wheel, many turns ago.
  rig.at('new', due - 50 * TURN_MS);
  rig.at('newer', due - 50 * TURN_MS + 50);
  await rig.time.advance(10);
  rig.service.stop();
  rig.disk.kill();
  rig.disk.bytesOf(WHEEL).set(before);
  rig.begin();
  await rig.time.advance(20_000);
  assert.equal(rig.bodies, ['old', 'new', 'newer']);
});

test('a span ends in time without the checkpoint when the clock is set and the process dies', async () => {
  for (const step of [HOUR, -HOUR]) {
    const rig = new TimerRig();
    const start = rig.time.monotonic();
    rig.after('a', 10_250);
    await rig.time.advance(100);
    rig.service.stop();
    rig.disk.remove(CHECK);
    rig.time.jump(step);
    rig.kill();
    await rig.time.advance(15_000);
    assert.equal(rig.bodies, ['a']);
    const took = (rig.delivered[0]?.monotonic ?? 0) - start;
    assert.ok(took >= 10_250 && took <= 11_500, `it took ${took} ms when the clock was set by ${step}`);
  }
});

test('elapsed time of a boot is known before the first checkpoint in it', async () => {
  const rig = new TimerRig();
  rig.after('long before', 2_000);
  await rig.time.advance(100);
  await rig.save();
  rig.service.stop();
  rig.disk.powerCut(new Random(1), 1);
  // The machine seems to have been down for an hour.
  rig.time.jump(HOUR);
  rig.begin();
  const start = rig.time.monotonic();
  rig.after('a', 10_250);
  await rig.time.advance(100);
  rig.time.jump(-HOUR);
  rig.kill();
  await rig.time.advance(20_000);
  assert.equal([...new Set(rig.bodies)], ['long before', 'a']);
  const took = (rig.delivered.at(-1)?.monotonic ?? 0) - start;
  assert.ok(took >= 10_250 && took <= 11_500, `it took ${took} ms`);
});

test('a crash at any moment of the first opening leaves a clock by which spans end', async () => {
  let crashes = 0;
  for (let calls = 1; calls < 40; calls++) {
    const rig = new TimerRig();
    rig.after('first', 6_000);
    rig.disk.callsUntilCrash = calls;
    try {
      await rig.time.advance(100);
    } catch (error) {
      if (!(error instanceof SimCrash)) throw error;
      crashes++;
    }
    rig.disk.callsUntilCrash = Number.POSITIVE_INFINITY;
    rig.service.stop();
    rig.disk.kill();
    rig.begin();
    rig.after('second', 8_000);
    await rig.time.advance(1_000);
    rig.time.jump(-HOUR);
    await rig.time.advance(100);
    rig.kill();
    await rig.time.advance(10_000);
    assert.equal(sorted([...new Set(rig.bodies)]), ['first', 'second'], `a crash at call ${calls}`);
  }
  assert.ok(crashes > 5, `${crashes} crashes`);
});

test('what was put further on after a step forward is not there twice when a stop comes', async () => {
  const rig = new TimerRig();
  const start = nextSlot(rig);
  for (const ms of [5_000, 5_300]) rig.after(`after ${ms}`, start + ms - rig.time.now());
  rig.after('far', start + 9_000 - rig.time.now());
  rig.at('at', start + 8_900);
  await advanceTo(rig, start);
  rig.busy = true;
  rig.time.jump(5_800);
  for (let i = 0; i < 3; i++) {
    await rig.time.advance(1_100);
    await rig.stop();
    rig.begin();
  }
  rig.busy = false;
  await rig.time.advance(20_000);
  assert.equal(sorted(rig.bodies), ['after 5000', 'after 5300', 'at', 'far']);
});

test('a span whose record turns up behind a stop and was stamped before the clock was set lasts as long', async () => {
  const rig = new TimerRig();
  rig.at('far', rig.time.now() + HOUR);
  await rig.time.advance(100);
  rig.time.jump(20_000);
  rig.service.poke();
  await rig.time.advance(10);
  await rig.stop();
  rig.time.jump(-20_000);
  rig.after('span', 5_000);
  rig.time.jump(20_000);
  const sent = rig.time.monotonic();
  rig.begin();
  await rig.time.advance(10_000);
  assert.equal(rig.bodies, ['span']);
  assert.ok((rig.delivered[0]?.monotonic ?? 0) - sent >= 5_000);
});

test('the first span of a store lasts as long when the clock is set before anybody has looked at it', async () => {
  const rig = new TimerRig();
  await rig.stop();
  // As the service saw it, nothing was in the queue, and no clock was kept.
  rig.after('span', 5_000);
  rig.time.jump(20_000);
  const sent = rig.time.monotonic();
  rig.begin();
  await rig.time.advance(10_000);
  assert.equal(rig.bodies, ['span']);
  assert.ok((rig.delivered[0]?.monotonic ?? 0) - sent >= 5_000);
});

test('a wheel that is made anew is not read by what the checkpoint said of the one before', async () => {
  const rig = new TimerRig({ timerRollWindowSlot: 15 });
  const now = nextSlot(rig);
  rig.at('far', now + 60_250);
  await rig.time.advance(100);
  rig.time.jump(-2_000);
  await rig.time.advance(1_100);
  await rig.save();
  await rig.time.advance(8_000);
  await rig.stop();
  rig.disk.remove(WHEEL);
  rig.begin();
  await rig.time.advance(100);
  rig.kill();
  await rig.time.advance(80_000);
  assert.equal([...new Set(rig.bodies)], ['far']);
  assert.is(rig.lines.filter((line) => line.includes('is made anew')).length, 2);
});

test('a wheel that was being made anew when the power was cut is made anew', async () => {
  const all = Array.from({ length: 10 }, (_, i) => `m${i}`);
  for (let seed = 1; seed < 20; seed++) {
    const rig = new TimerRig();
    const now = nextSlot(rig);
    for (const [i, body] of all.entries()) rig.at(body, now + 20_250 + i * 1_000);
    await rig.time.advance(100);
    await rig.save();
    await rig.stop();
    rig.disk.remove(WHEEL);
    rig.begin();
    await rig.time.advance(100);
    rig.service.stop();
    rig.disk.powerCut(new Random(seed));
    rig.begin();
    await rig.time.advance(60_000);
    assert.equal(sorted([...new Set(rig.bodies)]), all, `seed ${seed}`);
  }
});

test.run();
