import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { difference, outcomesToKeep, type RunSettings } from '../../../bench/rocketmq/continue.ts';
import { parseBenchOptions } from '../../../bench/rocketmq/options.ts';
import type { ScenarioOutcome } from '../../../bench/rocketmq/outcome.ts';
import { makeReport, markdown, type Report } from '../../../bench/rocketmq/report.ts';
import { FULL, SCENARIOS } from '../../../bench/rocketmq/scenarios.ts';

const MACHINE = {
  processor: 'a processor',
  processors: 2,
  memoryBytes: 2 ** 34,
  kernel: 'Linux 6',
  fileSystem: 'ext4',
  node: 'v20.20.2',
  java: 'openjdk 17',
  ringmqCommit: '0123456789ab',
};
const OPTIONS: Report['options'] = {
  rounds: 5,
  repeats: 3,
  quick: false,
  heap: '4g',
  targets: ['rocketmq', 'ringmq', 'bare'],
  timing: FULL,
};
const SETTINGS: RunSettings = { rocketmqVersion: '5.5.0', machine: MACHINE, options: OPTIONS };

function withMachine(changes: Partial<typeof MACHINE>): RunSettings {
  return { ...SETTINGS, machine: { ...MACHINE, ...changes } };
}

function withOptions(changes: Partial<Report['options']>): RunSettings {
  return { ...SETTINGS, options: { ...OPTIONS, ...changes } };
}

function outcome(name: string, startedAt: string, finishedAt: string): ScenarioOutcome {
  return { scenario: { name, title: name }, startedAt, finishedAt, targets: [] };
}

const FIRST = outcome('sync-1k', '2026-01-01T10:00:00.000Z', '2026-01-01T10:05:00.000Z');
const SECOND = outcome('async-4k', '2026-01-01T10:05:00.000Z', '2026-01-01T10:10:00.000Z');
const THIRD = outcome('async-1k', '2026-01-01T12:00:00.000Z', '2026-01-01T12:05:00.000Z');

function report(startedAt: string, outcomes: ScenarioOutcome[]): Report {
  const generator = { rate: 1, cpuMicrosPerMessage: 1 } as Report['generator'];
  return makeReport({ startedAt, finishedAt: startedAt, ...SETTINGS, generator, outcomes }, SCENARIOS);
}

test('a report with the same settings can be continued', () => {
  assert.is(difference(SETTINGS, structuredClone(SETTINGS)), undefined);
  const swapped = withOptions({ targets: ['bare', 'ringmq', 'rocketmq'] });
  assert.is(difference(SETTINGS, swapped), undefined, 'the order of the targets is no difference');
});

test('a refusal names the setting that differs', () => {
  const cases: [RunSettings, string][] = [
    [withMachine({ ringmqCommit: 'ba9876543210' }), 'commit was 0123456789ab and is ba9876543210'],
    [withMachine({ processor: 'another' }), 'processor was a processor and is another'],
    [withMachine({ kernel: 'Linux 7' }), 'kernel was Linux 6 and is Linux 7'],
    [withMachine({ node: 'v24.0.0' }), 'node was v20.20.2 and is v24.0.0'],
    [withOptions({ rounds: 3 }), 'rounds was 5 and is 3'],
    [withOptions({ repeats: 0 }), 'repeats was 3 and is 0'],
    [withOptions({ heap: '8g' }), 'heap was 4g and is 8g'],
    [withOptions({ quick: true }), 'quick was false and is true'],
    [withOptions({ timing: { ...FULL, measuredSeconds: 7 } }), 'measuredSeconds was 6 and is 7'],
    [withOptions({ targets: ['ringmq'] }), 'targets was bare, ringmq, rocketmq and is ringmq'],
    [{ ...SETTINGS, rocketmqVersion: '5.4.0' }, 'rocketmqVersion was 5.5.0 and is 5.4.0'],
  ];
  for (const [now, sentence] of cases) assert.is(difference(SETTINGS, now), sentence);
});

test('a setting that the report does not know yet is a difference', () => {
  const { adaptSeconds: _, ...timing } = FULL;
  const before = withOptions({ timing: timing as typeof FULL });
  assert.is(difference(before, SETTINGS), 'adaptSeconds was missing and is 10');
});

test('a tree that is more than its commit cannot be continued', () => {
  const changed = withMachine({ ringmqCommit: '0123456789ab with uncommitted changes' });
  assert.match(difference(changed, changed) ?? '', /uncommitted/);
});

test('outcomes come from the file, or a sentence says why not', () => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'ringmq-continue-'));
  const file = path.join(folder, 'run.json');
  assert.throws(() => outcomesToKeep(file, SETTINGS), /no report to continue/);
  fs.writeFileSync(file, '{"outcomes": [');
  assert.throws(() => outcomesToKeep(file, SETTINGS), /no report to continue/);
  fs.writeFileSync(file, JSON.stringify(report('2026-01-01T09:00:00.000Z', [FIRST, SECOND])));
  assert.equal(outcomesToKeep(file, SETTINGS), [FIRST, SECOND]);
  assert.throws(
    () => outcomesToKeep(file, withOptions({ heap: '8g' })),
    /run\.json cannot be continued: heap was 4g/,
  );
  fs.rmSync(folder, { recursive: true });
});

test('the report says what an earlier start has measured', () => {
  const whole = report('2026-01-01T09:00:00.000Z', [FIRST, SECOND]);
  assert.is(whole.earlier, undefined);
  assert.not.match(markdown(whole), /earlier start/);
  const parts = report('2026-01-01T11:00:00.000Z', [FIRST, SECOND, THIRD]);
  const scenarios = ['sync-1k', 'async-4k'];
  assert.equal(parts.earlier, { scenarios, from: FIRST.startedAt, to: SECOND.finishedAt });
  assert.match(markdown(parts), /An earlier start of it.*10:00:00.*10:10:00.*\n+sync-1k, async-4k\./);
});

test('the report goes by rows, whatever was measured first', () => {
  const { outcomes, summaries, verdicts } = report('2026-01-01T09:00:00.000Z', [SECOND, FIRST, THIRD]);
  const order = ['async-1k', 'sync-1k', 'async-4k'];
  const names = outcomes.map(({ scenario }) => scenario.name);
  assert.equal(names, order);
  assert.equal(
    summaries.map(({ name }) => name),
    order,
  );
  const rows = verdicts.map(({ row }) => row);
  assert.equal(
    rows,
    [...rows].sort((one, other) => one - other),
  );
});

test('--continue is an option', () => {
  assert.not.ok(parseBenchOptions([]).continued);
  assert.ok(parseBenchOptions(['--continue']).continued);
});

test.run();
