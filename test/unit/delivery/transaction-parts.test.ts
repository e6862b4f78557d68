import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Copies } from '../../../src/delivery/transaction/copies.ts';
import {
  checkTimesOf,
  committedOf,
  firstOffsetOf,
  givenUpIn,
  givenUpOf,
  halfOf,
  immunityOf,
  isHalf,
  offsetsIn,
  opOf,
  replacementOf,
  resumedOf,
} from '../../../src/delivery/transaction/half-message.ts';
import { OpProgress } from '../../../src/delivery/transaction/op-progress.ts';
import { ENDED, HELD, OPEN, OpenHalves } from '../../../src/delivery/transaction/open-halves.ts';
import { COMMITTED, Outcomes, ROLLED_BACK, UNKNOWN } from '../../../src/delivery/transaction/outcomes.ts';
import { groupHash, ProducersOnline } from '../../../src/delivery/transaction/producers-online.ts';
import { MAX_GIVEN_UP, MAX_OPS_AFTER_GIVE_UP } from '../../../src/lib/limits.ts';
import { HALF_TOPIC, OP_HALF_TOPIC, TRANS_CHECK_MAX_TIME_TOPIC } from '../../../src/lib/names.ts';
import { decodeRecord, type StoredMessage } from '../../../src/record/decode.ts';
import type { InternalMessage } from '../../../src/store/put/put-message.ts';
import { FakeStore, message, STORE_HOST } from '../broker/support.ts';

const test = suite('parts of transactions');

function storedOf(put: InternalMessage, store = new FakeStore()): StoredMessage {
  return decodeRecord(store.append(put, 1_000).record) as StoredMessage;
}

const sent = (properties: Record<string, string> = {}) =>
  message({
    queueId: 3,
    properties: new Map(Object.entries({ TRAN_MSG: 'true', UNIQ_KEY: 'k', ...properties })),
  });

test('open half messages: the first one moves when all before it have ended', () => {
  const halves = new OpenHalves(100);
  for (let i = 0; i < 4; i++) halves.add(i * 10, i, false);
  assert.equal([halves.first, halves.end, halves.size], [100, 104, 4]);
  assert.equal([halves.position(102), halves.due(102), halves.state(102)], [20, 2, OPEN]);
  halves.set(102, HELD);
  halves.hasEnded(101);
  halves.hasEnded(101);
  assert.equal([halves.first, halves.size, halves.state(101), halves.state(102)], [100, 3, ENDED, HELD]);
  halves.hasEnded(100);
  assert.equal([halves.first, halves.size], [102, 2]);
  halves.set(101, OPEN);
  assert.is(halves.state(101), ENDED, 'what has ended stays so');
  assert.equal(
    [halves.state(99), halves.state(104), halves.position(104), halves.due(99)],
    [0, 0, -1, Infinity],
  );
});

test('open half messages: memory comes and goes with them, and all stay what they are', () => {
  const halves = new OpenHalves(0);
  const count = 100_000;
  for (let i = 0; i < count; i++) {
    halves.add(i, i, i % 3 === 1);
    halves.setGroup(i, i);
  }
  assert.is(halves.capacity, 131_072);
  for (let i = 0; i < count - 10; i++) halves.hasEnded(i);
  assert.equal([halves.first, halves.capacity], [count - 10, 2_048]);
  for (let i = halves.first; i < halves.end; i++) {
    const expected = i % 3 === 1 ? ENDED : OPEN;
    assert.equal([halves.state(i), halves.position(i), halves.due(i), halves.group(i)], [expected, i, i, i]);
  }
});

test('open half messages: a gap costs nothing where nothing is open', () => {
  const halves = new OpenHalves(5);
  halves.skipTo(9_000_000_000);
  assert.equal([halves.first, halves.end, halves.capacity], [9_000_000_000, 9_000_000_000, 1_024]);
  halves.add(7, 1, false);
  halves.skipTo(9_000_000_004);
  assert.equal([halves.first, halves.end, halves.size], [9_000_000_000, 9_000_000_004, 1]);
  assert.is(halves.position(9_000_000_000), 7);
  halves.hasEnded(9_000_000_000);
  assert.is(halves.first, 9_000_000_004);
});

