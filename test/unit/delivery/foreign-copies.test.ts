// Copies of half messages that RocketMQ has made do not name the first one, and are known by what the producer said.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Copies } from '../../../src/delivery/transaction/copies.ts';
import type { HalfMessage } from '../../../src/delivery/transaction/half-message.ts';
import { MAX_GIVEN_UP } from '../../../src/lib/limits.ts';

const test = suite('copies that another broker has made');

function half(queueOffset: number, more: Record<string, string> = {}, bornTimestamp = 1_000): HalfMessage {
  const properties = new Map(Object.entries({ PGROUP: 'shop', UNIQ_KEY: 'U1', ...more }));
  return { properties, queueOffset, bornTimestamp };
}

const CHECKED = { TRANSACTION_CHECK_TIMES: '2' };

test('the first one leads to the copy, the copy to its newest copy', () => {
  const copies = new Copies();
  assert.is(copies.foreign.of(half(0)), undefined);
  copies.foreign.meet(half(7, CHECKED));
  assert.is(copies.foreign.of(half(0)), 7);
  copies.add(7, 9);
  copies.hasEnded(7); // its place was taken
  assert.is(copies.foreign.of(half(0)), 7);
  assert.is(copies.newestOf(7), 9);
  copies.hasEnded(9);
  assert.is(copies.foreign.of(half(0)), undefined, 'the transaction is over');
});

test('a copy that ends itself is forgotten', () => {
  const copies = new Copies();
  copies.foreign.meet(half(7, CHECKED));
  copies.hasEnded(7);
  assert.is(copies.foreign.of(half(0)), undefined);
});

test('one that was given up is known while its producer may end it', () => {
  const copies = new Copies();
  copies.foreign.meet(half(7, CHECKED));
  copies.giveUp(7, 0);
  copies.hasEnded(7);
  assert.is(copies.foreign.of(half(0)), 7);
  for (let first = 100; first < 100 + MAX_GIVEN_UP; first++) copies.giveUp(first, 0);
  assert.not(copies.isGivenUp(7, 0));
  assert.is(copies.foreign.of(half(0)), undefined);
});

test('one that was given up is forgotten when its producer ends it', () => {
  const copies = new Copies();
  copies.foreign.meet(half(7, CHECKED));
  copies.giveUp(7, 0);
  copies.endLate(7);
  assert.is(copies.foreign.of(half(0)), undefined);
});

test('the copy says that the one before has left its place, in whichever order they are met', () => {
  const [first, copy, newest] = [half(0), half(7, { TRANSACTION_CHECK_TIMES: '1' }), half(9, CHECKED)];
  const met = (...halves: HalfMessage[]) => {
    const { foreign } = new Copies();
    return halves.map((one) => foreign.meet(one));
  };
  assert.equal(met(newest, newest, copy, first), [undefined, undefined, 7, 0]);
  assert.equal(met(copy, newest), [undefined, 7]);
  assert.equal(met(half(5), half(3)), [undefined, undefined], 'two that nobody has checked are two');
});

test('what was resumed is a transaction of its own', () => {
  const copies = new Copies();
  copies.foreign.meet(half(7, CHECKED));
  assert.is(copies.foreign.meet(half(8, { TRANSACTION_CHECK_TIMES: '0' })), undefined);
  assert.equal([copies.foreign.of(half(8)), copies.foreign.of(half(7))], [undefined, 7]);
});

test('the newest of several counts', () => {
  const copies = new Copies();
  for (const offset of [7, 8]) copies.foreign.meet(half(offset, CHECKED));
  copies.hasEnded(7);
  assert.is(copies.foreign.of(half(0)), 8);
});

test('what is no copy, or our own, and what another message of the same key says, do not count', () => {
  const copies = new Copies();
  copies.foreign.meet(half(7));
  copies.foreign.meet(half(7, { ...CHECKED, TRAN_PREPARED_QUEUE_OFFSET: '3' }));
  assert.is(copies.foreign.of(half(0)), undefined);
  copies.foreign.meet(half(7, CHECKED));
  assert.is(copies.foreign.of(half(0, {}, 1_001)), undefined, 'sent again at another time');
  assert.is(copies.foreign.of(half(0, { PGROUP: 'other' })), undefined);
  assert.is(copies.foreign.of(half(0, { UNIQ_KEY: 'U2' })), undefined);
});

test.run();
