/** Shortages: a pause between tries, and two lines for the operator however long it lasts. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Shortage } from '../../../src/store/shortage.ts';

test('a shortage is told of once, pauses after each failed try, and is over with the first that works', () => {
  let now = 1000;
  const told: string[] = [];
  const shortage = new Shortage(
    'syncing',
    () => now,
    (fields, text) => void told.push(`${text} ${JSON.stringify(fields)}`),
  );
  assert.not(shortage.pausing || shortage.lasts);
  shortage.over();
  assert.equal(told, []);
  for (let i = 0; i < 5; i++) {
    shortage.met(24);
    assert.ok(shortage.pausing && shortage.lasts);
    now += 10_000;
    assert.ok(!shortage.pausing && shortage.lasts, 'time for another try');
  }
  assert.is(told.length, 1);
  assert.match(told[0] as string, /^syncing has to wait.*EMFILE/);
  shortage.over();
  shortage.over();
  assert.not(shortage.pausing || shortage.lasts);
  assert.equal(told.slice(1), ['syncing goes on {}']);
  shortage.met(24);
  assert.is(told.length, 3, 'the next one is news again');
});

test.run();
