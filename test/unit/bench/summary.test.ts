import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { parseLoadOptions } from '../../../bench/load/options.ts';
import { duration } from '../../../bench/rocketmq/estimate.ts';
import { factor, micros } from '../../../bench/rocketmq/format.ts';
import { toArguments } from '../../../bench/rocketmq/load-run.ts';
import { parseBenchOptions, pickContestants } from '../../../bench/rocketmq/options.ts';
import { type Round, succeeded, type TargetOutcome } from '../../../bench/rocketmq/outcome.ts';
import { scenarioTable } from '../../../bench/rocketmq/report.ts';
import { SCENARIOS, type Scenario } from '../../../bench/rocketmq/scenarios.ts';
import { median, ratio, spread } from '../../../bench/rocketmq/statistics.ts';
import { summarize } from '../../../bench/rocketmq/summary.ts';

const scenario = SCENARIOS[0] as Scenario;
const TITLES: Record<string, string> = { rocketmq: 'RocketMQ', ringmq: 'RingMQ' };

function round(rate: number, p50: number, changes: Partial<Round> = {}): Round {
  return {
    figures: { rate, p50, p99: p50 * 4, anonymous: 1 << 20 },
    errors: 0,
    idleShare: 0,
    disturbance: { foreignShare: 0, stallMaxMillis: 0, disturbed: false },
    ...changes,
  };
}

function outcome(name: string, rounds: Round[], changes: Partial<TargetOutcome> = {}): TargetOutcome {
  return { name, title: TITLES[name] ?? name, rounds, repeated: 0, disturbedKept: 0, ...changes };
}

test('median, spread, ratio', () => {
  assert.is(median([3, 1, 2]), 2);
  assert.is(median([4, 1, 2, 3]), 2.5);
  assert.ok(Number.isNaN(median([])));
  assert.equal(spread([5, 9, 7]), { median: 7, min: 5, max: 9 });
  assert.is(ratio(spread([10, 20, 30]), spread([4, 5, 6])), 4);
  assert.ok(Number.isNaN(ratio(undefined, spread([1]))));
});

test('ratios compare the medians of the two brokers', () => {
  const targets = [
    outcome('rocketmq', [round(40_000, 4000), round(50_000, 5000), round(60_000, 6000)]),
    outcome('ringmq', [round(300_000, 500), round(350_000, 600), round(100_000, 700)]),
  ];
  const summary = summarize({ scenario, targets });
  assert.is(summary.ratios['rate'], 6);
  assert.is(summary.ratios['p50'], 0.12);
  const table = scenarioTable(summary);
  assert.match(table, /300,000 \(100,000 – 350,000\)/);
  assert.match(table, /× 6\.00/);
  assert.not.match(table, /end to end/, 'figures that nobody has get no line');
});

test('where the limit was measured a column has the share of it, with or without the other broker', () => {
  const limit = outcome('limit', [round(500_000, 300)], { title: 'limit' });
  const ours = outcome('ringmq', [round(300_000, 600)]);
  const theirs = outcome('rocketmq', [round(50_000, 5000)]);
  const all = summarize({ scenario, targets: [theirs, ours, limit] });
  assert.equal([all.limitRatios['rate'], all.limitRatios['p50'], all.ratios['rate']], [0.6, 2, 6]);
  const [head, ...lines] = scenarioTable(all).split('\n');
  assert.match(head as string, /RingMQ \/ RocketMQ *\| *RingMQ \/ limit/);
  const rate = lines.find((row) => row.includes('messages a second'));
  assert.match(rate as string, /× 6\.00 *\| *× 0\.60/);
  const alone = scenarioTable(summarize({ scenario, targets: [ours, limit] }));
  assert.match(alone, /RingMQ \/ limit/);
  assert.not.match(alone, /RingMQ \/ RocketMQ/);
  assert.not.match(scenarioTable(summarize({ scenario, targets: [theirs, ours] })), /RingMQ \/ limit/);
});

test('a failed broker has no figure and no ratio', () => {
  const failed = outcome('ringmq', [], { failure: 'the broker died (signal SIGSEGV); last output:\nxyz' });
  const outcomes = { scenario, targets: [outcome('rocketmq', [round(50_000, 4000)]), failed] };
  const summary = summarize(outcomes);
  assert.equal(summary.ratios, {});
  const table = scenarioTable(summary);
  assert.match(table, /RingMQ \*\*failed\*\*, no figures: the broker died \(signal SIGSEGV\)/);
  assert.not.match(table, /RingMQ \/ RocketMQ/);
  assert.not.ok(succeeded([outcomes]));
});

test('a failure that is a result fails no run', () => {
  const excused = outcome('rocketmq-512m', [], { failure: 'out of memory', excused: true });
  const outcomes = { scenario, targets: [outcome('ringmq', [round(1, 1)]), excused] };
  assert.ok(succeeded([outcomes]));
  assert.match(scenarioTable(summarize(outcomes)), /rocketmq-512m has no figures: out of memory/);
});

