import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { DelayLevels } from '../../../src/delivery/delay/levels.ts';
import { rewriteForDelay } from '../../../src/delivery/delay/rewrite.ts';
import type { DelayOffsets } from '../../../src/metadata/delay-offsets.ts';
import { FakePut, message, type Setup, setUp } from '../broker/support.ts';
import { DelayRig } from './support.ts';

const test = suite('delay');

const levels = new DelayLevels('1s 5s 10s 1m 2h');

/** Parks a message the way the writer does: delivery time as tags code. */
function park(setup: Setup, level: number, body = 'body') {
  const wanted = message({
    body: Buffer.from(body),
    properties: new Map([['DELAY', String(level)]]),
    queueId: 3,
  });
  const now = setup.time.now();
  return setup.store.append(
    rewriteForDelay(wanted, levels.max),
    now,
    BigInt(levels.deliveryTime(level, now)),
  );
}

const bodies = (put: FakePut) => put.messages.map(({ body }) => Buffer.from(body).toString());

test('levels: units, maximum, unknown ones, nonsense', () => {
  assert.equal(
    [levels.max, levels.delayOf(1), levels.delayOf(5), levels.delayOf(6)],
    [5, 1000, 7_200_000, 1000],
  );
  assert.throws(() => new DelayLevels('1s 5x'), /"5x"/);
});

test('parking keeps the real topic and leaves the original alone', () => {
  const wanted = message({
    properties: new Map([
      ['DELAY', '99'],
      ['TIMER_DELAY_SEC', '7'],
    ]),
    queueId: 3,
  });
  const parked = rewriteForDelay(wanted, 18);
  assert.equal([parked.topic, parked.queueId], ['SCHEDULE_TOPIC_XXXX', 17]);
  assert.equal(Object.fromEntries(parked.properties), { DELAY: '18', REAL_TOPIC: 't', REAL_QID: '3' });
  assert.is(wanted.properties.get('DELAY'), '99');
  for (const other of [
    message(),
    message({ properties: new Map([['DELAY', '0']]) }),
    message({ properties: new Map([['DELAY', 'x']]) }),
    message({ properties: new Map([['DELAY', '1']]), sysFlag: 4 }),
    message({ properties: new Map([['DELAY', '1']]), sysFlag: 12 }),
  ]) {
    assert.is(rewriteForDelay(other, 18), other);
  }
  assert.is(rewriteForDelay(message({ properties: new Map([['DELAY', '1']]), sysFlag: 8 }), 18).queueId, 0);
});

for (const heals of [true, false]) {
  test(`a delayed message that cannot be read is tried again and ${heals ? 'delivered' : 'given up'}`, async () => {
    const setup = setUp();
    const { store } = setup;
    const recordAt = store.recordAt.bind(store);
    let bad: number | undefined;
    let reads = 0;
    store.recordAt = (position) => {
      if (position !== bad) return recordAt(position);
      reads++;
      throw new Error('the device failed');
    };
    const rig = new DelayRig(setup, { levels });
    const { service } = rig;
    service.start();
    await setup.time.advance(0);
    park(setup, 1, 'first');
    park(setup, 1, 'second');
    bad = store.readQueue('SCHEDULE_TOPIC_XXXX', 0, 0, 1)[0]?.physicalOffset;
    service.poke(1);
    await setup.time.advance(5_000);
    assert.ok(reads > 3, `${reads} reads`);
    assert.is(rig.get(1), 0, 'it is not passed');
    if (heals) bad = undefined;
    await setup.time.advance(120_000);
    assert.equal(bodies(setup.put).sort(), heals ? ['first', 'second'] : ['second']);
    assert.is(rig.get(1), 2);
    park(setup, 1, 'third');
    service.poke(1);
    await setup.time.advance(5_000);
    assert.is(bodies(setup.put).at(-1), 'third');
  });
}

test('a level whose queue cannot be read waits, and goes on when it can', async () => {
  const setup = setUp();
  const { store } = setup;
  const rig = new DelayRig(setup, { levels });
  const { service } = rig;
  service.start();
  await setup.time.advance(0);
  park(setup, 1);
  const readQueue = store.readQueue.bind(store);
  store.readQueue = () => {
    throw new Error('the device failed');
  };
  service.poke(1);
  await setup.time.advance(60_000);
  assert.is(setup.put.messages.length, 0);
  store.readQueue = readQueue;
  await setup.time.advance(10_000);
  assert.is(setup.put.messages.length, 1);
});

test('delivers on time, under the real topic, with its properties', async () => {
  const setup = setUp();
  const rig = new DelayRig(setup, { levels });
  const { service } = rig;
  service.start();
  await setup.time.advance(0);
  park(setup, 2);
  service.poke(2);
  await setup.time.advance(4_900);
  assert.is(setup.put.messages.length, 0);
  await setup.time.advance(200);
  const [delivered] = setup.put.messages;
  assert.equal([delivered?.topic, delivered?.queueId, delivered?.bornHost.port], ['t', 3, 5000]);
  assert.is(delivered?.properties.get('DELAY'), '2');
  assert.is(rig.get(2), 1);
  await rig.stop();
  assert.is(setup.time.waiting, 0);
});

test('an idle service sleeps, and notices new entries even if nobody pokes', async () => {
  const setup = setUp();
  const rig = new DelayRig(setup, { levels });
  const { service } = rig;
  service.start();
  await setup.time.advance(0);
  assert.is(setup.time.waiting, levels.max);
  park(setup, 1);
  await setup.time.advance(6_100);
  assert.is(setup.put.messages.length, 1);
});

