import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { levelFor, retryWait, waitingRetry } from '../../../src/broker/retry/retry-delay.ts';
import { DelayLevels } from '../../../src/delivery/delay/levels.ts';
import { RetryPolicy } from '../../../src/metadata/retry-policy.ts';
import { DEFAULT_DELAY_LEVELS } from '../../../src/store/dispatch/schedule-time.ts';
import type { InternalMessage } from '../../../src/store/put/put-message.ts';
import { message } from './support.ts';

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

const timers = { timerWheelEnable: true, timerMaxDelaySec: 3_600, timerPrecisionMs: 1_000 };
const power = RetryPolicy.fromJson({
  type: 'EXPONENTIAL',
  exponentialRetryPolicy: { initial: 5_000, max: 60_000, multiplier: 3 },
});

test('without a policy the first redelivery takes level 3, and each further one the next', () => {
  const waits = [-7, 0, 1, 15, 30].map((times) => retryWait(RetryPolicy.byLevels, times, usual, timers));
  assert.equal(
    waits,
    [3, 3, 4, 18, 33].map((level) => ({ level })),
  );
});

test('a policy waits as long as it says: at a level with just that delay, else at its time', () => {
  const waits = [0, 1, 2, 3].map((times) => retryWait(power, times, usual, timers));
  assert.equal(waits, [{ level: 2 }, { delayMs: 15_000 }, { delayMs: 45_000 }, { level: 5 }]);
});

test('what timers cannot hold takes the nearest level', () => {
  const off = { ...timers, timerWheelEnable: false };
  const short = { ...timers, timerMaxDelaySec: 15 };
  const levels = (rules: typeof timers) => [0, 1, 2, 3].map((times) => retryWait(power, times, usual, rules));
  assert.equal(
    levels(off),
    [2, 4, 5, 5].map((level) => ({ level })),
  );
  assert.equal(levels(short), [{ level: 2 }, { delayMs: 15_000 }, { level: 5 }, { level: 5 }]);
});

test('a retry waits anew, whatever it waited for before or its sender has written', () => {
  const retry: InternalMessage = {
    ...message(),
    topic: '%RETRY%g',
    properties: new Map([
      ['TAGS', 'a'],
      ['DELAY', '3'],
      ['TIMER_DELAY_SEC', '9'],
      ['TIMER_OUT_MS', '1000'],
      ['TIMER_ROLL_TIMES', '2'],
      ['TIMER_DEL_UNIQKEY', 'other'],
      ['__RINGMQ_ELAPSED_MS', '5'],
    ] as const),
  };
  const parked = waitingRetry(retry, { delayMs: 1_500 }, usual, timers, 10_000);
  assert.is(parked.topic, 'rmq_sys_wheel_timer');
  assert.equal(Object.fromEntries(parked.properties), {
    TAGS: 'a',
    TIMER_DELAY_MS: '1500',
    TIMER_OUT_MS: '11000',
    REAL_TOPIC: '%RETRY%g',
    REAL_QID: String(retry.queueId),
  });
  const byLevel = waitingRetry(parked, { level: 4 }, usual, timers, 10_000);
  assert.equal([byLevel.topic, byLevel.queueId], ['SCHEDULE_TOPIC_XXXX', 3]);
  assert.is(byLevel.properties.has('TIMER_DELAY_MS'), false);
  const atOnce = waitingRetry(retry, { delayMs: 0 }, usual, timers, 10_000);
  assert.is(atOnce.topic, '%RETRY%g');
});

test.run();
