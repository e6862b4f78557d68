import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { listing, runSeconds, scenarioSeconds } from '../../../bench/rocketmq/estimate.ts';
import type { Casting } from '../../../bench/rocketmq/hand-over.ts';
import { castingsOf, parseBenchOptions } from '../../../bench/rocketmq/options.ts';

const options = parseBenchOptions(['--rounds', '5']);
const ROUND = 2 + 6 + 3;

/** In the order in which they are named. */
function castings(...names: string[]): Casting[] {
  return names.flatMap((name) => castingsOf(parseBenchOptions(['--scenario', name]).scenarios, options));
}

function seconds(...names: string[]): number {
  return runSeconds(castings(...names), options);
}

test('a broker that goes on needs neither its start nor its warm-up', () => {
  const [first, second] = castings('async-1k', 'async-128b') as [Casting, Casting];
  const alone = scenarioSeconds(second, undefined, options);
  const shared = scenarioSeconds(second, first, options);
  // both brokers and the limit adapt for 10 s
  assert.ok(Math.abs(shared - 1.1 * 3 * (10 + 5 * ROUND)) < 0.01, String(shared));
  // RocketMQ starts in 10 s and warms up for 60
  assert.ok(alone - shared > 1.1 * 60, `${alone} and ${shared}`);
});

test('the whole is less than its parts only where brokers are shared', () => {
  assert.ok(seconds('async-1k', 'async-128b') < seconds('async-1k') + seconds('async-128b') - 60);
  for (const other of ['sync-1k', 'topics-1', 'memory', 'pull'])
    assert.is(
      Math.round(seconds('async-1k', other)),
      Math.round(seconds('async-1k') + seconds(other)),
      other,
    );
});

test('who is new among shared brokers is warmed up in full', () => {
  const [first, second, third] = castings('async-128b', 'async-single', 'async-single') as Casting[];
  const merged = scenarioSeconds(second as Casting, first, options);
  assert.ok(merged > 1.1 * (3 * (10 + 5 * ROUND) + 5 * ROUND + 15), String(merged));
  assert.ok(scenarioSeconds(third as Casting, second, options) < merged);
});

test('rounds count for all', () => {
  const fewer = { ...options, rounds: 3 };
  const [one] = castings('async-1k') as [Casting];
  const saved = scenarioSeconds(one, undefined, options) - scenarioSeconds(one, undefined, fewer);
  assert.ok(Math.abs(saved - 1.1 * 3 * 2 * ROUND) < 0.01, String(saved));
});

test('the listing shows each scenario with what it takes in its place', () => {
  const text = listing(parseBenchOptions(['--scenario', 'async-1k', '--scenario', 'async-128b']));
  const [first, second] = [...text.matchAll(/\((\d+) s\)/g)].map(([, number]) => Number(number));
  assert.is(second, 215);
  assert.ok((first as number) > 200, String(first));
  assert.match(text, /about 8 min with 5 rounds/);
});

test.run();