test('the ledger of all rounds is shown, and one that is not clean fails the run', () => {
  const clean = { lost: 0, duplicates: 0, foreign: 0 };
  const good = outcome('ringmq', [round(1, 1, { ledger: clean }), round(1, 1, { ledger: clean })]);
  assert.ok(succeeded([{ scenario, targets: [good] }]));
  assert.match(scenarioTable(summarize({ scenario, targets: [good] })), /rounds: 0 lost, 0 duplicates/);
  const bad = outcome('ringmq', [
    round(1, 1, { ledger: clean }),
    round(1, 1, { ledger: { ...clean, lost: 2 } }),
  ]);
  assert.not.ok(succeeded([{ scenario, targets: [bad] }]));
  assert.match(scenarioTable(summarize({ scenario, targets: [bad] })), /\*\*2 lost, 0 duplicates/);
});

test('errors and disturbed rounds are named', () => {
  const rounds = [round(10, 10, { errors: 3 }), round(10, 10, { errors: 2 })];
  const target = outcome('rocketmq', rounds, { repeated: 4, disturbedKept: 1 });
  const table = scenarioTable(summarize({ scenario, targets: [target] }));
  assert.match(table, /5 requests failed/);
  assert.match(table, /2 rounds, 4 more repeated/);
  assert.match(table, /1 of its rounds count although disturbed/);
});

test('figures read well', () => {
  assert.is(micros(45.26), '45.3 µs');
  assert.is(micros(950), '950 µs');
  assert.is(micros(4123), '4.12 ms');
  assert.is(micros(27_345), '27.3 ms');
  assert.is(micros(12_345_678), '12.3 s');
  assert.is(factor(Number.NaN), '-');
  assert.is(factor(12.345), '× 12.3');
  assert.is(duration(20), '1 min');
  assert.is(duration(7500), '2 h 5 min');
});

test('options of the benchmark', () => {
  const names = (args: string[]): string[] => parseBenchOptions(args).scenarios.map(({ name }) => name);
  const options = parseBenchOptions(['--quick', '--target', 'rocketmq', '--heap', '2g']);
  assert.equal(options.targets, ['rocketmq']);
  assert.is(options.rounds, 1);
  assert.is(parseBenchOptions([]).rounds, 5);
  assert.is(parseBenchOptions([]).scenarios.length, SCENARIOS.length);
  assert.equal(names(['--scenario', 'sync-1k']), ['sync-1k']);
  assert.equal(names(['--scenario', '5', '--scenario', 'async-1k']), [
    'async-1k',
    'async-single',
    'async-single-binary',
    'sync-single',
    'sync-single-binary',
  ]);
  assert.throws(() => parseBenchOptions(['--scenario', 'nope']), /no scenario or row "nope"/);
  assert.throws(() => parseBenchOptions(['--rounds', '0']), /--rounds/);
  assert.throws(() => parseBenchOptions(['--heap', 'big']), /--heap/);
});

test('who takes part follows from the targets and from the length of the run', () => {
  const names = (args: string[], name: string): string[] => {
    const one = SCENARIOS.find((candidate) => candidate.name === name) as Scenario;
    return pickContestants(one, parseBenchOptions(args)).map((contestant) => contestant.name);
  };
  assert.equal(names([], 'async-4k'), ['rocketmq', 'ringmq', 'limit', 'bare', 'bare-write']);
  assert.equal(names(['--target', 'ringmq'], 'async-single'), ['ringmq', 'merged']);
  assert.equal(names(['--target', 'ringmq', '--target', 'limit'], 'async-single-binary'), [
    'ringmq',
    'limit',
    'merged',
  ]);
  assert.equal(names(['--target', 'null'], 'async-1k'), ['null']);
});

test('scenarios have names of their own, and goals refer to what there is', () => {
  const names = SCENARIOS.map(({ name }) => name);
  assert.is(new Set(names).size, names.length);
  for (const { goals } of SCENARIOS) {
    for (const { over } of goals) if (over?.scenario !== undefined) assert.ok(names.includes(over.scenario));
  }
});

test('settings become arguments', () => {
  assert.equal(toArguments({ a: 1, b: true, c: false, d: undefined, e: 'x' }), [
    '--a',
    '1',
    '--b',
    '--e',
    'x',
  ]);
});

test('options of the generator', () => {
  const options = parseLoadOptions(['--port', '10911', '--rate', '5000', '--header', 'binary']);
  assert.is(options.rate, 5000);
  assert.is(options.header, 'binary');
  assert.throws(() => parseLoadOptions([]), /--port/);
  assert.throws(() => parseLoadOptions(['--port', '1', '--queues', '11']), /--queues/);
  assert.throws(() => parseLoadOptions(['--port', '1', '--header', 'xml']), /--header/);
});

test.run();
