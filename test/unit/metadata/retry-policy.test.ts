import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { groupConfigFromJson, groupConfigToJson } from '../../../src/metadata/group-config.ts';
import { RetryPolicy } from '../../../src/metadata/retry-policy.ts';
import type { RocketJson } from '../../../src/protocol/rocketmq-json.ts';

const test = suite('retry policies');

const DAY = 86_400_000;

function delays(policy: RocketJson, redeliveries: readonly number[]): (number | undefined)[] {
  const read = RetryPolicy.fromJson(policy);
  return redeliveries.map((times) => read.delayMs(times));
}

function list(next: RocketJson): RocketJson {
  return { type: 'CUSTOMIZED', customizedRetryPolicy: { next } };
}

function power(members: Record<string, RocketJson>): RocketJson {
  return { type: 'EXPONENTIAL', exponentialRetryPolicy: members };
}

test('a list counts from its third entry, and its last one repeats', () => {
  assert.equal(delays(list([10, 20, 30, 40, 50]), [0, 1, 2, 3, 16]), [30, 40, 50, 50, 50]);
  assert.equal(delays(list([10, 20]), [0, 1]), [20, 20]);
  assert.equal(delays(list(['7']), [0]), [7]);
  assert.equal(delays(list([10, 20, 30]), [-5]), [30], 'clients may send any number of redeliveries');
});

test('a power grows up to its maximum, whatever comes out', () => {
  assert.equal(
    delays(power({ initial: 1_000, max: 9_000, multiplier: 3 }), [0, 1, 2, 3]),
    [1_000, 3_000, 9_000, 9_000],
  );
  const largest = power({ initial: 366 * DAY, max: 366 * DAY, multiplier: 0x7f_ff_ff_ff });
  assert.equal(delays(largest, [0, 32, 33, 0x7f_ff_ff_ff]), Array(4).fill(366 * DAY));
  assert.equal(delays(power({ initial: 5, max: 1 }), [0]), [1]);
  assert.equal(delays(power({ initial: 2, max: 366 * DAY, multiplier: 1 }), [0, 40]), [2, 2]);
});

test('what a power leaves out is as in RocketMQ', () => {
  assert.equal(delays(power({}), [0, 1, 10, 11]), [5_000, 10_000, 5_120_000, 7_200_000]);
});

test('a policy without times leaves them to the delay levels', () => {
  for (const policy of [
    undefined,
    null,
    {},
    { type: 'CUSTOMIZED' },
    { type: 'EXPONENTIAL' },
    { type: null },
    { type: 'CUSTOMIZED', customizedRetryPolicy: null },
    { type: 'CUSTOMIZED', customizedRetryPolicy: {} },
    { type: 'CUSTOMIZED', exponentialRetryPolicy: { initial: 1 } },
  ]) {
    assert.is(RetryPolicy.fromJson(policy).delayMs(0), undefined);
  }
});

test('a wrong field is named, with what is allowed', () => {
  const range = /whole numbers from 0 to 31622400000 \(limit MAX_RETRY_DELAY_MS\) are allowed/.source;
  const cases: readonly [RocketJson, RegExp][] = [
    ['no policy', /^groupRetryPolicy is no policy; an object with a type is allowed$/],
    [{ type: 'LINEAR' }, /^groupRetryPolicy\.type is LINEAR; CUSTOMIZED or EXPONENTIAL is allowed$/],
    [{ type: { a: 1 } }, /^groupRetryPolicy\.type is \{"a":1\}; /],
    [{ customizedRetryPolicy: [1] }, /^groupRetryPolicy\.customizedRetryPolicy is \[1\]; an object is/],
    [list([]), /customizedRetryPolicy\.next is \[\]; a list of 1 to 128 delays in ms is allowed$/],
    [list(5), /customizedRetryPolicy\.next is 5; a list of 1 to 128/],
    [
      list(Array(129).fill(1)),
      /^delays in .*customizedRetryPolicy\.next: more than 128 \(limit MAX_RETRY_DELAYS\)$/,
    ],
    [list([1, -1]), new RegExp(`^groupRetryPolicy\\.customizedRetryPolicy\\.next\\[1\\] is -1; ${range}$`)],
    [list([1.5]), new RegExp(`next\\[0\\] is 1\\.5; ${range}$`)],
    [list([null]), /next\[0\] is null; /],
    [list([366 * DAY + 1]), new RegExp(`next\\[0\\] is 31622400001; ${range}$`)],
    [power({ initial: 'soon' }), new RegExp(`exponentialRetryPolicy\\.initial is soon; ${range}$`)],
    [power({ max: -1 }), new RegExp(`exponentialRetryPolicy\\.max is -1; ${range}$`)],
    [
      power({ multiplier: 0 }),
      /exponentialRetryPolicy\.multiplier is 0; whole numbers from 1 to 2147483647 are/,
    ],
    [power({ multiplier: [2] }), /exponentialRetryPolicy\.multiplier is \[2\]; /],
    [list(['x'.repeat(1_000)]), /next\[0\] is x{64}\.\.\. \(1000 characters\); /],
  ];
  for (const [policy, problem] of cases) assert.throws(() => RetryPolicy.fromJson(policy), problem);
  assert.is(RetryPolicy.fromJson(list(Array(128).fill(366 * DAY))).delayMs(0), 366 * DAY);
});

test('a policy is shown as it came, with what nobody knows', () => {
  const groupRetryPolicy = { type: 'CUSTOMIZED', customizedRetryPolicy: { next: [1] }, newer: [true] };
  const config = groupConfigFromJson({ groupName: 'g', groupRetryPolicy });
  assert.equal(config && groupConfigToJson(config)['groupRetryPolicy'], groupRetryPolicy);
  const plain = groupConfigFromJson({ groupName: 'g' });
  assert.equal(plain && groupConfigToJson(plain)['groupRetryPolicy'], { type: 'CUSTOMIZED' });
});

test.run();
