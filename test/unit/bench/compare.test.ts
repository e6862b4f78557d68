import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { compare, comparisonRows } from '../../../bench/rocketmq/compare/judge.ts';
import { asIn, parseCompareOptions } from '../../../bench/rocketmq/compare/options.ts';
import { type Contestant, RINGMQ } from '../../../bench/rocketmq/contestant.ts';
import { SCENARIOS, type Scenario } from '../../../bench/rocketmq/scenarios.ts';
import type { ScenarioSummary, TargetSummary } from '../../../bench/rocketmq/summary.ts';

function target(name: string, figures: Record<string, number>): TargetSummary {
  const spreads = Object.entries(figures).map(([key, value]) => [
    key,
    { median: value, min: value, max: value },
  ]);
  const counts = { rounds: 1, repeated: 0, disturbedKept: 0, errors: 0 };
  return { name, title: name, ...counts, figures: Object.fromEntries(spreads) };
}

function summary(before: Record<string, number>, after: Record<string, number>): ScenarioSummary {
  const targets = [target('A', before), target('B', after)];
  return { name: 'one', title: 'one', targets, ratios: {}, limitRatios: {}, aliases: {} };
}

test('a commit runs with the settings, the slave and the proxy that a scenario gives RingMQ', () => {
  const commit: Contestant = { ...RINGMQ, name: 'A', cli: 'a.cjs' };
  const named = (wanted: string): Scenario => SCENARIOS.find(({ name }) => name === wanted) as Scenario;
  assert.equal(asIn(named('async-1k'), commit), commit);
  assert.equal(asIn(named('pull-sql'), commit), { ...commit, conf: { enablePropertyFilter: 'true' } });
  assert.equal(asIn(named('replicated-sync'), commit), { ...commit, master: 'SYNC_MASTER' });
  assert.equal(asIn(named('proxy-send'), commit), { ...commit, proxy: true });
});

test('a lower rate and a longer time are worse, past the threshold they fail', () => {
  const [rate, p50] = compare(summary({ rate: 100, p50: 10 }, { rate: 90, p50: 12 }), 10);
  assert.equal(rate, {
    scenario: 'one',
    figure: 'rate',
    before: 100,
    after: 90,
    worsePercent: 10,
    failed: false,
  });
  assert.is(p50?.worsePercent, 20);
  assert.ok(p50?.failed);
});

test('better is never a failure, and tails are not compared', () => {
  const all = compare(summary({ rate: 100, p99: 10, cpu: 5 }, { rate: 150, p99: 90, cpu: 3 }), 10);
  assert.equal(
    all.map(({ figure, failed }) => [figure, failed]),
    [
      ['rate', false],
      ['cpu', false],
    ],
  );
  assert.equal(comparisonRows(all)[0], ['one', 'messages a second', '100', '150', '50.0 % better', 'ok']);
});

test('what one of the two did not reach is not compared', () => {
  assert.equal(compare(summary({ rate: 100 }, {}), 10), []);
});

test('options of the comparison', () => {
  const options = parseCompareOptions(['HEAD~1', 'HEAD', '--quick', '--threshold', '5']);
  assert.equal([options.before, options.after, options.thresholdPercent], ['HEAD~1', 'HEAD', 5]);
  assert.equal(
    options.scenarios.map(({ name }) => name),
    ['async-1k', 'sync-1k'],
  );
  assert.throws(() => parseCompareOptions(['HEAD']), /two commits/);
  assert.throws(() => parseCompareOptions(['a', 'b', '--threshold', 'x']), /--threshold/);
  assert.throws(() => parseCompareOptions(['a', 'b', '--scenario', 'nope']), /no scenario/);
});

test.run();