test('copies: the newest takes the place of those before', () => {
  const copies = new Copies();
  copies.add(1, 5);
  copies.add(1, 9);
  copies.hasEnded(5);
  assert.is(copies.newestOf(1), 9);
  copies.hasEnded(9);
  assert.is(copies.newestOf(1), undefined);
  copies.expect(12, 77);
  assert.equal([copies.met(12), copies.met(12), copies.met(13)], [77, undefined, undefined]);
});

test('copies: of those that were given up the last ten thousand are known', () => {
  const copies = new Copies();
  for (let i = 0; i <= MAX_GIVEN_UP; i++) copies.giveUp(i, 5);
  const known = [0, 1, MAX_GIVEN_UP].map((first) => copies.isGivenUp(first, 5));
  assert.equal([known, copies.givenUp().length], [[false, true, true], MAX_GIVEN_UP]);
  copies.endLate(1);
  assert.not.ok(copies.isGivenUp(1, 5));
});

test('copies: what a start would not find any more is not known before it either', () => {
  const copies = new Copies();
  copies.giveUp(1, 5);
  const opEnds = [5, 5 + MAX_OPS_AFTER_GIVE_UP, 6 + MAX_OPS_AFTER_GIVE_UP];
  assert.equal(
    opEnds.map((opEnd) => copies.isGivenUp(1, opEnd)),
    [true, true, false],
  );
});

test('outcomes: of the last offsets, and of no others', () => {
  const outcomes = new Outcomes(8);
  assert.equal([outcomes.of(0), outcomes.of(-1)], [UNKNOWN, UNKNOWN]);
  outcomes.note(1, COMMITTED);
  outcomes.note(3, ROLLED_BACK);
  outcomes.note(2 ** 40 + 3, COMMITTED);
  const all = [1, 3, 2 ** 40 + 1, 2 ** 40 + 3, 2 ** 40 + 4].map((offset) => outcomes.of(offset));
  assert.equal(all, [UNKNOWN, UNKNOWN, UNKNOWN, COMMITTED, UNKNOWN]);
  outcomes.note(3, ROLLED_BACK);
  assert.is(outcomes.of(3), UNKNOWN, 'too long ago');
  outcomes.note(2 ** 40 + 10, ROLLED_BACK);
  assert.equal([outcomes.of(2 ** 40 + 3), outcomes.of(2 ** 40 + 2)], [COMMITTED, UNKNOWN]);
  outcomes.note(2 ** 40 + 11, ROLLED_BACK);
  assert.is(outcomes.of(2 ** 40 + 3), UNKNOWN);
});

test('progress of the op queue: from the first message that names something open on', () => {
  const progress = new OpProgress();
  progress.startAt(10);
  assert.is(progress.needed(0), 10);
  for (let i = 0; i < 64; i++) progress.note(10 + i, i);
  progress.note(74, 200);
  progress.note(75, 100);
  assert.equal([progress.needed(0), progress.needed(63)], [10, 10]);
  assert.equal([progress.needed(64), progress.needed(200)], [74, 74]);
  assert.is(progress.needed(201), 76);
  progress.note(76, 300);
  assert.equal([progress.needed(300), progress.needed(301)], [76, 77]);
});

test('producers: groups of one hash are told apart', () => {
  const producers = new ProducersOnline();
  assert.is(groupHash('Aa'), groupHash('BB'));
  producers.set('Aa', true);
  producers.set('Aa', true);
  producers.set('BB', true);
  producers.set('BB', false);
  assert.equal(
    [producers.has('Aa'), producers.has('BB'), producers.mayHave(groupHash('BB'))],
    [true, false, true],
  );
  producers.set('Aa', false);
  producers.set('Aa', false);
  assert.not.ok(producers.mayHave(groupHash('Aa')));
  assert.is(groupHash(''), 1, 'never 0');
});

