// Ends of transactions of which nothing is open: given up, ended before, or copied by another broker.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { firstOpToRead } from '../../../src/delivery/transaction/given-up.ts';
import { halfOf, opOf } from '../../../src/delivery/transaction/half-message.ts';
import { MAX_GIVEN_UP, MAX_OPS_AFTER_GIVE_UP } from '../../../src/lib/limits.ts';
import { HALF_TOPIC, OP_HALF_TOPIC, TRANS_CHECK_MAX_TIME_TOPIC } from '../../../src/lib/names.ts';
import { message, STORE_HOST } from '../broker/support.ts';
import {
  type HalfPlace,
  type LifeOptions,
  OPS_MS,
  ROUND_MS,
  TransactionSetup,
} from './transaction-support.ts';

const test = suite('ends of what is not open');

const DONE: [number, string] = [0, ''];
const BEFORE: [number, string] = [0, 'this transaction has been ended before, nothing was done'];
const NOT_KNOWN = /it is not known any more how, and nothing was done.*TRANS_CHECK_MAX_TIME_TOPIC/;

/** With one that is given up after `checks`; `place`: of the first half message. */
async function givenUp(checks = 0): Promise<{ setup: TransactionSetup; place: HalfPlace }> {
  const setup = new TransactionSetup();
  await setup.begin({ settings: { transactionCheckMax: checks } });
  const place = setup.half('a');
  await setup.run(10_000);
  assert.equal(setup.bodies(TRANS_CHECK_MAX_TIME_TOPIC), ['a']);
  assert.is(setup.checks.length, checks);
  return { setup, place };
}

/** As after a clean stop: progress is where the broker had come to. */
async function restart(setup: TransactionSetup, options: LifeOptions = {}): Promise<void> {
  await setup.run(OPS_MS);
  await setup.begin({ offsets: setup.rig.progress, ...options });
  await setup.run(100);
}

async function isRefused(setup: TransactionSetup, place: HalfPlace, commits: boolean): Promise<void> {
  const [code, remark] = (await setup.ended(place, commits)) ?? [];
  assert.is(code, 604);
  assert.match(remark ?? '', NOT_KNOWN);
}

for (const checks of [0, 2]) {
  for (const restarts of [0, 1, 2])
    test(`given up after ${checks} checks and committed after ${restarts} restarts`, async () => {
      const { setup, place } = await givenUp(checks);
      for (let i = 0; i < restarts; i++) await restart(setup);
      const named = restarts === 1 ? (setup.checks.at(-1) ?? place) : place;
      assert.equal(await setup.ended(named, true), DONE);
      assert.equal(await setup.ended(named, true), BEFORE);
      assert.equal(await setup.ended(place, true), BEFORE, 'whichever copy is named');
      await restart(setup);
      await isRefused(setup, place, true);
      assert.equal(setup.bodies('t'), ['a']);
    });
}

test('given up and rolled back: the answer comes when it is written, and a restart knows it', async () => {
  for (const restarts of [false, true]) {
    const { setup, place } = await givenUp();
    if (restarts) await restart(setup);
    setup.held.add(OP_HALF_TOPIC);
    assert.is(await setup.ended(place, false), undefined);
    setup.held.clear();
    setup.endPuts();
    await setup.run(20);
    assert.equal(
      setup.rig.answers().map(({ code, remark }) => [code, remark]),
      [DONE],
    );
    assert.equal(await setup.ended(place, false), BEFORE);
    await restart(setup);
    await isRefused(setup, place, true);
    assert.equal(setup.bodies('t'), []);
  }
});

test('the commit of what was given up may fail, and be said again', async () => {
  const { setup, place } = await givenUp();
  setup.refused.set('t', 1);
  assert.is((await setup.ended(place, true))?.[0], 1);
  setup.refused.clear();
  assert.equal(await setup.ended(place, true), DONE);
  assert.equal(setup.bodies('t'), ['a']);
});

test('what has ended otherwise, and what nobody knows of, is not answered with success', async () => {
  const setup = new TransactionSetup();
  await setup.begin();
  const [a, b] = [setup.half('a'), setup.half('b')];
  await setup.ended(a, true);
  await setup.ended(b, false);
  await setup.run(OPS_MS);
  assert.equal(await setup.ended(a, false), [
    604,
    'this transaction has been committed before, nothing was done',
  ]);
  assert.equal(setup.errors, []);
  const rolledBack = 'this transaction has been rolled back before, nothing was done';
  assert.equal(await setup.ended(b, true), [604, rolledBack]);
  assert.equal(setup.errors, ['a transaction was not committed'], 'who waits for no answer can look there');
  await restart(setup);
  for (const place of [a, b]) for (const commits of [true, false]) await isRefused(setup, place, commits);
  assert.equal(setup.bodies('t'), ['a']);
});

test('too many ends after it was given up: the same answer before and after a restart', async () => {
  const { setup, place } = await givenUp();
  for (let i = 0; i <= MAX_OPS_AFTER_GIVE_UP; i++) setup.raw(opOf([], [], 1, STORE_HOST));
  // Read by a start, they count as if they had been written by this one.
  await setup.begin();
  await setup.run(100);
  await isRefused(setup, place, true);
  await restart(setup);
  await isRefused(setup, place, true);
  assert.equal(setup.bodies('t'), []);
});

