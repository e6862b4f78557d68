import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { HALF_TOPIC, OP_HALF_TOPIC, TRANS_CHECK_MAX_TIME_TOPIC } from '../../../src/lib/names.ts';
import { decodeRecord } from '../../../src/record/decode.ts';
import { counterPlace } from '../../../src/ring/counters.ts';
import { OPS_MS, TransactionSetup } from './transaction-support.ts';

const test = suite('checks of transactions');

const HOUR = 3_600_000;
const asked = ({ checks }: TransactionSetup) => checks.map(({ uniqueKey }) => uniqueKey);

test('who has not ended a transaction is asked, so often and no more, and then it can be read', async () => {
  const setup = new TransactionSetup();
  await setup.begin();
  const { logOffset } = setup.half('a');
  await setup.run(1_900);
  assert.equal(setup.checks, [], 'not before the timeout');
  await setup.run(10_000);
  assert.equal(asked(setup), ['a', 'a', 'a']);
  assert.equal(setup.bodies(TRANS_CHECK_MAX_TIME_TOPIC), ['a']);
  assert.equal([setup.rig.progress.half, setup.bodies(HALF_TOPIC).length], [4, 4]);
  const [check] = setup.checks;
  const message = decodeRecord(check?.record ?? new Uint8Array(0));
  assert.equal([message?.topic, message?.queueId, message?.queueOffset], ['t', 2, 1]);
  assert.is(message?.properties.get('TRANSACTION_CHECK_TIMES'), '1');
  assert.is(message?.properties.get('TRAN_PREPARED_QUEUE_OFFSET'), '0');
  assert.ok((check?.logOffset ?? 0) > logOffset);
});

test('while nobody of the group is there nothing is counted, and nothing is written', async () => {
  const setup = new TransactionSetup();
  await setup.begin();
  setup.rig.producers.set('g', false);
  setup.half('a');
  await setup.run(60_000);
  assert.equal([setup.checks.length, setup.puts.length], [0, 0]);
  setup.rig.producers.set('g', true);
  await setup.run(1_100);
  assert.equal(asked(setup), ['a']);
});

test('while nothing is open there is nothing to wake up for', async () => {
  const setup = new TransactionSetup();
  await setup.begin();
  assert.is(setup.time.waiting, 0);
  const a = setup.half('a');
  await setup.run(100);
  assert.ok(setup.time.waiting > 0);
  await setup.ended(a, true);
  await setup.run(2_000);
  assert.is(setup.time.waiting, 0);
});

test('an interval that is changed counts at once', async () => {
  const setup = new TransactionSetup();
  await setup.begin({ settings: { transactionCheckInterval: 2_000_000_000 } });
  setup.half('a');
  await setup.run(10_000);
  assert.equal(setup.checks, []);
  setup.rig.settings.transactionCheckInterval = 1;
  await setup.run(1_100);
  assert.ok(setup.checks.length > 0);
});

test('a sender is left alone as long as he asks, also when the clock was wrong', async () => {
  const setup = new TransactionSetup();
  await setup.begin();
  setup.half('a', { CHECK_IMMUNITY_TIME_IN_SECONDS: '10' });
  setup.time.jump(-365 * 24 * HOUR);
  await setup.run(9_500);
  assert.equal(setup.checks, []);
  // It is looked at first when the timeout is over, and the clock tells nothing of the time before.
  await setup.run(4_000);
  assert.ok(setup.checks.length > 0);
});

test('a copy that cannot be put is tried again; one that can never be is given up', async () => {
  const setup = new TransactionSetup();
  await setup.begin();
  setup.half('a');
  setup.refused.set(HALF_TOPIC, 1);
  await setup.run(5_000);
  assert.equal([setup.checks.length, setup.bodies(TRANS_CHECK_MAX_TIME_TOPIC)], [0, []]);
  setup.refused.set(HALF_TOPIC, 13);
  await setup.run(1_500);
  assert.equal(setup.bodies(TRANS_CHECK_MAX_TIME_TOPIC), ['a']);
  assert.is(setup.rig.progress.half, 1);
});

test('no more is asked than is taken', async () => {
  const setup = new TransactionSetup();
  await setup.begin();
  for (let i = 0; i < 100; i++) setup.half(`m${i}`);
  setup.rig.checksUnderWay = 32;
  await setup.run(5_000);
  assert.equal(setup.checks, []);
  setup.rig.checksUnderWay = 0;
  await setup.run(1_500);
  assert.ok(setup.checks.length >= 100);
});

test('of a group that is gone the oldest are given up when too many are open, all that are too many', async () => {
  const setup = new TransactionSetup();
  await setup.begin({ limits: { maxOpenHalves: 100, maxHalvesSpan: 100_000 } });
  setup.rig.producers.set('g', false);
  for (let i = 0; i < 3_000; i++) setup.half(`m${i}`, { CHECK_IMMUNITY_TIME_IN_SECONDS: '1000000' });
  await setup.run(10_000);
  const given = setup.bodies(TRANS_CHECK_MAX_TIME_TOPIC);
  assert.equal([given.length, given[0], given.at(-1)], [2_900, 'm0', 'm2899']);
  assert.equal([setup.rig.progress.half, setup.bodies('t').length], [2_900, 0]);
  assert.is(setup.rig.counters.get(counterPlace('transactionsGivenUp')), 2_900);
});

