/** Timers across stops, kills, damaged files and a clock that is set. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  encodeTimerCheck,
  readTimerCheck,
  type TimerCheck,
} from '../../../src/delivery/timer/timer-check.ts';
import { parked, TimerRig } from './timer-support.ts';

const test = suite('timers across restarts');
const CHECK = '/store/config/timercheck';
const WHEEL = '/store/timerwheel';
const LOG = '/store/timerlog/00000000000000000000';
const HOUR = 3_600_000;

/** Ten messages a second apart, the first one due after 1.25 s. */
function tenSeconds(rig: TimerRig): void {
  const now = Math.ceil(rig.time.now() / 1000) * 1000;
  for (let i = 0; i < 10; i++) {
    if (i % 2 === 0) rig.at(`m${i}`, now + 1_250 + i * 1_000);
    else rig.after(`m${i}`, now + 1_250 + i * 1_000 - rig.time.now());
  }
}

const ALL = Array.from({ length: 10 }, (_, i) => `m${i}`);

test('what waits goes on after a stop, and nothing comes twice', async () => {
  const rig = new TimerRig();
  tenSeconds(rig);
  await rig.time.advance(4_600);
  await rig.stop();
  assert.ok(rig.delivered.length > 1);
  rig.begin();
  await rig.time.advance(10_000);
  assert.equal(rig.bodies, ALL);
});

test('a stop in the middle of a slot has nothing of it come twice, also what came late', async () => {
  const rig = new TimerRig();
  const start = Math.ceil(rig.time.now() / 1000) * 1000 + 2_000;
  for (let i = 0; i < 20; i++) {
    if (i % 2 === 0) rig.at(`m${i}`, start + 10 + i * 40);
    else rig.after(`m${i}`, start + 10 + i * 40 - rig.time.now());
  }
  await rig.time.advance(start + 400 - rig.time.now());
  rig.at('late', rig.time.now() - 10);
  await rig.time.advance(5);
  rig.at('soon', start + 700);
  await rig.stop();
  const before = rig.delivered.length;
  assert.ok(before > 5 && before < 20);
  rig.begin();
  await rig.time.advance(5_000);
  assert.equal([...rig.bodies].sort(), [...new Set(rig.bodies)].sort());
  assert.is(rig.delivered.length, 22);
});

test('after a kill only what was delivered since the checkpoint comes again', async () => {
  const rig = new TimerRig();
  tenSeconds(rig);
  await rig.time.advance(5_300);
  await rig.save();
  await rig.time.advance(2_000);
  const before = rig.delivered.length;
  rig.kill();
  await rig.time.advance(10_000);
  const again = rig.bodies.slice(before);
  assert.equal([...new Set(rig.bodies)].sort(), ALL);
  assert.ok(rig.bodies.length - 10 <= 3, `${again} come after the kill`);
  assert.not(again.includes('m0'));
});

test('what was put into the wheel since the checkpoint is not lost, and is not there twice', async () => {
  const rig = new TimerRig();
  rig.at('old', rig.time.now() + 5_000);
  await rig.time.advance(100);
  await rig.save();
  rig.at('new', rig.time.now() + 5_000);
  await rig.time.advance(100);
  rig.kill();
  rig.at('newer', rig.time.now() + 5_000);
  await rig.time.advance(20_000);
  assert.equal(rig.bodies, ['old', 'new', 'newer']);
});

test('what was recalled stays recalled after a kill, also when it is due before the recall is read', async () => {
  const rig = new TimerRig();
  const due = Math.ceil(rig.time.now() / 1000) * 1000 + 2_500;
  rig.at('a', due);
  rig.at('b', due);
  await rig.time.advance(100);
  await rig.save();
  rig.service.stop();
  rig.recall('a', due - 500);
  await rig.time.advance(60_000);
  rig.kill();
  await rig.time.advance(5_000);
  assert.equal(rig.bodies, ['b']);
});

