import { test } from 'uvu';
import * as assert from 'uvu/assert';
import {
  carried,
  costsOf,
  type KindCost,
  limitsOf,
  mediansOf,
  type ThreadRound,
} from '../../../bench/rocketmq/threads/costs.ts';
import { parseThreadsOptions } from '../../../bench/rocketmq/threads/options.ts';
import { page } from '../../../bench/rocketmq/threads/page.ts';
import { parseProcessors, processorOf, settled } from '../../../bench/rocketmq/threads/pinning.ts';
import {
  sentenceOf,
  shapeText,
  summaryTable,
  type VariantResult,
} from '../../../bench/rocketmq/threads/report.ts';
import { variantsOf } from '../../../bench/rocketmq/threads/shapes.ts';
import { parseSyncSeconds } from '../../../bench/rocketmq/threads/sync-time.ts';
import {
  kindOf,
  parseSleeps,
  parseThreadStat,
  type ThreadTimes,
  usedBetween,
} from '../../../bench/rocketmq/threads/thread-times.ts';

const PID = 100;

function thread(id: number, name: string, userSeconds = 0, systemSeconds = 0, sleeps = 0): ThreadTimes {
  return { id, name, userSeconds, systemSeconds, sleeps };
}

function round(threads: ThreadTimes[], more: Partial<ThreadRound> = {}): ThreadRound {
  const times = { messages: 1_000_000, seconds: 10, pid: PID, threads };
  return { ...times, generator: 1, syncShare: 0, foreignShare: 0, ...more };
}

const TWO_NETWORKS = [
  thread(PID, 'ringmq', 0.01),
  thread(101, 'node', 0.1),
  thread(102, 'ringmq', 0, 0.1),
  thread(103, 'network-0', 1, 0.5, 2000),
  thread(104, 'network-1', 2, 0.5, 1000),
  thread(105, 'writer', 1, 1, 500),
  thread(106, 'dispatcher', 1, 0.25),
  thread(107, 'flusher', 0, 0.1),
];

function variant(threads = TWO_NETWORKS, more: Partial<ThreadRound> = {}): VariantResult {
  return { name: 'network-2', title: '2 network threads', ...mediansOf([round(threads, more)]) };
}

test('/proc/PID/task/TID: times, a name with brackets, and sleeps', () => {
  const text = '4242 (a) b (c) S 17 1 1 0 -1 4194560 1 2 3 4 250 150 9 9 20 0 30 0 5 6 7';
  assert.equal(parseThreadStat(text), { id: 4242, name: 'a) b (c', userSeconds: 2.5, systemSeconds: 1.5 });
  assert.is(parseSleeps('Threads:\t3\nvoluntary_ctxt_switches:\t71\nnonvoluntary_ctxt_switches:\t9\n'), 71);
});

test('between two readings: what was used, and all of a thread that is new', () => {
  const before = [thread(1, 'writer', 1, 2, 3), thread(2, 'gone', 9)];
  const after = [thread(1, 'writer', 1.5, 4, 10), thread(3, 'job', 0.5)];
  assert.equal(usedBetween(before, after), [thread(1, 'writer', 0.5, 2, 7), thread(3, 'job', 0.5)]);
});

test('kinds: by name, the main thread by its id', () => {
  const kinds = TWO_NETWORKS.map((one) => kindOf(one, PID));
  const engine = ['writer', 'dispatcher', 'flusher'];
  assert.equal(kinds, ['control', 'others', 'others', 'network', 'network', ...engine]);
});

test('costs: network threads together, user and system apart, the share of one thread', () => {
  const { network, writer, others, control } = costsOf(round(TWO_NETWORKS));
  const expected: KindCost = { threads: 2, user: 3, system: 1, micros: 4, sleeps: 3, share: 0.2 };
  assert.equal(network, expected);
  assert.equal(writer, { threads: 1, user: 1, system: 1, micros: 2, sleeps: 0.5, share: 0.2 });
  assert.is(others?.threads, 2);
  assert.is(control?.micros, 0.01);
  assert.is(carried(expected), 500_000);
  assert.is(carried({ ...expected, micros: 0 }), undefined);
});

test('medians are those of the rounds', () => {
  const rounds = [1, 5, 2].map((seconds) => round([thread(103, 'writer', seconds)], { messages: 1e6 }));
  const { costs, rate } = mediansOf(rounds);
  assert.is(costs.writer?.micros, 2);
  assert.is(rate, 100_000);
  assert.is(costs.network, undefined);
});

test('limits: the first that is at its end, helpers left out', () => {
  const limits = limitsOf(costsOf(round([...TWO_NETWORKS, thread(108, 'node', 9)])));
  const found = limits.map(({ kind, rate }) => [kind, rate]).slice(0, 3);
  assert.equal(found, [
    ['network', 500_000],
    ['writer', 500_000],
    ['dispatcher', 800_000],
  ]);
});

