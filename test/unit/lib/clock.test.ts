/** Time that wrong clocks do not disturb. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { SteadyTime, systemClock, timeOf } from '../../../src/lib/clock.ts';
import { FakeTime } from '../metadata/support.ts';

const test = suite('clock');

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const YEAR = 365 * 24 * HOUR;
const STEPS = [10 * MINUTE, -10 * MINUTE, YEAR, -YEAR];

/** Ten seconds at a time, as who asks does. */
async function pass(time: FakeTime, steady: SteadyTime, ms: number): Promise<void> {
  for (let passed = 0; passed < ms; passed += 10_000) {
    await time.advance(10_000);
    steady.now();
  }
}

test('the monotonic clock counts from the boot of the machine', () => {
  const boot = Number(process.hrtime.bigint()) / 1e6;
  assert.ok(Math.abs(systemClock.monotonic() - boot) < 1_000);
});

test('a moment on the monotonic clock as a time of day', async () => {
  const time = new FakeTime();
  const moment = time.monotonic();
  await time.advance(5_000);
  assert.is(timeOf(time, moment), time.now() - 5_000);
  time.jump(YEAR);
  assert.is(timeOf(time, moment), time.now() - 5_000);
});

for (const step of STEPS) {
  test(`steady time, a step of ${step / MINUTE} minutes: believed when it lasts, never noticed when it does not`, async () => {
    const time = new FakeTime();
    const steady = new SteadyTime(time, HOUR);
    time.jump(step);
    await pass(time, steady, MINUTE);
    assert.is(steady.now(), time.now() - step);
    time.jump(-step);
    await pass(time, steady, MINUTE);
    assert.is(steady.now(), time.now());
    time.jump(step);
    await pass(time, steady, HOUR - MINUTE);
    assert.is(steady.now(), time.now() - step);
    await pass(time, steady, 2 * MINUTE);
    assert.is(steady.now(), time.now());
  });
}

test('steady time goes on from a moment in the past, and not from one in the future', async () => {
  const time = new FakeTime();
  const rested = new SteadyTime(time, HOUR, time.now() - YEAR);
  assert.is(rested.now(), time.now() - YEAR);
  await pass(time, rested, HOUR + MINUTE);
  assert.is(rested.now(), time.now());
  assert.is(new SteadyTime(time, HOUR, time.now() + YEAR).now(), time.now());
  assert.is(new SteadyTime(time, HOUR, Number.NEGATIVE_INFINITY).now(), time.now());
});

test('steady time follows small corrections at once', () => {
  const time = new FakeTime();
  const steady = new SteadyTime(time, HOUR);
  for (let i = 0; i < 100; i++) {
    time.jump(-50_000);
    assert.is(steady.now(), time.now());
  }
});

test.run();
