/** Options and report of the timer benchmark; the measuring itself is the generator's, in load-due.test.ts. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { TimersResult } from '../../../bench/rocketmq/timers/measure.ts';
import { parseTimersOptions } from '../../../bench/rocketmq/timers/options.ts';
import { faults, timersTable } from '../../../bench/rocketmq/timers/report.ts';

const RESULT: TimersResult = {
  name: 'ringmq',
  title: 'RingMQ',
  sendRate: 100_000,
  restEmpty: { share: 0.01, halves: [0.01, 0.01] },
  restPending: { share: 0.02, halves: [0.03, 0.01] },
  memoryEmpty: 50 << 20,
  memoryPending: 60 << 20,
  memoryStarted: 55 << 20,
  startMicros: 300_000,
  memoryMost: 70 << 20,
  arrivals: {
    count: 1000,
    seen: { p50: 10_000, p99: 900_000, p999: 950_000, max: 1_200_000 },
    stored: { p50: 8000, p99: 880_000, p999: 930_000, max: 1_100_000 },
    early: 0,
    earliestMillis: 0,
    seconds: 60,
    rate: 16_000,
  },
  cpuMicrosPerDelivery: 20,
  ledger: { lost: 0, duplicates: 0, foreign: 0 },
  errors: 0,
  disturbance: { foreignShare: 0.01, stallMaxMillis: 12, disturbed: false },
};

function cells(table: string, title: string): string[] | undefined {
  const row = table.split('\n').find((line) => line.startsWith(`| ${title} `));
  return row
    ?.split('|')
    .slice(2, -1)
    .map((cell) => cell.trim());
}

test('a million over a minute, unless something else is said', () => {
  const options = parseTimersOptions([]);
  assert.is(options.messages, 1_000_000);
  assert.is(options.spreadSeconds, 60);
  assert.equal(
    options.contestants.map(({ name }) => name),
    ['ringmq'],
  );
  assert.ok(options.kill);
});

test('the lead grows with what has to be sent before', () => {
  const lead = (...args: string[]): number => parseTimersOptions(args).leadSeconds;
  assert.ok(lead('--messages', '2000000') > lead());
  assert.is(lead() - lead('--messages', '80000'), (1_000_000 - 80_000) / 8000);
  assert.ok(lead('--quick') < lead());
  // a quick run of more messages must not begin to deliver them while they are being sent
  assert.is(
    lead('--quick', '--messages', '1000000') - lead('--quick'),
    1_000_000 / 8000 - Math.ceil(20_000 / 8000),
  );
  assert.is(lead('--settle', '50') - lead(), 40);
  assert.is(lead('--lead', '7'), 7);
});

for (const [name, args, complaint] of [
  ['an unknown target', ['--target', 'null'], /--target must be ringmq, rocketmq or both, not "null"/],
  ['no multiple', ['--messages', '1001'], /--messages must be a multiple of 8/],
  ['a negative spread', ['--spread=-1'], /--spread must be a whole number from 0/],
  ['no heap', ['--heap', 'much'], /--heap must be a size/],
] as const) {
  test(`refused: ${name}`, () => {
    assert.throws(() => parseTimersOptions([...args]), complaint);
  });
}

test('the table has a column for each broker, and rows only for what was measured', () => {
  const { memoryStarted: _, startMicros: _start, ...alive } = RESULT;
  const other = { ...alive, name: 'rocketmq', title: 'RocketMQ' };
  const both = timersTable('1,000 timers', [RESULT, other]);
  assert.equal(cells(both, '1,000 timers'), ['RingMQ', 'RocketMQ']);
  assert.equal(cells(both, 'start after kill -9, all pending'), ['300 ms', '-']);
  assert.equal(cells(both, 'CPU at rest, all pending'), Array(2).fill('2.0 % of a processor'));
  assert.equal(cells(both, 'delivered − due p99'), Array(2).fill('900 ms'));
  assert.is(cells(timersTable('', [other]), 'start after kill -9, all pending'), undefined);
});

test('a broker that was still at work has no figure at rest', () => {
  const busy = { ...RESULT, restEmpty: { share: 0.55, halves: [1, 0.1] as const } };
  const table = timersTable('', [busy]);
  assert.equal(cells(table, 'CPU at rest, nothing pending'), ['not at rest (100.0 %, then 10.0 %)']);
  assert.equal(cells(table, 'CPU at rest, all pending'), ['2.0 % of a processor']);
});

test('what is early, late, twice or lost is a fault', () => {
  const { arrivals, ledger } = RESULT;
  assert.equal(faults(RESULT), []);
  const early = { ...RESULT, arrivals: { ...arrivals, early: 3, earliestMillis: 40 } };
  assert.equal(faults(early), ['3 messages came early, by up to 40 ms']);
  assert.equal(cells(timersTable('', [early]), 'early'), ['3, by up to 40 ms']);
  const late = { ...RESULT, arrivals: { ...arrivals, seen: { ...arrivals.seen, p99: 1_000_001 } } };
  assert.match(faults(late).join(), /came more than 1000 ms late/);
  const twice = { ...RESULT, ledger: { ...ledger, duplicates: 2, lost: 1 } };
  assert.match(faults(twice).join(), /1 messages were lost, 2 came again/);
  assert.equal(faults({ ...RESULT, errors: 5 }), ['5 requests failed']);
});

test.run();
