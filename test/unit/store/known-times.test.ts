// Store times that are read once, and what is forgotten of them.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { KnownTimes } from '../../../src/store/read/known-times.ts';

const test = suite('known store times');

test('the last four of a queue are known, each under its own offset', () => {
  const times = new KnownTimes();
  assert.is(times.get(1, 0), undefined);
  for (let offset = 0; offset < 6; offset++) times.note(1, offset, 1_000 + offset);
  times.note(2, 0, 7);
  const known = [0, 1, 2, 3, 4, 5, 6].map((offset) => times.get(1, offset));
  assert.equal(known, [undefined, undefined, 1_002, 1_003, 1_004, 1_005, undefined]);
  assert.is(times.get(2, 0), 7);
});

test('what is known of a queue goes with it', () => {
  const times = new KnownTimes();
  times.note(1, 5, 1_000);
  times.note(2, 5, 2_000);
  times.forget(1);
  assert.equal([times.get(1, 5), times.get(2, 5)], [undefined, 2_000]);
});

test.run();
