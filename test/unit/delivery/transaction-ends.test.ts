import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { FigureTotals } from '../../../src/delivery/figures.ts';
import { HALF_TOPIC, OP_HALF_TOPIC, TRANS_CHECK_MAX_TIME_TOPIC } from '../../../src/lib/names.ts';
import { type CounterName, counterPlace } from '../../../src/ring/counters.ts';
import { message } from '../broker/support.ts';
import { OPS_MS, ROUND_MS, TransactionSetup } from './transaction-support.ts';

const test = suite('ends of transactions');

async function begun(): Promise<TransactionSetup> {
  const setup = new TransactionSetup();
  await setup.begin();
  return setup;
}

const DONE: [number, string] = [0, ''];
const BEFORE: [number, string] = [0, 'this transaction has been ended before, nothing was done'];

test('a commit puts the message where it was to go, a rollback nothing; both are written down', async () => {
  const setup = await begun();
  const [a, b] = [setup.half('a'), setup.half('b')];
  assert.equal(await setup.ended(a, true), DONE);
  assert.equal(await setup.ended(b, false), DONE);
  await setup.run(OPS_MS);
  assert.equal(setup.bodies('t'), ['a']);
  const committed = setup.puts.find(({ topic }) => topic === 't');
  assert.equal([committed?.sysFlag, committed?.preparedTransactionOffset], [8, a.logOffset]);
  assert.equal(setup.bodies(OP_HALF_TOPIC).join('').split(',').filter(Boolean).sort(), ['0', '1']);
  assert.equal(setup.rig.progress, { half: 2, op: setup.bodies(OP_HALF_TOPIC).length });
});

test('said again, or otherwise, an end changes nothing', async () => {
  const setup = await begun();
  const a = setup.half('a');
  assert.equal(await setup.ended(a, true), DONE);
  assert.equal(await setup.ended(a, true), BEFORE);
  assert.is((await setup.ended(a, false))?.[0], 604);
  await setup.run(OPS_MS);
  assert.equal(await setup.ended(a, true), BEFORE);
  assert.equal(setup.bodies('t'), ['a']);
});

test('each outcome is counted once, however often it is said, and so is what is open', async () => {
  const setup = await begun();
  const count = (name: CounterName) => setup.rig.counters.get(counterPlace(name));
  const [a, b] = [setup.half('a'), setup.half('b')];
  setup.half('c');
  await setup.ended(a, true);
  await setup.ended(a, true);
  await setup.ended(b, false);
  await setup.run(OPS_MS);
  assert.equal([count('transactionsCommitted'), count('transactionsRolledBack')], [1, 1]);
  assert.equal([count('transactionsOpen'), count('transactionsGivenUp')], [1, 0]);
  const { counts, observed } = setup.rig.figures.take() ?? {};
  assert.equal(counts, [
    ['commits', 't', 1],
    ['rollbacks', 't', 1],
  ]);
  assert.equal(
    observed?.map(([figure, topic]) => [figure, topic]),
    [['committed', 't']],
  );
});

test('what has been open for a while is counted by its topic, until it ends', async () => {
  const setup = await begun();
  const totals = new FigureTotals();
  const open = async () => {
    await setup.run(2_000);
    const told = setup.rig.figures.take();
    if (told !== undefined) totals.add(told);
    return totals.totals('halves').get('t');
  };
  const [a, b] = [setup.half('a'), setup.half('b')];
  await setup.ended(setup.half('at once'), true);
  assert.is(await open(), 2);
  await setup.ended(a, true);
  assert.is(await open(), 1);
  await setup.ended(b, false);
  assert.is(await open(), 0);
});

test('a second end hears no success before the first has had it', async () => {
  const setup = await begun();
  const a = setup.half('a');
  setup.held.add('t');
  setup.end(a, true);
  setup.end(a, true);
  await setup.run(50);
  assert.equal(setup.rig.answers(), []);
  setup.refused.set('t', 1);
  setup.endPuts();
  setup.held.clear();
  assert.equal(setup.rig.answers(), []);
  setup.rig.work();
  assert.equal(
    setup.rig.answers().map(({ code }) => code),
    [1],
    'the first one',
  );
  setup.refused.clear();
  await setup.run(50);
  assert.equal(
    setup.rig.answers().map(({ code, remark }) => [code, remark]),
    [DONE],
  );
  assert.equal(setup.bodies('t'), ['a']);
});

test('what does not fit the half message is refused, and ends nothing', async () => {
  const setup = await begun();
  const [a, b] = [setup.half('a'), setup.half('b')];
  const plain = setup.raw(message({ topic: 't', queueId: 2 }));
  for (const logOffset of [1_000_000, -1])
    assert.equal(await setup.ended({ ...a, logOffset }, true), [
      1,
      'Find prepared transaction message failed',
    ]);
  assert.match((await setup.ended({ ...a, logOffset: a.logOffset + 1 }, true))?.[1] ?? '', /failed/);
  assert.match(
    (await setup.ended({ ...a, queueOffset: b.queueOffset }, true))?.[1] ?? '',
    /table offset wrong/,
  );
  assert.match((await setup.ended(a, true, { group: 'other' }))?.[1] ?? '', /producer group wrong/);
  assert.match((await setup.ended(plain, true))?.[1] ?? '', /no half message/);
  await setup.run(OPS_MS);
  assert.equal([setup.bodies(OP_HALF_TOPIC), setup.rig.progress.half], [[], 0]);
});

