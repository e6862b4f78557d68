import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { TimerRig } from './timer-support.ts';

const test = suite('timers');

test('a message comes at its exact time, under its topic, with all of its properties', async () => {
  const rig = new TimerRig();
  const due = rig.time.now() + 5_437;
  rig.at('m', due);
  await rig.time.advance(5_436);
  assert.equal(rig.bodies, []);
  await rig.time.advance(2);
  const [delivered] = rig.delivered;
  assert.equal([delivered?.at, delivered?.message.topic, delivered?.message.queueId], [due, 't', 3]);
  const properties = Object.fromEntries(delivered?.message.properties ?? []);
  assert.equal(properties, {
    TIMER_DELIVER_MS: String(due),
    UNIQ_KEY: 'm',
    TIMER_OUT_MS: String(Math.floor(due / 1000) * 1000),
    REAL_TOPIC: 't',
    REAL_QID: '3',
    TIMER_ENQUEUE_MS: String(due - 5_437),
    TIMER_DEQUEUE_MS: String(due),
  });
});

test('times and spans come in the order in which they are due, none early', async () => {
  const rig = new TimerRig();
  const now = rig.time.now();
  const wanted: [string, number][] = [];
  for (let i = 0; i < 200; i++) {
    const ms = 1 + ((i * 7_919) % 30_000);
    wanted.push([`m${i}`, now + ms]);
    if (i % 2 === 0) rig.at(`m${i}`, now + ms);
    else rig.after(`m${i}`, ms);
  }
  await rig.time.advance(31_000);
  assert.is(rig.delivered.length, 200);
  for (const [body, due] of wanted) {
    const at = rig.delivered.find((delivered) => delivered.body === body)?.at ?? 0;
    assert.ok(at >= due && at <= due + 2, `${body} is due at ${due} and comes at ${at}`);
  }
});

test('what is due already, and what came while its second was under way, comes at once', async () => {
  const rig = new TimerRig();
  rig.at('past', rig.time.now() - 100_000);
  await rig.time.advance(5);
  assert.equal(rig.bodies, ['past']);
  await rig.time.advance(300);
  rig.at('soon', rig.time.now() + 50);
  await rig.time.advance(49);
  assert.equal(rig.bodies, ['past']);
  await rig.time.advance(2);
  assert.equal(rig.bodies, ['past', 'soon']);
});

test('beyond the window a message is rolled, as often as it takes, and comes at its time', async () => {
  const rig = new TimerRig({ timerRollWindowSlot: 5 });
  const due = rig.time.now() + 11_250;
  rig.at('far', due);
  await rig.time.advance(11_249);
  assert.equal([rig.bodies, rig.rolls], [[], 2]);
  await rig.time.advance(2);
  assert.equal([rig.bodies, rig.delivered[0]?.at], [['far'], due]);
  const properties = rig.delivered[0]?.message.properties;
  assert.is(properties?.get('TIMER_ROLL_TIMES'), '2');
  assert.is(properties?.get('TIMER_OUT_MS'), String(Math.floor(due / 1000) * 1000));
});

test('a span that was rolled ends at its exact time', async () => {
  const rig = new TimerRig({ timerRollWindowSlot: 5 });
  const due = rig.time.now() + 8_250;
  rig.after('far', 8_250);
  await rig.time.advance(8_249);
  assert.equal([rig.bodies, rig.rolls], [[], 1]);
  await rig.time.advance(2);
  assert.is(rig.delivered[0]?.at, due);
  assert.not(
    [...(rig.delivered[0]?.message.properties.keys() ?? [])].some((name) => name.includes('RINGMQ')),
  );
});

for (const topicInKey of [false, true]) {
  test(`a recalled message does not come${topicInKey ? ', also by topic and key' : ''}`, async () => {
    const rig = new TimerRig();
    const due = rig.time.now() + 5_437;
    for (const body of ['a', 'b', 'c']) rig.at(body, due);
    await rig.time.advance(2_000);
    rig.recall('b', Math.floor(due / 1000) * 1000, topicInKey);
    await rig.time.advance(10_000);
    assert.equal(rig.bodies, ['a', 'c']);
  });
}

test('a recall meets the message while its second is under way, and no other one of the same key', async () => {
  const rig = new TimerRig();
  const start = Math.ceil(rig.time.now() / 1000) * 1000 + 3_000;
  rig.at('b', start + 900);
  rig.at('other', start + 900);
  await rig.time.advance(start + 400 - rig.time.now());
  rig.recall('b', start);
  rig.recall('elsewhere', start);
  rig.at('b', start + 2_500);
  await rig.time.advance(5_000);
  assert.equal(rig.bodies, ['other', 'b']);
  assert.is(rig.delivered[1]?.at, start + 2_500);
});

