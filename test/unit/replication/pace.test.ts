/** How fast a slave is fed, by a clock that stands until it is set. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Pace } from '../../../src/replication/master/pace.ts';

const test = suite('pace of a slave');

test('within a second there is room for the limit, and in the next for as much again', () => {
  const pace = new Pace(1000, 5_000);
  assert.is(pace.room(5_000), 1000);
  pace.sent(600);
  assert.is(pace.room(5_999), 400);
  pace.sent(600);
  assert.is(pace.room(5_999), 0, 'never less than none');
  assert.is(pace.room(6_000), 1000);
  pace.sent(10);
  assert.is(pace.room(6_999), 990);
});

test('without a limit there is always room', () => {
  const pace = new Pace(Number.POSITIVE_INFINITY, 0);
  pace.sent(2 ** 40);
  assert.is(pace.room(1), Number.POSITIVE_INFINITY);
});

test('it tells the bytes of the last whole second, and none when nothing has come since', () => {
  const pace = new Pace(Number.POSITIVE_INFINITY, 0);
  pace.sent(700);
  assert.is(pace.lastSecond(999), 0);
  assert.is(pace.lastSecond(1_000), 700);
  assert.is(pace.lastSecond(1_999), 700);
  assert.is(pace.lastSecond(2_000), 0);
  pace.sent(50);
  assert.is(pace.lastSecond(10_000), 0, 'that was seconds ago');
});

test.run();