test('slots that were delivered are empty once that is durable', async () => {
  const rig = new TimerRig();
  tenSeconds(rig);
  await rig.time.advance(15_000);
  await rig.save();
  await rig.save();
  await rig.stop();
  const bytes = rig.disk.bytesOf(WHEEL);
  const view = new DataView(bytes.buffer);
  const chains = Array.from({ length: 800 }, (_, i) => view.getBigInt64(i * 32 + 16)).filter(
    (last) => last > 0n,
  );
  assert.equal(chains, []);
  rig.begin();
  await rig.time.advance(10_000);
  assert.is(rig.delivered.length, 10);
});

const damages: [string, RegExp, (rig: TimerRig) => void][] = [
  ['a wheel of another size', /timerwheel has 800 bytes/, (rig) => rig.disk.truncate(WHEEL, 800)],
  ['a missing wheel', /timerwheel is missing/, (rig) => rig.disk.remove(WHEEL)],
  ['a log file of another size', /0000 has 999 bytes/, (rig) => rig.disk.truncate(LOG, 999)],
  ['a missing log', /timerlog ends at 0/, (rig) => rig.disk.remove('/store/timerlog')],
  ['units that are none', /timer log/, (rig) => rig.disk.bytesOf(LOG).fill(0x55, 0, 600)],
  [
    'another precision',
    /timerPrecisionMs 1000, now it is 500/,
    (rig) => Object.assign(rig.options, { timerPrecisionMs: 500 }),
  ],
];

for (const [what, line, damage] of damages) {
  test(`${what}: the wheel is made anew from the queue, and nothing comes twice`, async () => {
    const rig = new TimerRig();
    tenSeconds(rig);
    await rig.time.advance(5_600);
    await rig.stop();
    const before = rig.delivered.length;
    assert.ok(before > 0 && before < 10);
    damage(rig);
    rig.begin();
    await rig.time.advance(15_000);
    assert.equal([...new Set(rig.bodies)].sort(), ALL);
    assert.ok(
      rig.bodies.length <= 11,
      `${rig.bodies}: what was delivered in the slot under way may come again`,
    );
    const warning = rig.lines.find((text) => text.includes('is made anew'));
    assert.match(warning ?? 'no warning', line);
  });
}

test('a damage that is met while the service runs has the wheel made anew', async () => {
  const rig = new TimerRig();
  rig.at('first', rig.time.now() + 1_100);
  await rig.time.advance(1_200);
  await rig.time.advance(300_000);
  tenSeconds(rig);
  for (let i = 0; i < 400; i++) rig.at(`late${i}`, rig.time.now() + 60_000);
  await rig.time.advance(100);
  rig.disk.bytesOf(LOG).fill(0, 52 * 100, 52 * 110);
  await rig.live(90_000);
  const all = [...ALL, 'first', ...Array.from({ length: 400 }, (_, i) => `late${i}`)];
  assert.equal([...new Set(rig.bodies)].sort(), all.sort());
  assert.match(rig.lines.join(), /there is no unit of slot/);
});

test('slots of the wheel that are damaged while the service runs are not passed over', async () => {
  for (const value of [0xff, 0x00, 0x55]) {
    const rig = new TimerRig();
    rig.at('first', rig.time.now() + 1_100);
    await rig.time.advance(1_200);
    tenSeconds(rig);
    await rig.time.advance(100);
    for (let i = 0; i < 3; i++) await rig.save();
    rig.disk.bytesOf(WHEEL).fill(value);
    await rig.live(90_000);
    assert.equal([...new Set(rig.bodies)].sort(), [...ALL, 'first'].sort(), `filled with ${value}`);
    assert.match(rig.lines.join(), /is not what was written there/);
  }
});

test('without the checkpoint the wheel tells what waits', async () => {
  const rig = new TimerRig();
  tenSeconds(rig);
  await rig.time.advance(5_600);
  for (let i = 0; i < 3; i++) await rig.save();
  await rig.stop();
  rig.disk.bytesOf(CHECK).fill(0xff, 0, 56);
  rig.begin();
  await rig.time.advance(15_000);
  assert.equal([...new Set(rig.bodies)].sort(), ALL);
  assert.ok(rig.bodies.length <= 11, String(rig.bodies));
  assert.match(rig.lines.join(), /timercheck/);
});

