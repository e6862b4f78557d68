import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Recent } from '../../../src/lib/recent.ts';

const test = suite('what was set last');

test('the last ones are there, and not many more', () => {
  const recent = new Recent<number, string>(100);
  for (let i = 0; i < 10_000; i++) {
    recent.set(i, String(i));
    for (const before of [0, 50, 99]) {
      const key = i - before;
      assert.is(recent.get(key), key < 0 ? undefined : String(key));
    }
    assert.ok(recent.size < 200);
  }
  assert.is(recent.get(9_000), undefined);
});

test('what is set again has the new value', () => {
  const recent = new Recent<string, number>(4);
  for (const value of [1, 2]) {
    recent.set('a', value);
    for (let i = 0; i < 3; i++) recent.set(`${value} ${i}`, 0);
  }
  assert.is(recent.get('a'), 2);
});

test.run();