test('a record that the half queue does not name ends nothing, whatever it says of itself', async () => {
  const setup = await begun();
  const a = setup.half('a');
  const [image] = setup.store.readQueue(HALF_TOPIC, 0, 0, 1);
  // Its sender could write the position into the bytes of a body.
  setup.store.append({ ...message(), topic: HALF_TOPIC, queueId: 1 }, 1);
  const { maxPhysicalOffset } = setup.store;
  const forged = { logOffset: maxPhysicalOffset - 1, queueOffset: a.queueOffset };
  const recordAt = setup.store.recordAt.bind(setup.store);
  setup.store.recordAt = (position) =>
    position === forged.logOffset ? recordAt(image?.physicalOffset ?? 0) : recordAt(position);
  setup.dispatchTo(maxPhysicalOffset);
  assert.match((await setup.ended(forged, true))?.[1] ?? '', /no half message/);
  assert.equal(setup.bodies('t'), []);
});

test('the time is over in which only its sender may end it, but for the answer to a check', async () => {
  const setup = await begun();
  const a = setup.half('a', { CHECK_IMMUNITY_TIME_IN_SECONDS: '5' });
  setup.time.jump(6_000);
  assert.is((await setup.ended(a, true))?.[0], 604);
  assert.equal(await setup.ended(a, true, { answersCheck: true }), DONE);
});

test('an end waits for what is not dispatched, and costs no reads meanwhile', async () => {
  const setup = await begun();
  const a = setup.half('a');
  setup.dispatchTo(a.logOffset);
  setup.end(a, true);
  await setup.run(100);
  assert.equal([setup.rig.answers(), setup.store.reads], [[], 0]);
  setup.dispatchTo(setup.store.maxPhysicalOffset);
  await setup.run(20);
  assert.equal(setup.rig.answers().length, 1);
});

test('an end that names the first finds the copy, before and after that is taken in', async () => {
  for (const waitMs of [0, ROUND_MS]) {
    const setup = await begun();
    const a = setup.half('a');
    setup.held.add(OP_HALF_TOPIC);
    await setup.run(ROUND_MS);
    const asked = setup.checks.length;
    assert.ok(asked > 0);
    setup.end(a, true);
    await setup.run(20);
    assert.equal(setup.rig.answers(), [], 'the copy has not taken its place');
    setup.held.clear();
    setup.endPuts();
    await setup.run(20 + waitMs);
    assert.equal(
      setup.rig.answers().map(({ remark }) => remark),
      [''],
    );
    await setup.run(10_000);
    assert.equal([setup.bodies('t'), setup.checks.length], [['a'], asked]);
    assert.is(setup.rig.progress.half, asked + 1);
  }
});

test('a copy that is stored but not taken in is waited for', async () => {
  const setup = await begun();
  const a = setup.half('a');
  await setup.run(10);
  setup.held.add(OP_HALF_TOPIC);
  setup.unreadable.add(HALF_TOPIC);
  await setup.run(ROUND_MS);
  assert.is(setup.checks.length, 1);
  setup.held.clear();
  setup.endPuts();
  setup.unreadable.clear();
  setup.end(a, false);
  await setup.run(2_000);
  assert.equal(
    setup.rig.answers().map(({ remark }) => remark),
    [''],
  );
  await setup.run(5_000);
  assert.is(setup.checks.length, 1, 'nobody is asked any more');
});

test('what was given up may still be committed, once', async () => {
  const setup = new TransactionSetup();
  await setup.begin({ settings: { transactionCheckMax: 0 } });
  const a = setup.half('a');
  await setup.run(ROUND_MS);
  assert.equal(setup.bodies(TRANS_CHECK_MAX_TIME_TOPIC), ['a']);
  setup.held.add('t');
  setup.end(a, true);
  setup.end(a, true);
  await setup.run(50);
  assert.equal(setup.rig.answers(), [], 'the second does not know either');
  setup.endPuts();
  await setup.run(50);
  assert.equal(
    setup.rig.answers().map(({ remark }) => remark),
    ['', BEFORE[1]],
  );
  assert.equal(setup.bodies('t'), ['a']);
});

test('a flood of ends stays in the ring when puts do not end', async () => {
  const setup = await begun();
  setup.held.add('t');
  const places = Array.from({ length: 5_000 }, (_, i) => setup.half(`m${i}`));
  await setup.run(50);
  let taken = 0;
  for (const place of places)
    if (setup.rig.end({ ...place, commits: true, group: 'g' })) taken++;
    else {
      setup.rig.work();
      if (!setup.rig.end({ ...place, commits: true, group: 'g' })) break;
      taken++;
    }
  await setup.run(2_000);
  assert.is(setup.puts.filter(({ topic }) => topic === 't').length, 4_096);
  assert.ok(taken > 4_096, `${taken} were taken`);
  setup.held.clear();
  setup.endPuts();
  await setup.run(2_000);
  assert.is(setup.bodies('t').length, taken);
});

test('a stop leaves nobody waiting: what cannot be judged is refused, what cannot be written is asked again', async () => {
  const setup = await begun();
  const [a, b] = [setup.half('a'), setup.half('b')];
  setup.dispatchTo(b.logOffset);
  setup.refused.set(OP_HALF_TOPIC, 1);
  setup.end(a, false, { waits: false });
  setup.end(b, true);
  await setup.run(1_000);
  assert.not.ok(setup.rig.idle);
  setup.rig.kind.stop();
  await setup.run(50);
  assert.ok(setup.rig.idle);
  assert.equal(
    setup.rig.answers().map(({ code }) => code),
    [2],
  );
  assert.is(setup.rig.progress.half, 0);
  setup.refused.clear();
  setup.dispatchTo(setup.store.maxPhysicalOffset);
  await setup.begin();
  await setup.run(ROUND_MS);
  assert.equal([...new Set(setup.checks.map(({ uniqueKey }) => uniqueKey))], ['a', 'b']);
});

test.run();
