/** Targets of resets, what they skip or repeat, and how far a group is behind. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { messagesBehind, nextOffset, timesBehind } from '../../../../src/cli/admin/lag.ts';
import { resetStep, resetTargetOf } from '../../../../src/cli/admin/reset-plan.ts';
import { shareOf } from '../../../../src/cli/admin/share.ts';

const test = suite('resets and shares');

test('targets', () => {
  assert.equal(resetTargetOf('earliest'), { kind: 'earliest' });
  assert.equal(resetTargetOf('latest'), { kind: 'latest' });
  assert.equal(resetTargetOf('+10'), { kind: 'by', amount: 10 });
  assert.equal(resetTargetOf('-10'), { kind: 'by', amount: -10 });
  assert.equal(resetTargetOf('4711'), { kind: 'offset', offset: 4711 });
  assert.equal(resetTargetOf('1769877000000'), { kind: 'time', time: 1_769_877_000_000 });
  assert.is(resetTargetOf('2026-01-31').kind, 'time');
  assert.throws(
    () => resetTargetOf('first'),
    /^--to first is not possible: give earliest, latest, an offset/,
  );
});

test('a target is kept within what the queue holds', () => {
  const holds = { min: 5, max: 20 };
  assert.equal(resetStep(10, 15, holds), { from: 10, to: 15, skipped: 5, repeated: 0 });
  assert.equal(resetStep(10, 7, holds), { from: 10, to: 7, skipped: 0, repeated: 3 });
  assert.equal(resetStep(10, 0, holds), { from: 10, to: 5, skipped: 0, repeated: 5 });
  assert.equal(resetStep(10, 99, holds), { from: 10, to: 20, skipped: 10, repeated: 0 });
  assert.equal(resetStep(10, 10, holds), { from: 10, to: 10, skipped: 0, repeated: 0 });
});

test('lag: nothing committed, expired messages, clocks that differ', () => {
  assert.is(nextOffset({ committed: undefined, min: 5 }), 5);
  assert.is(nextOffset({ committed: 3, min: 5 }), 5);
  assert.is(messagesBehind({ committed: 7, min: 5, max: 20 }), 13);
  assert.is(messagesBehind({ committed: undefined, min: 5, max: 20 }), 15);
  assert.is(messagesBehind({ committed: 25, min: 5, max: 20 }), 0);
  assert.equal(timesBehind({ lastStored: 1_500 }, 1_000, 2_000), { waitsMs: 1_000, behindLastMs: 500 });
  assert.equal(timesBehind({ lastStored: 1_500 }, 3_000, 2_000), { waitsMs: 0, behindLastMs: 0 });
  assert.equal(timesBehind({ lastStored: 0 }, undefined, 2_000), {
    waitsMs: undefined,
    behindLastMs: undefined,
  });
});

test('queues are shared out in runs, the first members get one more', () => {
  const queues = [0, 1, 2, 3, 4, 5, 6, 7];
  assert.equal(shareOf(queues, ['a', 'b', 'c'], 'a'), [0, 1, 2]);
  assert.equal(shareOf(queues, ['a', 'b', 'c'], 'b'), [3, 4, 5]);
  assert.equal(shareOf(queues, ['a', 'b', 'c'], 'c'), [6, 7]);
  assert.equal(shareOf([0], ['a', 'b'], 'b'), []);
  assert.equal(shareOf(queues, ['a', 'b'], 'stranger'), []);
});

test.run();
