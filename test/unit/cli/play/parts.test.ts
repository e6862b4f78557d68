// What play reads and says: pages of metrics, log lines, the sources that its sentences name.
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { liveState } from '../../../../src/cli/play/look.ts';
import { samplesOf } from '../../../../src/cli/play/metrics-text.ts';
import { logLine } from '../../../../src/cli/play/play-broker.ts';
import { openPlayStore } from '../../../../src/cli/play/play-store.ts';
import { balance, recoveryLines, torn } from '../../../../src/cli/play/stories.ts';
import { Exposition } from '../../../../src/remoting/exposition.ts';
import { fails } from '../../../support/command-line.ts';
import { PROJECT } from '../../../support/packaging.ts';
import { sourceFiles } from '../../../support/source-files.ts';

const test = suite('play: what it reads and says');

test('a page of metrics is read as it was written', async () => {
  const out = new Exposition({ node_id: 'a' });
  out.gauge('rings', 'help').add(0.25, { ring: 'send', thread: 'say "hi", \\' });
  out.counter('total', 'help').add(7);
  const samples = samplesOf(out.bytes().toString());
  assert.is(samples.get('total')?.[0]?.value, 7);
  assert.equal(
    samples.get('rings')?.map(({ labels, value }) => [labels['ring'], value]),
    [['send', 0.25]],
  );
  assert.equal([...samplesOf('# HELP x\nnonsense here too\n\n').keys()], []);
});

test('positions and rates from two pages', () => {
  const page = (at: number, busy: number, wakeUps: number) => ({
    at,
    families: samplesOf(
      [
        'rocketmq_storage_size_bytes{a="b"} 1000',
        'rocketmq_storage_flush_behind_bytes 400',
        'rocketmq_storage_dispatch_behind_bytes 100',
        'ringmq_append_bytes_total 1000',
        `ringmq_thread_busy_seconds_total{thread="writer"} ${busy}`,
        `ringmq_thread_wakeups_total{thread="writer"} ${wakeUps}`,
        'ringmq_ring_fill_ratio{ring="send",thread="network-0"} 0.5',
      ].join('\n'),
    ),
  });
  const first = liveState(page(0, 1, 10), undefined, 500);
  assert.equal(first.positions, { start: 500, appended: 1500, flushed: 1100, dispatched: 1400 });
  const { threads, rings } = liveState(page(500, 1.25, 20), page(0, 1, 10), 500);
  const writer = threads.find(({ name }) => name === 'writer');
  assert.equal(writer, { name: 'writer', busy: 0.5, wakeUpsPerSecond: 20, counters: '1,000 B' });
  assert.ok(
    threads.some(({ name }) => name === 'flusher'),
    'who has not counted yet',
  );
  assert.equal(rings, [{ ring: 'send', thread: 'network-0', fill: 0.5, peak: 0.5 }]);
});

test('log lines: JSON, or a sentence as it is', () => {
  const line = logLine('{"level":"warn","time":"x","pid":1,"at":75898,"msg":"cut the log at 75898"}');
  assert.equal(line, { level: 'warn', message: 'cut the log at 75898', fields: { at: 75898 } });
  assert.is(logLine('no JSON \u001b[2J').message, 'no JSON \\u001b[2J');
});

test('of a start those lines are told that say what was found, with their positions', () => {
  const lines = [
    { level: 'info', message: 'RingMQ starts', fields: {} },
    { level: 'warn', message: 'cut the log at 75898 (x)', fields: { at: 75898 } },
    { level: 'info', message: 'the log was checked: complete', fields: { from: 0, to: 75898, records: 168 } },
  ];
  assert.equal(
    recoveryLines(lines).map(({ message }) => message),
    ['cut the log at 75898 (x)', 'the log was checked: complete (from 0, to 75,898, records 168)'],
  );
});

test('the balance after a restart says what was lost and whose doing that is', () => {
  const nothing = { acknowledged: 10, lostBefore: 0, harmed: 0, harmedDurable: 0, unexplained: 0 };
  assert.equal(balance(nothing), ['Of 10 acknowledged messages the log has 10: none is missing.']);
  const [first, second, ...others] = balance({ ...nothing, lostBefore: 1, harmed: 3, harmedDurable: 1 });
  assert.is(first, 'Of 10 acknowledged messages the log has 6, and lacks 3. 1 had been lost before.');
  assert.match(
    second ?? '',
    /^3 of them lay in what play has damaged: 2 not synced yet, .*, 1 synced, which no/,
  );
  assert.equal(others, []);
  assert.match(balance({ ...nothing, unexplained: 1 }).at(-1) ?? '', /a fault of RingMQ/);
});

test('what tears behind a sync is told to be no power cut', () => {
  const harm = { at: 400, until: 800, from: 600, to: 800, records: 1 };
  assert.match(torn(harm, 1000).join(' '), /had been synced up to 1,000: no power cut tears that/);
  assert.not.match(torn(harm, 400).join(' '), /no power cut/);
});

test('every source file that play names is there', () => {
  const named = sourceFiles('src/cli/play').flatMap(({ text }) => text.match(/\bsrc\/[\w/-]+\.ts\b/g) ?? []);
  assert.ok(new Set(named).size > 15, 'they were found');
  assert.equal(
    named.filter((path) => !existsSync(join(PROJECT, path))),
    [],
  );
});

test('a directory with files of somebody else is not played with; an empty one, and one of before, are', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'ringmq-test-'));
  try {
    for (let i = 0; i < 2; i++) {
      const store = await openPlayStore(join(directory, 'mine'), 'ASYNC_FLUSH');
      assert.not(store.isTemporary);
      store.end();
      assert.ok(existsSync(store.configFile), 'what was asked for stays');
    }
    writeFileSync(join(directory, 'precious'), 'x');
    assert.is(await fails(['play', '--store', directory], /holds files that "ringmq play" has not made/), 2);
    assert.is(await fails(['play', '--store', join(directory, 'precious')], /precious/), 1);
  } finally {
    rmSync(directory, { recursive: true });
  }
});

test('bad scripts end before anything is started', async () => {
  assert.is(await fails(['play', '--script', 'send 1, explode'], /There is no action explode/), 2);
  assert.is(await fails(['play', '--script', ' , '], /--script has no action/), 2);
});

test.run();
