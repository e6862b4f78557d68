import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Patience } from '../../../src/ring/patience.ts';

/** What a thread does at so many opportunities when `follows` says whether work comes in time. */
function tries(patience: Patience, opportunities: number, follows: (n: number) => boolean): number {
  let tried = 0;
  for (let n = 0; n < opportunities; n++) {
    if (!patience.worthwhile()) continue;
    tried++;
    if (follows(n)) patience.rewarded();
    else patience.disappointed();
  }
  return tried;
}

test('stays awake every time while it pays', () => {
  assert.is(
    tries(new Patience(100), 1000, () => true),
    1000,
  );
});

test('seldom tries where it is always in vain, but never gives up', () => {
  const tried = tries(new Patience(100), 1700, () => false);
  assert.ok(tried >= 100 && tried < 110, `${tried} tries`);
});

test('one vain try among good ones costs one opportunity', () => {
  const patience = new Patience(100);
  assert.is(
    tries(patience, 1000, (n) => n % 100 !== 50),
    990,
  );
});

test('where it pays every other time, most opportunities are slept through', () => {
  let turn = 0;
  const tried = tries(new Patience(100), 1000, () => turn++ % 2 === 0);
  assert.ok(tried < 300, `${tried} tries`);
});

test('0 µs = never', () => {
  assert.is(
    tries(new Patience(0), 100, () => true),
    0,
  );
  assert.is(new Patience(150).millis, 0.15);
});

test.run();
