import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { levelFor, retryLevel } from '../../../src/broker/retry/retry-delay.ts';
import { DelayLevels } from '../../../src/delivery/delay/levels.ts';
import { RetryPolicy } from '../../../src/metadata/retry-policy.ts';
import { DEFAULT_DELAY_LEVELS } from '../../../src/store/dispatch/schedule-time.ts';

const test = suite('delays of retries');

const usual = new DelayLevels(DEFAULT_DELAY_LEVELS);

test('the level with exactly the delay, else the next longer one, else the longest', () => {
  const wanted = [
    0,
    1,
    1_000,
    1_001,
    5_000,
    10_000,
    600_001,
    3_600_000,
    7_200_000,
    7_200_001,
    366 * 86_400_000,
  ];
  assert.equal(
    wanted.map((delay) => levelFor(delay, usual)),
    [1, 1, 1, 2, 2, 3, 15, 17, 18, 18, 18],
  );
});

test('levels that do not ascend', () => {
  const levels = new DelayLevels('3s 1s 2s 1s 3s');
  assert.equal(
    [500, 1_000, 1_500, 2_500, 4_000].map((delay) => levelFor(delay, levels)),
    [2, 2, 3, 1, 1],
  );
  assert.is(levelFor(9_000, new DelayLevels('1s')), 1);
});

test('without a policy the first redelivery takes level 3, and each further one the next', () => {
  const levels = [-7, 0, 1, 15, 30].map((times) => retryLevel(RetryPolicy.byLevels, times, usual));
  assert.equal(levels, [3, 3, 4, 18, 33]);
});

test('a policy chooses the levels', () => {
  const exponentialRetryPolicy = { initial: 5_000, max: 60_000, multiplier: 3 };
  const policy = RetryPolicy.fromJson({ type: 'EXPONENTIAL', exponentialRetryPolicy });
  assert.equal(
    [0, 1, 2, 3].map((times) => retryLevel(policy, times, usual)),
    [2, 4, 5, 5],
  );
});

test.run();
