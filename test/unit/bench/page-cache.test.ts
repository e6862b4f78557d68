import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { ledgerOf } from '../../../bench/rocketmq/load-run.ts';
import { logFiles, logParts, residentShare } from '../../../bench/rocketmq/page-cache.ts';
import { smallestHeap } from '../../../bench/rocketmq/scenarios.ts';
import { topicNames } from '../../../bench/rocketmq/work/topics.ts';

test('a range of the log as parts of its files', () => {
  const files = ['00000000000000000000', '00000000000000000100', '00000000000000000200'].map((file) => ({
    file,
    bytes: 100,
  }));
  const parts = logParts(files, 90, 210).map(({ file, from, length }) => [Number(file), from, length]);
  assert.equal(parts, [
    [0, 90, 10],
    [100, 0, 100],
    [200, 0, 10],
  ]);
  assert.equal(logParts(files, 100, 100), []);
});

test('pages that were just written are in memory, those of a hole are not', () => {
  const store = fs.mkdtempSync(path.join(os.tmpdir(), 'ringmq-bench-'));
  try {
    const folder = path.join(store, 'commitlog');
    fs.mkdirSync(folder);
    const file = path.join(folder, '00000000000000000000');
    fs.writeFileSync(file, new Uint8Array(64 * 4096).fill(1));
    fs.truncateSync(file, 128 * 4096);
    fs.writeFileSync(path.join(folder, 'note'), 'no log file');
    const files = logFiles(store);
    assert.equal(files, [{ file, bytes: 128 * 4096 }]);
    assert.is(residentShare(logParts(files, 0, 64 * 4096)), 1);
    assert.is(residentShare(logParts(files, 64 * 4096, 128 * 4096)), 0);
    assert.is(residentShare([]), 0);
  } finally {
    fs.rmSync(store, { recursive: true });
  }
});

test('a ledger is only clean when a whole pass proved it', () => {
  assert.is(ledgerOf({}), undefined);
  const clean = { lost: 0, duplicates: 0, foreign: 0 };
  assert.equal(ledgerOf(clean), clean);
  assert.throws(() => ledgerOf({ duplicates: 0, foreign: 0 }), /no pass/);
});

test('the smallest heap that is enough', () => {
  const rates = new Map([
    ['rocketmq-8g', 100],
    ['rocketmq-512m', 60],
    ['rocketmq-1g', 95],
    ['rocketmq-2g', 99],
  ]);
  assert.is(smallestHeap(rates), 'rocketmq-1g');
  rates.set('rocketmq-8g', 110);
  assert.is(smallestHeap(rates), undefined);
  assert.is(smallestHeap(new Map([['rocketmq-1g', 95]])), undefined);
});

test('topics are named as the generator names them', () => {
  assert.equal(topicNames(1), ['ringmq_bench']);
  assert.equal(topicNames(100)[99], 'ringmq_bench_00099');
});

test.run();
