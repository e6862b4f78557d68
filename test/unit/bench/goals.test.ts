import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type Goal, goalText, rule, share, times } from '../../../bench/rocketmq/goals.ts';
import type { ScenarioSummary, TargetSummary } from '../../../bench/rocketmq/summary.ts';

function target(name: string, figures: Record<string, number>): TargetSummary {
  const spreads = Object.entries(figures).map(([key, value]) => [
    key,
    { median: value, min: value, max: value },
  ]);
  const counts = { rounds: 1, repeated: 0, disturbedKept: 0, errors: 0 };
  return { name, title: name, ...counts, figures: Object.fromEntries(spreads) };
}

function summary(
  name: string,
  targets: TargetSummary[],
  aliases: Record<string, string> = {},
): ScenarioSummary {
  return { name, title: name, targets, ratios: {}, limitRatios: {}, aliases };
}

const one = summary('one', [
  target('rocketmq', { rate: 100, p50: 50 }),
  target('ringmq', { rate: 600, p50: 10, dispatchLag: 2e6 }),
]);

test('a bound that is reached exactly is met', () => {
  assert.equal(rule(1, 'one', times('rate', 6), [one]), {
    row: 1,
    scenario: 'one',
    target: 'messages a second ≥ 6 × RocketMQ',
    measured: '× 6.00',
    ruling: 'met',
  });
  assert.is(rule(1, 'one', times('rate', 6.1), [one]).ruling, 'not met');
  assert.is(rule(1, 'one', share('p50', 1 / 5), [one]).ruling, 'met');
  assert.is(rule(1, 'one', share('p50', 1 / 6), [one]).ruling, 'not met');
});

test('a share of the limit is a goal like any other', () => {
  const withLimit = summary('limited', [...one.targets, target('limit', { rate: 800, p50: 5 })]);
  const rate = rule(1, 'limited', times('rate', 0.75, 'limit'), [withLimit]);
  assert.equal(
    [rate.ruling, rate.measured, rate.target],
    ['met', '× 0.75', 'messages a second ≥ 0.75 × the limit'],
  );
  assert.is(rule(1, 'limited', share('p50', 1.5, 'limit'), [withLimit]).ruling, 'not met');
  assert.is(rule(1, 'limited', share('p50', 2, 'limit'), [withLimit]).ruling, 'met');
  assert.is(goalText(share('p50', 1.2, 'limit')), 'latency p50 ≤ 1.2 × the limit');
});

test('what was not measured is neither met nor missed', () => {
  assert.is(rule(1, 'one', share('p99', 1), [one]).ruling, 'not measured');
  assert.is(rule(1, 'one', times('rate', 1, 'bare'), [one]).ruling, 'not measured');
  assert.is(rule(1, 'two', times('rate', 1), [one]).ruling, 'not measured');
});

test('a goal may stand alone, refer to another scenario, or name a contestant that the figures tell', () => {
  const lag: Goal = { value: { contestant: 'ringmq', figure: 'dispatchLag' }, atMost: 1e6 };
  const verdict = rule(9, 'one', lag, [one]);
  assert.is(verdict.ruling, 'not met');
  assert.is(verdict.measured, '2000 ms');
  const two = summary('two', [target('ringmq', { rate: 400 })]);
  const rate = { contestant: 'ringmq', figure: 'rate' };
  const drop: Goal = { value: rate, over: { ...rate, scenario: 'one' }, atLeast: 0.7 };
  assert.is(rule(9, 'two', drop, [one, two]).ruling, 'not met');
  const named = summary('three', one.targets, { smallest: 'rocketmq' });
  assert.is(rule(1, 'three', times('rate', 6, 'smallest'), [named]).ruling, 'met');
});

test('targets read as they are written down', () => {
  assert.is(goalText(share('p50', 1 / 5)), 'latency p50 ≤ 1/5 of RocketMQ');
  assert.is(goalText(share('p50', 0.6)), 'latency p50 ≤ 0.6 × RocketMQ');
  assert.is(
    goalText(share('p50', 1 / 4, 'rocketmq', 'merged')),
    'RingMQ merged: latency p50 ≤ 1/4 of RocketMQ',
  );
  const alone: Goal = { value: { contestant: 'ringmq', figure: 'dispatchLag' }, atMost: 1e6 };
  assert.is(goalText(alone), 'dispatch lag ≤ 1000 ms');
});

test.run();