test('another broker has ended what was given up: its record does not say how', async () => {
  const { setup, place } = await givenUp();
  setup.raw(opOf([place.queueOffset], [], 1, STORE_HOST));
  await restart(setup);
  await isRefused(setup, place, true);
});

test('more given up together than fit the properties of one record', async () => {
  const setup = new TransactionSetup();
  await setup.begin({ settings: { transactionCheckMax: 0, transactionOpMsgMaxSize: 1_000_000 } });
  setup.held.add(OP_HALF_TOPIC);
  const places = Array.from({ length: 1_500 }, (_, i) => setup.half(`m${i}`));
  await setup.run(ROUND_MS);
  setup.held.clear();
  setup.endPuts();
  await setup.run(OPS_MS);
  assert.is(setup.rig.progress.half, 1_500);
  for (const { properties } of setup.puts.filter(({ topic }) => topic === OP_HALF_TOPIC))
    assert.ok((properties.get('RINGMQ_GIVEN_UP') ?? '').length < 20_000);
  await restart(setup);
  for (let from = 0; from < places.length; from += 500) {
    for (const place of places.slice(from, from + 500)) setup.end(place, true);
    await setup.run(100);
  }
  assert.is(setup.bodies('t').length, 1_500);
});

/** As RocketMQ copies one for a check: it does not say of which it is a copy. */
function foreign(setup: TransactionSetup, checks: number): HalfPlace {
  const properties = new Map(Object.entries({ TRAN_MSG: 'true', PGROUP: 'g', UNIQ_KEY: 'a' }));
  const half = halfOf(message({ body: Buffer.from('a'), properties, queueId: 2 }));
  if (checks > 0) half.properties.set('TRANSACTION_CHECK_TIMES', String(checks));
  return setup.raw(half);
}

for (const named of [0, 1, 2])
  test(`three copies of another broker are open, and number ${named} is named: it is committed once`, async () => {
    for (const isChecked of [false, true]) {
      const setup = new TransactionSetup();
      await setup.begin();
      const places = [0, 1, 2].map((checks) => foreign(setup, checks));
      await setup.begin();
      if (isChecked) await setup.run(ROUND_MS);
      const asked = setup.checks.length;
      assert.is(asked > 0, isChecked);
      setup.end(places[named] as HalfPlace, true);
      await setup.run(OPS_MS);
      assert.equal(
        setup.rig.answers().map(({ code, remark }) => [code, remark]),
        [DONE],
      );
      assert.equal(await setup.ended(places[named] as HalfPlace, true), BEFORE);
      for (const place of places) await setup.ended(place, true);
      await setup.run(10_000);
      assert.equal([setup.bodies('t'), setup.checks.length], [['a'], asked]);
      assert.is(setup.rig.progress.half, setup.store.maxOffset(HALF_TOPIC, 0));
    }
  });

test('after one restart more the first still leads to the copy of the copy of another broker', async () => {
  for (const isGivenUp of [false, true]) {
    const setup = new TransactionSetup();
    await setup.begin();
    const place = foreign(setup, 0);
    const offsets = { half: 1, op: 0 };
    foreign(setup, 1);
    await setup.begin({ offsets });
    await setup.run(ROUND_MS);
    assert.ok(setup.checks.length > 0);
    if (isGivenUp) await setup.run(10_000);
    assert.is(setup.bodies(TRANS_CHECK_MAX_TIME_TOPIC).length, isGivenUp ? 1 : 0);
    for (let i = 0; i < 2; i++) await restart(setup);
    assert.equal(await setup.ended(place, true), DONE);
    await setup.run(10_000);
    assert.equal(setup.bodies('t'), ['a']);
    assert.is(setup.rig.progress.half, setup.store.maxOffset(HALF_TOPIC, 0));
  }
});

test('which ends are read for what was given up', () => {
  // Positions in the log by offset.
  const queues = (givenUpAt: readonly number[], opsAt: readonly number[], minimum = 0) => ({
    minOffset: (topic: string) => (topic === OP_HALF_TOPIC ? minimum : 0),
    maxOffset: (topic: string) => (topic === OP_HALF_TOPIC ? opsAt : givenUpAt).length,
    readQueue: (topic: string, _: number, queueOffset: number) => {
      const physicalOffset = (topic === OP_HALF_TOPIC ? opsAt : givenUpAt)[queueOffset];
      return physicalOffset === undefined ? [] : [{ queueOffset, physicalOffset, size: 1, tagsCode: 0n }];
    },
  });
  const tens = Array.from({ length: 200_000 }, (_, i) => i * 10);
  const first = (givenUpAt: readonly number[], needed: number, minimum = 0) =>
    firstOpToRead(queues(givenUpAt, tens, minimum) as never, needed);
  assert.is(first([], 200_000), 200_000, 'nothing was given up');
  assert.is(first([1_999_001], 200_000), 199_901);
  assert.is(first([1_999_995], 200_000), 200_000);
  assert.is(first([1_999_001], 7), 7, 'more is needed for what is open');
  assert.is(first([5], 200_000), 200_000 - MAX_OPS_AFTER_GIVE_UP, 'too long ago');
  assert.is(first([5], 200_000, 199_000), 199_000, 'retention has taken the front');
  const many = Array.from({ length: MAX_GIVEN_UP + 1 }, (_, i) => 1_900_000 + i);
  assert.is(first(many, 200_000), 190_001, 'only so many count');
});

test.run();