test('what lies too far from the end of its queue is moved there, and its time is kept', async () => {
  const setup = new TransactionSetup();
  await setup.begin({ limits: { maxOpenHalves: 1_000, maxHalvesSpan: 50 } });
  setup.rig.producers.set('g', false);
  const places = [setup.half('a'), setup.half('b')];
  for (let i = 0; i < 100; i++) places.push(setup.half(`m${i}`));
  await setup.run(100);
  for (const place of places.slice(2)) setup.end(place, false, { waits: false });
  await setup.run(2_000);
  assert.equal(setup.bodies(HALF_TOPIC).slice(102), ['a', 'b']);
  assert.is(setup.rig.progress.half, 102);
  assert.equal(await setup.ended(places[0] ?? { logOffset: 0, queueOffset: 0 }, true), [0, '']);
  setup.rig.producers.set('g', true);
  await setup.run(1_100);
  assert.equal([setup.bodies('t'), asked(setup)], [['a'], ['b']]);
});

test('all that lie in files which will be deleted are moved in one round', async () => {
  const setup = new TransactionSetup();
  await setup.begin({ settings: { fileReservedTime: 72 } });
  setup.rig.producers.set('g', false);
  for (let i = 0; i < 50; i++) setup.half(`m${i}`);
  setup.time.jump(19 * HOUR);
  setup.half('young');
  await setup.run(1_500);
  assert.equal([setup.bodies(HALF_TOPIC).length, setup.rig.progress.half], [101, 50]);
  await setup.run(60_000);
  assert.is(setup.bodies(HALF_TOPIC).length, 101, 'the copies are young');
});

test('what cannot be read waits; only where too many are open it holds nobody up', async () => {
  const setup = new TransactionSetup();
  await setup.begin({ limits: { maxOpenHalves: 2, maxHalvesSpan: 100 } });
  const bad = setup.half('bad');
  setup.unreadable.add(bad.logOffset);
  setup.time.jump(19 * HOUR);
  await setup.run(5_000);
  assert.equal([setup.rig.progress.half, setup.checks.length], [0, 0]);
  setup.rig.producers.set('g', false);
  for (const name of ['a', 'b', 'c']) setup.half(name);
  await setup.run(3_000);
  assert.equal([setup.rig.progress.half, setup.bodies(TRANS_CHECK_MAX_TIME_TOPIC)], [2, ['a']]);
  assert.ok(setup.errors.includes('a half message cannot be read, and its transaction is given up'));
});

test('what is gone from the log holds nobody up, and the log says so', async () => {
  const setup = new TransactionSetup();
  await setup.begin();
  setup.rig.producers.set('g', false);
  const { logOffset } = setup.half('a');
  const recordAt = setup.store.recordAt.bind(setup.store);
  setup.store.recordAt = (position) => (position === logOffset ? undefined : recordAt(position));
  await setup.run(1_500);
  assert.is(setup.rig.progress.half, 1);
  assert.ok(setup.errors.includes('a half message is gone from the log before its end'));
});

test('half messages beyond what is kept in mind wait in their queue, and come in when others leave', async () => {
  const setup = new TransactionSetup();
  await setup.begin({ limits: { maxOpenHalves: 10, maxHalvesSpan: 1_000 } });
  setup.rig.producers.set('g', false);
  setup.refused.set(TRANS_CHECK_MAX_TIME_TOPIC, 1);
  const places = Array.from({ length: 3_000 }, (_, i) => setup.half(`m${i}`));
  await setup.run(2_000);
  const last = places.at(-1) ?? { logOffset: 0, queueOffset: 0 };
  setup.end(last, true);
  await setup.run(1_000);
  assert.equal(setup.rig.answers(), []);
  setup.refused.clear();
  await setup.run(20_000);
  assert.equal(
    setup.rig.answers().map(({ remark }) => remark),
    [''],
  );
  assert.equal(setup.bodies('t'), ['m2999']);
});

test('ends are written one message after the other, in their order, also when one fails', async () => {
  const setup = new TransactionSetup();
  await setup.begin();
  const [a, b] = [setup.half('a'), setup.half('b')];
  await setup.run(20);
  setup.held.add(OP_HALF_TOPIC);
  setup.end(a, false);
  await setup.run(20);
  setup.end(b, false);
  await setup.run(OPS_MS);
  const ops = () => setup.puts.filter(({ topic }) => topic === OP_HALF_TOPIC).map(({ body }) => String(body));
  assert.equal(ops(), ['0,']);
  setup.refused.set(OP_HALF_TOPIC, 1);
  setup.endPuts();
  setup.refused.clear();
  setup.held.clear();
  await setup.run(OPS_MS);
  assert.equal(ops(), ['0,', '0,1,']);
  assert.is(setup.rig.answers().length, 2);
});

test('ends that are refused at once are tried again with pauses', async () => {
  const setup = new TransactionSetup();
  await setup.begin({ settings: { transactionOpMsgMaxSize: 32 } });
  setup.refused.set(OP_HALF_TOPIC, 1);
  for (let i = 0; i < 5; i++) setup.end(setup.half(`m${i}`), false);
  await setup.run(1_000);
  const tries = setup.puts.length;
  assert.ok(tries > 1 && tries < 10, `${tries} tries`);
  setup.refused.clear();
  await setup.run(2_000);
  assert.is(setup.rig.answers().length, 5);
});

test.run();
