import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { halfOf, opOf, replacementOf } from '../../../src/delivery/transaction/half-message.ts';
import { HALF_TOPIC, OP_HALF_TOPIC } from '../../../src/lib/names.ts';
import { decodeRecord, type StoredMessage } from '../../../src/record/decode.ts';
import { message, STORE_HOST } from '../broker/support.ts';
import { type HalfPlace, OPS_MS, ROUND_MS, TransactionSetup } from './transaction-support.ts';

const test = suite('transactions after a restart');

const stored = (setup: TransactionSetup, { logOffset }: HalfPlace) =>
  decodeRecord(setup.store.recordAt(logOffset) ?? new Uint8Array(0)) as StoredMessage;
const asked = ({ checks }: TransactionSetup) => checks.map(({ uniqueKey }) => uniqueKey);

test('what has ended stays so, what is open is asked about', async () => {
  const setup = new TransactionSetup();
  await setup.begin();
  const [a, b] = [setup.half('a'), setup.half('b')];
  setup.half('c');
  await setup.ended(a, true);
  await setup.ended(b, false);
  await setup.run(OPS_MS);
  await setup.begin();
  assert.is((await setup.ended(a, true))?.[0], 604, 'it is not known that it was a commit');
  await setup.run(10_000);
  assert.equal([setup.bodies('t'), asked(setup)], [['a'], ['c', 'c', 'c']]);
});

test('ended before it was written down, it is asked about again', async () => {
  const setup = new TransactionSetup();
  await setup.begin();
  setup.held.add(OP_HALF_TOPIC);
  await setup.ended(setup.half('a'), true);
  setup.held.clear();
  await setup.begin();
  await setup.run(ROUND_MS);
  assert.ok(setup.checks.length > 0);
});

test('a copy takes the place of the one before also when the broker died before it had written so', async () => {
  const setup = new TransactionSetup();
  await setup.begin();
  const a = setup.half('a');
  const copy = setup.raw(replacementOf(stored(setup, a), 1));
  setup.raw(replacementOf(stored(setup, copy), 2));
  await setup.begin();
  setup.end(a, true);
  setup.end(copy, false);
  await setup.run(OPS_MS);
  assert.equal(
    setup.rig
      .answers()
      .map(({ remark }) => remark)
      .sort(),
    ['', 'this transaction has been committed before, nothing was done'],
  );
  await setup.run(10_000);
  assert.equal([asked(setup), setup.rig.progress.half], [[], 3]);
  assert.ok(setup.bodies('t').length <= 1);
});

test('nobody can pass for the copy of somebody else', async () => {
  const setup = new TransactionSetup();
  await setup.begin();
  setup.half('victim');
  const forged = { TRAN_PREPARED_QUEUE_OFFSET: '0', TRANSACTION_CHECK_TIMES: '99' };
  const attacker = setup.half('attacker', forged, 'other');
  await setup.begin();
  assert.equal(await setup.ended(attacker, false, { group: 'other' }), [0, '']);
  await setup.ended(attacker, false, { group: 'other' });
  await setup.run(ROUND_MS);
  assert.ok(asked(setup).includes('victim'));
});

test('ends and checks wait until all is known that was there at the start', async () => {
  const setup = new TransactionSetup();
  await setup.begin();
  const a = setup.half('a');
  await setup.ended(a, false);
  setup.dispatchTo(0);
  await setup.begin();
  setup.end(a, true);
  await setup.run(ROUND_MS);
  assert.equal([setup.rig.answers(), setup.checks, setup.rig.progress.half], [[], [], 0]);
  assert.ok(setup.rig.kind.idle, 'a stop need not wait');
  setup.dispatchTo(setup.store.maxPhysicalOffset);
  await setup.run(100);
  assert.match(setup.rig.answers()[0]?.remark ?? '', /before/);
});

for (const what of ['ops', 'op', 'halves', 'half'] as const) {
  test(`${what} that cannot be read are waited for, and passed over when that lasts`, async () => {
    for (const heals of [true, false]) {
      const setup = new TransactionSetup();
      await setup.begin();
      const a = setup.half('a');
      const b = setup.half('b');
      await setup.ended(a, false);
      const [op] = setup.store.readQueue(OP_HALF_TOPIC, 0, 0, 1);
      const bad = { ops: OP_HALF_TOPIC, op: op?.physicalOffset ?? 0, halves: HALF_TOPIC, half: b.logOffset };
      setup.unreadable.add(bad[what]);
      await setup.begin();
      await setup.run(5_000);
      assert.equal([setup.checks, setup.rig.progress.half], [[], 0]);
      if (heals) setup.unreadable.clear();
      await setup.run(heals ? 2_000 : 40_000);
      if (heals) {
        await setup.run(3_000);
        assert.ok(
          asked(setup).length > 0 && asked(setup).every((name) => name === 'b'),
          String(asked(setup)),
        );
        continue;
      }
      assert.ok(setup.errors.some((text) => /passed over/.test(text)));
      setup.unreadable.clear();
      const c = setup.half('c');
      assert.equal(await setup.ended(c, true), [0, '']);
    }
  });
}

test('offsets beyond their queues begin anew, and what the op queue names has ended', async () => {
  for (const offsets of [
    { half: 1_000, op: 0 },
    { half: 0, op: 1_000 },
    { half: 2, op: 50 },
  ]) {
    const setup = new TransactionSetup();
    await setup.begin();
    const a = setup.half('a');
    setup.half('b');
    await setup.ended(a, false);
    await setup.begin({ offsets });
    await setup.run(100);
    assert.equal(setup.rig.progress, { half: 1, op: 1 }, JSON.stringify(offsets));
    assert.ok(setup.errors.includes('offsets of transactions were outside of their queues'));
    await setup.run(ROUND_MS);
    assert.ok(asked(setup).every((name) => name === 'b'));
  }
});

test('retention that takes the front of the half queue meanwhile does not stop the recovery', async () => {
  const setup = new TransactionSetup();
  await setup.begin();
  for (const name of ['a', 'b', 'c']) setup.half(name);
  const begun = setup.begin();
  setup.store.minimum.set(`${HALF_TOPIC}/0`, 2);
  await begun;
  await setup.run(ROUND_MS);
  assert.ok(asked(setup).length > 0 && asked(setup).every((name) => name === 'c'), String(asked(setup)));
});

test('an op message may name more than a call takes arguments', async () => {
  const setup = new TransactionSetup();
  await setup.begin();
  setup.half('a');
  const op = opOf([0], [], 1, STORE_HOST);
  setup.raw({ ...op, body: Buffer.from('0,'.repeat(400_000)) });
  await setup.begin();
  await setup.run(100);
  assert.is(setup.rig.progress.half, 1);
});

test('what RocketMQ has copied without saying of what is asked about by itself', async () => {
  const setup = new TransactionSetup();
  await setup.begin();
  const properties = new Map([
    ['TRAN_MSG', 'true'],
    ['PGROUP', 'g'],
    ['UNIQ_KEY', 'a'],
  ]);
  const half = halfOf(message({ properties, queueId: 2 }));
  half.properties.set('TRANSACTION_CHECK_TIMES', '2');
  setup.raw(half);
  await setup.begin();
  await setup.run(10_000);
  assert.equal([asked(setup), setup.rig.progress.half], [['a'], 2]);
});

test.run();