test('order within a level holds, and progress passes only what is stored', async () => {
  const setup = setUp();
  setup.put.holds = true;
  const rig = new DelayRig(setup, { levels });
  const { service } = rig;
  for (const body of ['a', 'b', 'c']) park(setup, 1, body);
  service.start();
  await setup.time.advance(1_200);
  assert.equal(bodies(setup.put), ['a', 'b', 'c']);
  setup.put.end(1);
  await setup.time.advance(0);
  assert.is(rig.get(1), 0);
  setup.put.end(0);
  await setup.time.advance(0);
  assert.is(rig.get(1), 2);
  setup.put.end(2);
  await setup.time.advance(0);
  assert.is(rig.get(1), 3);
});

test('a restart delivers again what was under way, and nothing is lost', async () => {
  const setup = setUp();
  setup.put.holds = true;
  const rig = new DelayRig(setup, { levels });
  const { service } = rig;
  for (const body of ['a', 'b']) park(setup, 1, body);
  service.start();
  await setup.time.advance(1_200);
  setup.put.end(0);
  await setup.time.advance(0);
  await rig.save();
  park(setup, 1, 'c');

  const later = new FakePut();
  const restarted = new DelayRig(setup, { levels, put: later });
  assert.is(restarted.get(1), 1);
  restarted.service.start();
  await setup.time.advance(2_000);
  assert.equal(bodies(later), ['b', 'c']);
  await restarted.stop();
});

test('stopping waits for puts under way and stores how far they came', async () => {
  const setup = setUp();
  setup.put.holds = true;
  const rig = new DelayRig(setup, { levels });
  const { service } = rig;
  park(setup, 1);
  service.start();
  await setup.time.advance(1_200);
  service.stop();
  park(setup, 1);
  await setup.time.advance(10_000);
  assert.equal([service.idle, setup.put.messages.length], [false, 1]);
  setup.put.end(0);
  await rig.stop();
  assert.is(new DelayRig(setup, { levels }).get(1), 1);
});

test('failed puts are repeated with pauses; what cannot succeed is dropped', async () => {
  const setup = setUp();
  const rig = new DelayRig(setup, { levels });
  const { service } = rig;
  park(setup, 1, 'a');
  setup.put.status = 2;
  service.start();
  await setup.time.advance(3_000);
  const tries = setup.put.messages.length;
  assert.ok(tries > 2 && tries < 10, `${tries} tries`);
  park(setup, 1, 'b');
  service.poke(1);
  await setup.time.advance(0);
  assert.is(setup.put.messages.length, tries);
  setup.put.status = 0;
  await setup.time.advance(5_000);
  assert.is(bodies(setup.put).at(-1), 'b');
  assert.is(rig.get(1), 2);
  setup.put.status = 17;
  park(setup, 1, 'c');
  service.poke(1);
  await setup.time.advance(2_000);
  assert.is(rig.get(1), 3);
});

test('a full level goes on when puts end', async () => {
  const setup = setUp({ scheduleAsyncDeliverMaxPendingLimit: 64 });
  setup.put.holds = true;
  for (let i = 0; i < 70; i++) park(setup, 1, String(i));
  const rig = new DelayRig(setup, { levels });
  const { service } = rig;
  service.start();
  await setup.time.advance(1_200);
  assert.is(setup.put.messages.length, 64);
  setup.put.end(0);
  await setup.time.advance(10);
  assert.is(setup.put.messages.length, 70);
});

test('entries that cannot be read, or belong nowhere, are stepped over', async () => {
  const setup = setUp();
  const now = setup.time.now();
  setup.store.append(message({ topic: 'SCHEDULE_TOPIC_XXXX' }), now, BigInt(now));
  const half = new Map([
    ['REAL_TOPIC', 'RMQ_SYS_TRANS_HALF_TOPIC'],
    ['REAL_QID', '0'],
  ]);
  setup.store.append(message({ topic: 'SCHEDULE_TOPIC_XXXX', properties: half }), now, BigInt(now));
  park(setup, 1);
  const rig = new DelayRig(setup, { levels });
  const { service } = rig;
  service.start();
  await setup.time.advance(1_200);
  assert.is(setup.put.messages.length, 1);
  assert.is(rig.get(1), 3);
});

test('offsets outside the queue are brought back into it', async () => {
  const setup = setUp();
  park(setup, 1);
  park(setup, 2);
  park(setup, 2);
  setup.store.minimum.set('SCHEDULE_TOPIC_XXXX/1', 1);
  const prepare = (offsets: DelayOffsets) => {
    offsets.set(1, 100);
    offsets.set(2, 0);
  };
  const rig = new DelayRig(setup, { levels, prepare });
  rig.service.start();
  assert.is(rig.get(1), 1);
  await setup.time.advance(6_000);
  assert.is(setup.put.messages.length, 1);
});

test('while the ring to the writer is full nothing is put, and all goes on in order when it is not', async () => {
  const setup = setUp();
  const rig = new DelayRig(setup, { levels });
  for (const body of ['a', 'b', 'c']) park(setup, 1, body);
  rig.busy = true;
  rig.service.start();
  await setup.time.advance(3_000);
  assert.equal([setup.put.messages.length, rig.get(1)], [0, 0]);
  rig.busy = false;
  await setup.time.advance(10);
  assert.equal(bodies(setup.put), ['a', 'b', 'c']);
  assert.is(rig.get(1), 3);
});

test('what has come since the start is delivered, wherever the file says that the level is', async () => {
  const setup = setUp();
  const prepare = (offsets: DelayOffsets) => offsets.set(1, 1_000);
  const rig = new DelayRig(setup, { levels, prepare, endAtStart: () => 0 });
  // They make delivery start.
  for (const body of ['a', 'b']) park(setup, 1, body);
  rig.service.start();
  assert.is(rig.get(1), 0);
  await setup.time.advance(1_200);
  assert.equal(bodies(setup.put), ['a', 'b']);
});

test.run();