test('forms: half, copy, committed, given up, resumed', () => {
  const original = sent({ TRANSACTION_CHECK_TIMES: '7', TRAN_PREPARED_QUEUE_OFFSET: '3', DELAY: '2' });
  const half = halfOf({ ...original, sysFlag: 0xd });
  assert.equal([half.topic, half.queueId, half.sysFlag], [HALF_TOPIC, 0, 1]);
  const own = {
    TRAN_MSG: 'true',
    UNIQ_KEY: 'k',
    DELAY: '2',
    __transactionId__: 'k',
    REAL_TOPIC: 't',
    REAL_QID: '3',
  };
  assert.equal(Object.fromEntries(half.properties), own);
  assert.is(original.properties.get('TRANSACTION_CHECK_TIMES'), '7', 'the original is left alone');

  const store = new FakeStore();
  storedOf(half, store);
  const first = storedOf(half, store);
  const copy = storedOf(replacementOf(first, 1), store);
  assert.equal(
    [first.queueOffset, firstOffsetOf(first), firstOffsetOf(copy), checkTimesOf(copy)],
    [1, 1, 1, 1],
  );
  assert.is(firstOffsetOf(storedOf(replacementOf(copy, 2), store)), 1, 'of a copy too');

  const taken = { ...copy, properties: new Map(copy.properties) };
  const committed = committedOf(taken, 99) as InternalMessage;
  assert.equal([committed.topic, committed.queueId, committed.sysFlag], ['t', 3, 9]);
  assert.is(committed.preparedTransactionOffset, 99);
  for (const name of ['REAL_TOPIC', 'REAL_QID', 'TRAN_PREPARED_QUEUE_OFFSET'])
    assert.not.ok(committed.properties.has(name), name);
  assert.is(committedOf(storedOf(message()), 1), 'it names no real topic and queue');

  const givenUp = givenUpOf(copy);
  assert.equal([givenUp.topic, givenUp.queueId], [TRANS_CHECK_MAX_TIME_TOPIC, 0]);
  const resumed = resumedOf(storedOf(givenUp)) as InternalMessage;
  assert.equal([resumed.topic, resumed.properties.get('TRANSACTION_CHECK_TIMES')], [HALF_TOPIC, '0']);
  assert.not.ok(resumed.properties.has('TRAN_PREPARED_QUEUE_OFFSET'));
  assert.is(resumedOf(storedOf({ ...half, topic: 'other' })), 'it is no half message');
});

test('a copy of what lies behind it is none', () => {
  const half = halfOf(sent());
  half.properties.set('TRAN_PREPARED_QUEUE_OFFSET', '77');
  assert.is(firstOffsetOf(storedOf(half)), 0);
  half.properties.set('TRAN_PREPARED_QUEUE_OFFSET', '-1');
  assert.is(firstOffsetOf(storedOf(half)), 0);
});

test('what makes a half message, and how long its sender is left alone', () => {
  for (const [text, expected] of [
    ['true', true],
    ['TRUE', true],
    ['false', false],
    ['1', false],
  ] as const)
    assert.is(isHalf(new Map([['TRAN_MSG', text]])), expected, text);
  assert.not.ok(isHalf(new Map()));
  const immunity = (text?: string) =>
    immunityOf(
      storedOf(halfOf(sent(text === undefined ? {} : { CHECK_IMMUNITY_TIME_IN_SECONDS: text }))),
      6_000,
    );
  assert.equal([undefined, '60', '1', 'x', '-5', '9'.repeat(30)].map(immunity), [
    undefined,
    60_000,
    6_000,
    6_000,
    6_000,
    6_000,
  ]);
});

test('op messages name offsets, and what is none is left out', () => {
  const op = opOf([3, 12], [], 5, STORE_HOST);
  assert.equal([op.topic, op.properties.get('TAGS'), String(op.body)], [OP_HALF_TOPIC, 'd', '3,12,']);
  assert.equal([offsetsIn(op), givenUpIn(op), op.properties.size], [[3, 12], [], 2]);
  assert.equal(givenUpIn(opOf([3, 12], [1, 12], 5, STORE_HOST)), [1, 12]);
  assert.equal(offsetsIn({ body: Buffer.from('7') }), [7], 'as RocketMQ 4 writes them');
  assert.equal(offsetsIn({ body: Buffer.from('x,,-1,1e3, 5,6') }), [6]);
});

test.run();
