/** Messages that come later: transactional, delayed and timed, against a broker that loses, doubles or is early. */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { runLoad } from '../../../bench/load/load.ts';
import { parseLoadOptions } from '../../../bench/load/options.ts';
import type { LoadResult } from '../../../bench/load/recorder.ts';
import { FakeBroker } from './fake-broker.ts';

const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'load-due-'));
test.after(() => fs.rmSync(folder, { recursive: true }));

let ledgers = 0;
const quiet = async (): Promise<void> => {};
const verdict = ({ lost, duplicates, foreign }: LoadResult) => [lost, duplicates, foreign];

async function withBroker(faults: Partial<FakeBroker>, work: (broker: FakeBroker) => Promise<void>) {
  const broker = await new FakeBroker().open();
  Object.assign(broker, faults);
  try {
    await work(broker);
  } finally {
    broker.close();
  }
}

function load(broker: FakeBroker, ...args: string[]): Promise<LoadResult> {
  // so much work, however long it takes here
  const times = [
    '--warmup',
    '60',
    '--warmup-messages',
    '200',
    '--seconds',
    '0.05',
    '--body',
    '10',
    '--in-flight',
    '8',
  ];
  return runLoad(parseLoadOptions(['--port', String(broker.port), ...times, ...args]), quiet);
}

function newLedger(): string {
  return path.join(folder, `${++ledgers}.json`);
}

for (const header of ['json', 'binary']) {
  test(`transactions, ${header}: each half is committed once, and its commit is what counts`, async () => {
    await withBroker({}, async (broker) => {
      const ledger = newLedger();
      const sending = ['--transaction', '--header', header, '--connections', '3', '--messages', '300'];
      const sent = await load(broker, ...sending, '--ledger', ledger);
      assert.is(sent.errors, 0);
      assert.is(sent.messages, 300);
      assert.is(broker.halves.length, 300);
      assert.ok(broker.halves.every(({ ended }) => ended));
      assert.is(broker.stored, 300);
      const pulled = await load(broker, '--mode', 'pull', '--once', '--ledger', ledger);
      assert.equal(verdict(pulled), [0, 0, 0]);
    });
  });
}

test('transactions by time: none is left half way', async () => {
  await withBroker({}, async (broker) => {
    const sent = await load(broker, '--transaction', '--connections', '2');
    assert.is(sent.errors, 0);
    assert.ok(broker.stored >= 200);
    assert.is(broker.stored, broker.halves.length);
  });
});

test('a commit that is answered and not written is lost', async () => {
  await withBroker({ copies: (message) => (message === 7 ? 0 : 1) }, async (broker) => {
    const ledger = newLedger();
    await load(broker, '--transaction', '--messages', '80', '--ledger', ledger);
    const pulled = await load(broker, '--mode', 'pull', '--once', '--ledger', ledger, '--drain', '0.1');
    assert.equal(verdict(pulled), [1, 0, 0]);
  });
});

for (const due of [
  ['--timer-delay', '50'],
  ['--delay-level', '1'],
]) {
  test(`end to end ${due.join(' ')}: what comes later is waited for`, async () => {
    await withBroker({}, async (broker) => {
      const result = await load(broker, '--mode', 'end-to-end', '--connections', '2', ...due);
      assert.is(result.errors, 0);
      assert.equal(verdict(result), [0, 0, 0]);
      assert.ok((result.throughRate as number) > 0);
    });
  });
}

test('end to end: second copies of the last messages are seen, too', async () => {
  // the copies lie behind all that was expected
  await withBroker({ copies: (message) => (message === 0 ? 1 : 2) }, async (broker) => {
    const result = await load(broker, '--mode', 'end-to-end', '--connections', '1', '--timer-delay', '20');
    assert.is(result.lost, 0);
    assert.is(result.duplicates, (broker.stored - 1) / 2);
  });
});

async function sendAndCollect(broker: FakeBroker): Promise<LoadResult> {
  const ledger = newLedger();
  const due = ['--deliver-at', String(Date.now() + 300), '--spread', '200'];
  const all = ['--connections', '2', '--messages', '200', '--ledger', ledger, ...due];
  const sent = await load(broker, ...all);
  assert.is(sent.messages, 200);
  assert.is(sent.errors, 0);
  return load(broker, '--mode', 'collect', '--drain', '0.2', ...all);
}

test('collecting: all come, each at its own time', async () => {
  await withBroker({}, async (broker) => {
    const collected = await sendAndCollect(broker);
    assert.equal(verdict(collected), [0, 0, 0]);
    assert.is(collected.errors, 0);
    const { arrivals } = collected;
    assert.is(arrivals?.count, 200);
    assert.is(arrivals?.early, 0);
    assert.is(arrivals?.earliestMillis, 0);
    const stored = [...broker.queues.values()].flat();
    const times = stored.map(({ properties }) => /TIMER_DELIVER_MS.(\d{13})/.exec(properties)?.[1]);
    // two connections with the same hundred times, 2 ms from one to the next
    const distinct = [...new Set(times.map(Number))].sort((one, other) => one - other);
    assert.is(distinct.length, 100);
    assert.is((distinct[99] as number) - (distinct[0] as number), 198);
  });
});

test('collecting: losses, second copies and what comes early are counted', async () => {
  const copies = (message: number): number => (message === 4 ? 0 : message === 9 ? 2 : 1);
  await withBroker({ copies, lateMillis: -30 }, async (broker) => {
    const collected = await sendAndCollect(broker);
    assert.equal(verdict(collected), [1, 1, 0]);
    assert.is(collected.arrivals?.count, 199);
    assert.is(collected.arrivals?.early, 199);
    assert.is(collected.arrivals?.earliestMillis, 30);
  });
});

test('collecting: late is measured from the time that was asked for', async () => {
  await withBroker({ lateMillis: 100 }, async (broker) => {
    const { arrivals } = await sendAndCollect(broker);
    assert.is(arrivals?.early, 0);
    assert.ok((arrivals?.stored.p50 as number) >= 99_000, JSON.stringify(arrivals));
    // the clocks differ by less than a millisecond
    assert.ok((arrivals?.seen.p50 as number) >= 98_000, JSON.stringify(arrivals));
  });
});

test.run();