test('a checkpoint of RocketMQ, behind the log and without our fields, is read on from', async () => {
  const rig = new TimerRig();
  tenSeconds(rig);
  await rig.time.advance(5_600);
  await rig.stop();
  const check = readTimerCheck(rig.disk, CHECK) as TimerCheck;
  const theirs = { logEnd: 104, counter: check.counter + 1, own: undefined, late: undefined };
  const bytes = encodeTimerCheck({ ...check, ...theirs });
  rig.disk.bytesOf(CHECK).set(bytes);
  rig.begin();
  await rig.time.advance(15_000);
  assert.equal([...new Set(rig.bodies)].sort(), ALL);
  assert.ok(rig.bodies.length <= 11, String(rig.bodies));
  assert.not.match(rig.lines.join(), /made anew/);
});

for (const step of [HOUR, -HOUR, 3_500, -3_500, 600, -600]) {
  test(`a clock set by ${step} ms: times follow it, spans do not, none is early, lost or twice`, async () => {
    const rig = new TimerRig();
    const start = rig.time.monotonic();
    const now = rig.time.now();
    const spans = [900, 5_250, 7_250, 8_000];
    for (const ms of spans) rig.after(`after ${ms}`, ms);
    const times = [now + 6_250, now + 7_750, now + 200_000];
    for (const at of times) rig.at(`at ${at}`, at);
    await rig.time.advance(4_900);
    rig.time.jump(step);
    await rig.time.advance(1_000);
    rig.at('new', rig.time.now() + 2_250);
    rig.after('later', 3_250);
    for (let i = 0; i < 10; i++) {
      await rig.time.advance(500);
      if (i === 4) await rig.save();
    }
    for (const ms of spans) {
      const found = rig.delivered.filter(({ body }) => body === `after ${ms}`);
      assert.is(found.length, 1, `after ${ms}: ${found.length}`);
      const late = (found[0]?.monotonic ?? 0) - start - ms;
      assert.ok(late >= 0 && late <= 20, `after ${ms} comes ${late} ms late`);
    }
    assert.equal(
      rig.bodies.filter((body) => body === 'new' || body === 'later'),
      ['new', 'later'],
    );
    await rig.time.advance(HOUR + 300_000);
    for (const at of times) {
      const found = rig.delivered.filter(({ body }) => body === `at ${at}`);
      assert.is(found.length, 1, `at ${at}: ${found.length}`);
      const late = (found[0]?.at ?? 0) - at;
      assert.ok(late >= 0 && late <= Math.max(step, 0) + 1_020, `at ${at} comes ${late} ms late`);
    }
    assert.is(rig.delivered.length, spans.length + times.length + 2);
  });

  test(`a clock set by ${step} ms, then a kill: nothing is lost or early`, async () => {
    const rig = new TimerRig();
    const start = rig.time.monotonic();
    const spans = [5_250, 7_250, 9_000, 30_500];
    for (const ms of spans) rig.after(`after ${ms}`, ms);
    rig.at('at', rig.time.now() + 40_000);
    await rig.time.advance(1_000);
    await rig.save();
    rig.time.jump(step);
    await rig.time.advance(3_300);
    await rig.save();
    rig.kill();
    await rig.time.advance(HOUR + 100_000);
    assert.equal([...new Set(rig.bodies)].sort(), ['at', ...spans.map((ms) => `after ${ms}`)].sort());
    for (const { body, monotonic } of rig.delivered) {
      if (body === 'at') continue;
      const late = monotonic - start - Number(body.slice(6));
      assert.ok(late >= 0 && late < 1_020, `${body} comes ${late} ms late`);
    }
  });
}

