import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { parseLoadOptions } from '../../../bench/load/options.ts';
import { factor, micros } from '../../../bench/rocketmq/format.ts';
import type { Round } from '../../../bench/rocketmq/load-run.ts';
import type { TargetOutcome } from '../../../bench/rocketmq/measure.ts';
import { parseBenchOptions } from '../../../bench/rocketmq/options.ts';
import { scenarioTable } from '../../../bench/rocketmq/report.ts';
import { SCENARIOS, type Scenario } from '../../../bench/rocketmq/scenarios.ts';
import { median, ratio, spread } from '../../../bench/rocketmq/statistics.ts';
import { summarize } from '../../../bench/rocketmq/summary.ts';
import type { TargetName } from '../../../bench/rocketmq/target.ts';

const scenario = SCENARIOS[0] as Scenario;

function round(rate: number, p50: number, errors = 0): Round {
  const counts = { errors, errorCodes: {}, unexpectedReplies: 0, unanswered: 0, warmupErrors: 0 };
  const latency = { p50, p99: p50 * 4, p999: p50 * 8, max: p50 * 10 };
  return {
    result: { messages: rate * 10, seconds: 10, rate, cpuMicrosPerMessage: 0.8, ...latency, ...counts },
    brokerCpuMicrosPerMessage: 1e6 / rate,
    memory: { anonymousBytes: 1 << 20, sharedBytes: 0 },
    idleShare: 0,
    disturbance: { foreignShare: 0, stallMaxMillis: 0, disturbed: false },
  };
}

function outcome(name: TargetName, rounds: Round[], changes: Partial<TargetOutcome> = {}): TargetOutcome {
  return { name, rounds, repeated: 0, disturbedKept: 0, ...changes };
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
});

test('a failed broker has no figure and no ratio', () => {
  const failed = outcome('ringmq', [], { failure: 'the broker died (signal SIGSEGV); last output:\nxyz' });
  const summary = summarize({ scenario, targets: [outcome('rocketmq', [round(50_000, 4000)]), failed] });
  assert.equal(summary.ratios, {});
  const table = scenarioTable(summary);
  assert.match(table, /RingMQ \*\*failed\*\*, no figures: the broker died \(signal SIGSEGV\)/);
  assert.not.match(table, /RingMQ \/ RocketMQ/);
});

test('errors and disturbed rounds are named', () => {
  const rounds = [round(10, 10, 3), round(10, 10, 2)];
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
  assert.is(factor(Number.NaN), '-');
  assert.is(factor(12.345), '× 12.3');
});

test('options of the benchmark', () => {
  const options = parseBenchOptions([
    '--quick',
    '--scenario',
    'sync-1k',
    '--target',
    'rocketmq',
    '--heap',
    '2g',
  ]);
  assert.equal(
    options.scenarios.map(({ name }) => name),
    ['sync-1k'],
  );
  assert.equal(options.targets, ['rocketmq']);
  assert.is(options.rounds, 2);
  assert.is(parseBenchOptions([]).rounds, 5);
  assert.equal(parseBenchOptions([]).targets, ['rocketmq', 'ringmq']);
  assert.throws(() => parseBenchOptions(['--scenario', 'nope']), /no scenario "nope"/);
  assert.throws(() => parseBenchOptions(['--rounds', '0']), /--rounds/);
  assert.throws(() => parseBenchOptions(['--heap', 'big']), /--heap/);
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