test('a recall of the slot in which a message is rolled does not lose it', async () => {
  const rig = new TimerRig({ timerRollWindowSlot: 5 });
  const now = Math.floor(rig.time.now() / 1000) * 1000;
  rig.at('far', now + 8_500);
  for (let slot = now + 1_000; slot < now + 5_000; slot += 1_000) rig.recall('far', slot);
  await rig.time.advance(9_000);
  assert.equal([rig.bodies, rig.rolls], [['far'], 1]);
});

test('a recall beyond the window is rolled too, and meets its message', async () => {
  const rig = new TimerRig({ timerRollWindowSlot: 5 });
  const now = Math.floor(rig.time.now() / 1000) * 1000;
  rig.at('far', now + 11_500);
  rig.recall('far', now + 11_000);
  await rig.time.advance(15_000);
  assert.equal(rig.bodies, []);
  assert.ok(rig.rolls >= 4);
});

test('a record that cannot be put into the wheel is stepped over with a line', async () => {
  const rig = new TimerRig();
  const now = rig.time.now();
  rig.at('before', now + 1_000);
  for (const missing of ['TIMER_OUT_MS', 'REAL_TOPIC', 'REAL_QID']) {
    rig.at('poison', now + 1_000);
    const entry = rig.store.readQueue('rmq_sys_wheel_timer', 0, 0, 100).at(-1);
    const record = rig.store.recordAt(entry?.physicalOffset as number) as Uint8Array;
    const at = Buffer.from(record).indexOf(missing);
    record[at] = 'X'.charCodeAt(0);
  }
  rig.at('behind', now + 1_000);
  await rig.time.advance(2_000);
  assert.equal(rig.bodies, ['before', 'behind']);
  assert.is(rig.lines.filter((line) => line.includes('is stepped over')).length, 3);
});

test('puts that fail are repeated, one whose topic is gone is dropped, and others come', async () => {
  const rig = new TimerRig();
  const now = rig.time.now();
  rig.at('a', now + 1_500);
  rig.puts.status = 2;
  await rig.time.advance(4_000);
  const tries = rig.puts.messages.length;
  assert.ok(tries > 2 && tries < 10, `${tries} tries`);
  rig.at('b', now + 4_500);
  await rig.time.advance(800);
  rig.puts.status = 0;
  await rig.time.advance(3_000);
  assert.equal(rig.bodies, ['a', 'b']);
  rig.puts.status = 17;
  rig.at('gone', rig.time.now() + 10);
  await rig.time.advance(100);
  rig.puts.status = 0;
  rig.at('c', rig.time.now() + 10);
  await rig.time.advance(100);
  assert.equal(rig.bodies, ['a', 'b', 'c']);
});

test('what is under way is bounded, and a full ring is waited for', async () => {
  const rig = new TimerRig();
  rig.puts.holds = true;
  const due = rig.time.now() + 1_500;
  for (let i = 0; i < 250; i++) rig.at(`m${i}`, due);
  await rig.time.advance(2_000);
  assert.is(rig.puts.messages.length, 100);
  rig.busy = true;
  for (let i = 0; i < 100; i++) rig.puts.end(i);
  await rig.time.advance(100);
  assert.is(rig.puts.messages.length, 100);
  rig.busy = false;
  await rig.time.advance(10);
  assert.is(rig.puts.messages.length, 200);
  rig.puts.holds = false;
  for (let i = 100; i < 200; i++) rig.puts.end(i);
  await rig.time.advance(10);
  assert.is(new Set(rig.bodies).size, 250);
  assert.is(rig.delivered.length, 250);
});

test('without a timer there are no files, and an idle service sleeps', async () => {
  const rig = new TimerRig();
  await rig.time.advance(20_000);
  assert.equal(rig.disk.paths(), []);
  assert.is(rig.time.waiting, 1);
  await rig.stop();
  assert.is(rig.time.waiting, 0);
});

test('a slot of more units than a piece holds is delivered whole, with recalls known before', async () => {
  const rig = new TimerRig({ mappedFileSizeTimerLog: 52 * 20_000 + 16 });
  const due = Math.ceil(rig.time.now() / 1000) * 1000 + 7_500;
  for (let i = 0; i < 6_000; i++) rig.at(`m${i}`, due);
  rig.recall('m17', due - 500);
  await rig.time.advance(due - rig.time.now() - 1);
  assert.is(rig.delivered.length, 0);
  await rig.time.advance(500);
  assert.is(rig.delivered.length, 5_999);
  assert.not(rig.bodies.includes('m17'));
  assert.is(rig.bodies[0], 'm0');
});

test.run();