test('a clock that is years ahead and comes back loses nothing', async () => {
  const YEAR = 365 * 24 * HOUR;
  const rig = new TimerRig();
  await rig.time.advance(10);
  rig.time.jump(YEAR);
  await rig.time.advance(100);
  const start = rig.time.monotonic();
  const now = rig.time.now();
  rig.after('after', 20_000);
  rig.at('at', now + 10_000);
  await rig.time.advance(1_000);
  rig.time.jump(-YEAR);
  await rig.time.advance(1_000);
  rig.at('new', rig.time.now() + 5_250);
  await rig.time.advance(10_000);
  assert.equal(rig.bodies, ['new']);
  await rig.time.advance(10_000);
  assert.equal(rig.bodies, ['new', 'after']);
  assert.ok((rig.delivered[1]?.monotonic ?? 0) - start >= 20_000);
  rig.time.jump(YEAR);
  await rig.time.advance(2_000);
  assert.equal(rig.bodies, ['new', 'after', 'at']);
});

for (const step of [HOUR, -HOUR]) {
  test(`a recalled span stays recalled when the clock is set by ${step} ms`, async () => {
    const rig = new TimerRig();
    const out = (Math.ceil((rig.time.now() + 30_250) / 1000) - 1) * 1000;
    rig.after('a', 30_250);
    rig.after('b', 30_250);
    rig.recall('a', out);
    await rig.time.advance(1_000);
    rig.time.jump(step);
    await rig.time.advance(2 * HOUR);
    assert.equal(rig.bodies, ['b']);
  });
}

/** Times of a rig's clock in whole seconds. */
function secondOf(rig: TimerRig): number {
  return Math.ceil(rig.time.now() / 1000) * 1000;
}

/**
 * `recalled` and `kept` are due at the same time, and were put into a nearer slot when the clock was set back by 20 s.
 * Their own slot and those behind it are free again when that is durable: the recall comes before, and is three behind.
 */
async function withRecallElsewhere(isSaved: 'before' | 'behind'): Promise<TimerRig> {
  const rig = new TimerRig({ timerRollWindowSlot: 15, wheelSlots: 200 });
  const now = secondOf(rig);
  for (const body of ['recalled', 'kept']) rig.at(body, now + 8_500);
  for (const ms of [9_500, 10_500]) rig.at(`behind ${ms}`, now + ms);
  await rig.time.advance(2_000);
  rig.time.jump(-20_000);
  await rig.time.advance(12_000);
  const before = rig.service.news();
  rig.recall('recalled', now + 8_000);
  await rig.time.advance(100);
  const news = isSaved === 'before' ? before : rig.service.news();
  assert.ok(news !== undefined);
  rig.keeper.note(news);
  await rig.keeper.saved();
  return rig;
}

for (const isSaved of ['before', 'behind'] as const) {
  test(`a recall that found its slot taken meets its message after a kill, checkpoint ${isSaved} it`, async () => {
    const rig = await withRecallElsewhere(isSaved);
    rig.kill();
    await rig.time.advance(60_000);
    assert.equal([...new Set(rig.bodies)], ['kept', 'behind 9500', 'behind 10500']);
  });
}

test('a recall in an open slot is put elsewhere with its message when the clock is set back once more', async () => {
  const rig = await withRecallElsewhere('behind');
  rig.time.jump(-20_000);
  await rig.time.advance(2_000);
  await rig.stop();
  rig.begin();
  await rig.time.advance(100_000);
  assert.equal(rig.bodies, ['kept', 'behind 9500', 'behind 10500']);
});

test('a recall holds until what came late for its slot and waits in a newer one is looked at', async () => {
  const rig = await withRecallElsewhere('behind');
  rig.service.stop();
  await rig.time.advance(60_000);
  rig.kill();
  await rig.time.advance(20_000);
  assert.equal([...new Set(rig.bodies)].sort(), ['behind 10500', 'behind 9500', 'kept']);
});