test('the sentence names the limit and the next one, and under sync flush what the device carries', () => {
  const text =
    '2 network threads: with a processor for each thread the 2 network threads are the limit, at 500,000 messages ' +
    'a second; the next is the writer at 500,000.';
  const synced = variant(TWO_NETWORKS, { syncShare: 0.8 });
  assert.is(sentenceOf(synced, 'ASYNC_FLUSH'), text);
  const device =
    ' Syncs were under way 80 % of the time: with as many in flight this device would carry 125,000';
  assert.is(sentenceOf(synced, 'SYNC_FLUSH'), `${text}${device}: it comes before any thread.`);
  const rarely = sentenceOf(variant(TWO_NETWORKS, { syncShare: 0.1 }), 'SYNC_FLUSH');
  assert.match(rarely, 'would carry 1,000,000.');
  const paired = TWO_NETWORKS.filter(({ name }) => name !== 'dispatcher' && name !== 'network-1');
  const pairedText = sentenceOf(variant(paired), 'ASYNC_FLUSH');
  assert.match(pairedText, 'the writer with dispatcher is the limit, at 500,000');
  assert.match(pairedText, 'the next is the network thread at 666,667.');
  const lone = sentenceOf(variant(TWO_NETWORKS.slice(0, 4)), 'ASYNC_FLUSH');
  assert.match(lone, 'the network thread is the limit, at 666,667 messages a second; no other is near.');
  assert.match(sentenceOf(variant([]), 'ASYNC_FLUSH'), 'no thread used a measurable time');
});

test('the summary: limits of all, the device where it comes first', () => {
  const shape = { name: 'sync-1k', title: 'Sends', flush: 'SYNC_FLUSH' as const };
  const synced = [variant(TWO_NETWORKS, { syncShare: 0.8 })];
  assert.match(summaryTable([{ ...shape, variants: synced }]), '125,000, device; 500,000, 2 network threads');
  const lines = summaryTable([{ ...shape, variants: [variant()] }]).split('\n');
  assert.is(lines[2], '| `sync-1k`                        | 500,000, 2 network threads |');
});

test('the tables and the page', () => {
  const shape = { name: 'async-1k', title: 'Sends', flush: 'ASYNC_FLUSH' as const, variants: [variant()] };
  const text = shapeText(shape);
  assert.match(
    text,
    /\| 2 network threads +\| 100,000 +\| 4\.00 \(1\.00\) \| 2\.00 \(1\.00\) +\| 1\.25 \(0\.25\)/,
  );
  assert.match(text, /\| 2 network threads +\| 500,000 \| 500,000 \| 800,000 +\| > 5,000,000 \|/);
  assert.match(text, /\| 3\.0 \(20 %\) \| 0\.5 \(20 %\)/);
  const machine = {
    ...{ processor: 'CPU', processors: 2, memoryBytes: 2 ** 30, kernel: 'Linux', fileSystem: 'ext4' },
    ...{ node: 'v20', java: '', ringmqCommit: 'abc' },
  };
  const settings = {
    ...{ header: 'json', busyPollMicros: 0, rounds: 3, measuredSeconds: 4 },
    ...{ placement: 'split' as const, processors: [0, 1] },
  };
  const whole = page({ at: '2026-01-02T03:04:05Z', machine, settings, results: [shape] });
  assert.match(whole, 'abc on Node v20, 2026-01-02');
  assert.match(whole, 'network threads and generator on one processor');
  assert.ok(whole.endsWith(`${text}\n`));
});

test('where threads are pinned', () => {
  assert.equal(parseProcessors('0-2,5\n'), [0, 1, 2, 5]);
  assert.is(settled('auto', 2, 4), 'split');
  assert.is(settled('auto', 9, 4), 'each');
  assert.is(settled('auto', 1, 1), 'none');
  assert.is(settled('together', 2, 4), 'together');
  assert.throws(() => settled('each', 8, 4), /needs 9 processors/);
  assert.throws(() => settled('split', 1, 4), /needs two/);
  const places = (placement: 'split' | 'together' | 'each', processors: number[]) =>
    TWO_NETWORKS.map((one) => processorOf(one, PID, placement, processors));
  assert.equal(places('split', [4, 6]), [6, 6, 6, 4, 4, 6, 6, 6]);
  assert.equal(places('together', [4, 6]), [6, 6, 6, 6, 6, 6, 6, 6]);
  // The generator has the first one.
  assert.equal(places('each', [0, 1, 2, 3, 4, 5, 6]), [1, 1, 1, 5, 6, 2, 3, 4]);
});

test('time of syncs from the page of metrics', () => {
  assert.is(parseSyncSeconds('# TYPE ringmq_sync_seconds histogram\nringmq_sync_seconds_sum 1.25\n'), 1.25);
  assert.is(parseSyncSeconds('ringmq_sync_seconds_sum{cluster="c",broker="b"} 2e-3\n'), 0.002);
  assert.is(parseSyncSeconds(''), 0);
});

test('options, and the brokers that follow', () => {
  const { shapes, networkThreads, rounds, pin, busyPollMicros } = parseThreadsOptions([]);
  const names = shapes.map(({ name }) => name);
  assert.equal(names, ['async-1k', 'async-128b', 'sync-1k', 'pull']);
  assert.equal(
    { networkThreads, rounds, pin, busyPollMicros },
    {
      ...{ networkThreads: [1, 2, 4], rounds: 3, pin: 'auto', busyPollMicros: 0 },
    },
  );
  assert.is(parseThreadsOptions(['--quick']).rounds, 1);
  assert.throws(() => parseThreadsOptions(['--scenario', 'nope']), /no scenario "nope"/);
  assert.throws(() => parseThreadsOptions(['--network', '0']), /--network/);
  assert.throws(() => parseThreadsOptions(['--header', 'xml']), /--header/);
  assert.throws(() => parseThreadsOptions(['--pin', 'here']), /--pin/);
  const [two, byDefault] = variantsOf([2], { key: 'value' });
  const dedicated = { 'ringmq.engineLayout': 'dedicated', 'ringmq.networkThreads': '2' };
  assert.equal(two?.conf, { ...dedicated, key: 'value' });
  assert.equal(byDefault?.conf, { key: 'value' });
});

test.run();
