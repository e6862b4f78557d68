/** Who is closed when connections hold too much together, or hold something and move nothing. */
import * as fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Hold, HoldBudget } from '../../../src/lib/hold-budget.ts';

const test = suite('hold budget');

const LIMIT = 1000;
const OPTIONS = {
  what: 'bytes of frames',
  limit: LIMIT,
  limitName: 'MAX_TEST',
  stallMs: 10_000,
  minGrowth: 50,
};

function rig(options = OPTIONS) {
  const budget = new HoldBudget(options);
  const closed: string[] = [];
  const reasons: string[] = [];
  const hold = (name: string) =>
    new Hold((reason) => {
      closed.push(name);
      reasons.push(reason);
    });
  return { budget, closed, reasons, hold };
}

test('what all hold is the sum of what each holds, through growing, shrinking, ending and closing', () => {
  const steps = fc.array(fc.tuple(fc.nat({ max: 7 }), fc.nat({ max: 400 }), fc.nat({ max: 3 })));
  fc.assert(
    fc.property(steps, (updates) => {
      const { budget, closed, hold } = rig();
      const holds = Array.from({ length: 8 }, (_, i) => hold(String(i)));
      const expected = new Map<number, number>();
      let now = 0;
      for (const [which, bytes, unit] of updates) {
        now += 700;
        budget.update(holds[which] as Hold, bytes, unit, now);
        expected.set(which, bytes);
        budget.closeStalled(now);
        for (const name of closed) expected.delete(Number(name));
        const sizes = [...expected.values()].filter((size) => size > 0);
        assert.is(
          budget.bytes,
          sizes.reduce((sum, size) => sum + size, 0),
        );
        assert.is(budget.size, sizes.length);
        assert.ok(budget.bytes <= LIMIT);
      }
      assert.is(new Set(closed).size, closed.length, 'nobody is closed twice');
    }),
  );
});

test('a shortage closes what has held most for longest, and leaves room for others', () => {
  const { budget, closed, reasons, hold } = rig();
  const [old, large, quick, small] = ['old', 'large', 'quick', 'small'].map(hold) as [Hold, Hold, Hold, Hold];
  budget.update(old, 300, 0, 0);
  budget.update(small, 10, 0, 0);
  budget.update(large, 450, 0, 4000);
  budget.update(quick, 200, 0, 4990);
  assert.equal(closed, []);
  budget.update(quick, 290, 0, 5000);
  assert.equal(closed, ['old']);
  assert.is(budget.bytes, 750);
  assert.is(reasons[0], 'bytes of frames of all connections: more than 1000 (limit MAX_TEST)');
  budget.update(old, 500, 1, 5001);
  assert.is(budget.bytes, 750, 'who was closed holds nothing any more, whatever is still told of it');
});

test('a frame sent quickly is kept while seventy others are held back', () => {
  const { budget, closed, hold } = rig();
  const quick = hold('quick');
  for (let n = 0; n < 70; n++) {
    const slow = hold(`slow ${n}`);
    for (const step of [1, 2, 3]) budget.update(slow, step * 50, 0, n * 315 + step * 100);
    for (const step of [1, 2, 3]) budget.update(quick, step * 80, n, n * 315 + 300 + step * 5);
  }
  assert.ok(closed.length > 50);
  assert.not.ok(closed.includes('quick'));
});

test('who waits for us goes last, and only as far as it must', () => {
  const { budget, closed, hold } = rig();
  const [old, young] = [hold('old'), hold('young')];
  old.waiting = true;
  young.waiting = true;
  budget.update(old, 500, 0, 0);
  budget.update(young, 450, 0, 8000);
  budget.update(hold('unfinished'), 40, 0, 9000);
  budget.update(hold('next'), 20, 0, 9000);
  assert.equal(closed, ['unfinished', 'next']);
  assert.is(budget.bytes, 950);
  budget.update(young, 600, 0, 9001);
  assert.equal(closed, ['unfinished', 'next', 'old']);
});

test('without progress for the time it goes; a byte now and then is no progress, another frame is', () => {
  const { budget, closed, reasons, hold } = rig();
  const [silent, loris, grows, pipelines, waiting] = ['silent', 'loris', 'grows', 'pipelines', 'waiting'].map(
    hold,
  ) as [Hold, Hold, Hold, Hold, Hold];
  waiting.waiting = true;
  for (let second = 0; second <= 30; second++) {
    const now = second * 1000;
    if (second === 0) budget.update(silent, 10, 0, now);
    budget.update(loris, 10 + second, 0, now);
    budget.update(grows, 10 + second * 6, 0, now);
    budget.update(pipelines, 10, second, now);
    budget.update(waiting, 100, 0, now);
    budget.closeStalled(now);
    assert.equal(closed, second < 10 ? [] : ['silent', 'loris'], `after ${second} s`);
  }
  assert.is(reasons[0], '10 bytes of frames without progress for 10 s');
  waiting.waiting = false;
  for (let second = 31; second < 42; second++) {
    budget.update(grows, 200 + second * 6, 0, second * 1000);
    budget.update(pipelines, 10, second, second * 1000);
    budget.closeStalled(second * 1000);
  }
  assert.equal(closed, ['silent', 'loris', 'waiting']);
});

test('where growing is no progress only another unit is', () => {
  const { budget, closed, hold } = rig({ ...OPTIONS, minGrowth: Number.POSITIVE_INFINITY });
  const unread = hold('unread');
  const read = hold('read');
  for (let second = 0; second <= 20; second++) {
    budget.update(unread, 10 + second * 20, 0, second * 1000);
    budget.update(read, 10 + second * 20, second >> 2, second * 1000);
    budget.closeStalled(second * 1000);
  }
  assert.equal(closed, ['unread']);
});

test('a connection may go in any order', () => {
  const { budget, hold } = rig();
  const holds = Array.from({ length: 5 }, (_, i) => hold(String(i)));
  for (const one of holds) budget.update(one, 10, 0, 0);
  for (const i of [2, 0, 4, 4, 1]) budget.remove(holds[i] as Hold);
  assert.equal([budget.size, budget.bytes], [1, 10]);
  budget.update(holds[3] as Hold, 0, 0, 1);
  assert.equal([budget.size, budget.bytes], [0, 0]);
});

test.run();