test('a recall in a slot that is delivered in part meets what is rolled into that after a stop', async () => {
  const rig = new TimerRig({ timerRollWindowSlot: 5 });
  const now = secondOf(rig);
  await rig.time.advance(now - rig.time.now());
  for (const body of ['recalled', 'kept']) rig.at(body, now + 8_800);
  await rig.time.advance(4_000);
  rig.at('first', now + 8_300);
  rig.recall('recalled', now + 8_000);
  // The two stay on their way until the stop.
  rig.service.stop();
  await rig.time.advance(4_400);
  await rig.stop();
  rig.begin();
  await rig.time.advance(20);
  await rig.stop();
  rig.begin();
  await rig.time.advance(20_000);
  assert.equal([...rig.bodies].sort(), ['first', 'kept']);
});

for (const step of [300, 20_000]) {
  test(`a recall in the slot beside takes back a span when the clock is set by -300 and ${step} ms`, async () => {
    const rig = new TimerRig();
    const now = secondOf(rig);
    await rig.time.advance(now - rig.time.now());
    for (const body of ['recalled', 'kept']) rig.after(body, 10_221);
    await rig.time.advance(1_500);
    rig.time.jump(-300);
    await rig.time.advance(1_000);
    rig.recall('recalled', now + 10_000);
    await rig.time.advance(500);
    rig.time.jump(step);
    await rig.time.advance(1_000);
    await rig.stop();
    rig.begin();
    await rig.time.advance(60_000);
    assert.equal(rig.bodies, ['kept']);
  });
}

test('what came late waits in its own slot when the clock is set back, and is recalled there', async () => {
  const rig = new TimerRig();
  rig.at('first', rig.time.now() + 100);
  await rig.time.advance(secondOf(rig) + 2_200 - rig.time.now());
  const due = secondOf(rig) - 200;
  for (const body of ['recalled', 'kept']) rig.at(body, due);
  await rig.stop();
  await rig.time.advance(2_500);
  rig.puts.status = 2;
  rig.begin();
  await rig.time.advance(500);
  await rig.stop();
  rig.puts.status = 0;
  rig.time.jump(-20_000);
  rig.begin();
  await rig.time.advance(500);
  rig.recall('recalled', due - 800);
  await rig.time.advance(60_000);
  assert.equal(rig.bodies, ['first', 'kept']);
  assert.is(rig.delivered[1]?.at, due);
});

test('store times ahead of the clock do not part a span from its recall when a stop comes between', async () => {
  const rig = new TimerRig();
  rig.at('first', rig.time.now() + 1_100);
  await rig.time.advance(2_000);
  await rig.save();
  rig.service.stop();
  // As after a clock set back: store times stand still.
  const out = (Math.ceil((rig.time.now() + 11_491) / 1000) - 1) * 1000;
  const sent = parked('a', { TIMER_DELAY_MS: '11491' }, out);
  const kept = parked('b', { TIMER_DELAY_MS: '11491' }, out);
  const sentAt = rig.time.monotonic();
  for (const one of [sent, kept]) rig.store.append(one, rig.time.now() + 20_000);
  await rig.time.advance(3_000);
  rig.kill();
  await rig.time.advance(1_000);
  rig.recall('a', out);
  await rig.time.advance(40_000);
  assert.equal(rig.bodies, ['first', 'b']);
  const took = (rig.delivered[1]?.monotonic ?? 0) - sentAt;
  assert.ok(took >= 11_491 && took <= 12_500, `the span took ${took} ms`);
});

test('a disk that is full makes timers wait, and they go on when it has room', async () => {
  const rig = new TimerRig();
  rig.at('first', rig.time.now() + 10_000);
  await rig.time.advance(100);
  rig.disk.fail('write', 0, 28);
  rig.at('second', rig.time.now() + 5_000);
  await rig.time.advance(10);
  assert.match(rig.lines.join(), /the disk takes no more/);
  await rig.time.advance(20_000);
  assert.equal(rig.bodies, ['second', 'first']);
});

test.run();
