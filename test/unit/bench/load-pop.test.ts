/** Popping and acknowledging a backlog, from a broker that may forget a message, give it twice or refuse its end. */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { runLoad } from '../../../bench/load/load.ts';
import { parseLoadOptions } from '../../../bench/load/options.ts';
import type { LoadResult } from '../../../bench/load/recorder.ts';
import { FakeBroker } from './fake-broker.ts';

const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'load-pop-'));
test.after(() => fs.rmSync(folder, { recursive: true }));

const MESSAGES = 1200;
const quiet = async (): Promise<void> => {};
let ledgers = 0;

async function load(broker: FakeBroker, ...args: string[]): Promise<LoadResult> {
  return runLoad(parseLoadOptions(['--port', String(broker.port), '--body', '10', ...args]), quiet);
}

/** Sends a backlog, then pops it: once, unless the arguments say something else. */
async function pop(
  prepare: (broker: FakeBroker) => void,
  args: string[] = ['--once'],
): Promise<{ broker: FakeBroker; result: LoadResult }> {
  const broker = await new FakeBroker().open();
  const ledger = path.join(folder, `${++ledgers}.json`);
  try {
    const sends = ['--ledger', ledger, '--connections', '2', '--messages', String(MESSAGES)];
    assert.is((await load(broker, ...sends, '--queues', '8')).errors, 0);
    prepare(broker);
    const pops = ['--mode', 'pop', '--ledger', ledger, '--queues', '8', '--broker-name', 'b'];
    return { broker, result: await load(broker, ...pops, '--connections', '3', ...args) };
  } finally {
    broker.close();
  }
}

const verdict = ({ lost, duplicates, foreign, wholePasses }: LoadResult) => [
  lost,
  duplicates,
  foreign,
  wholePasses,
];

test('every message of a backlog is popped and acknowledged once, by the names that the answers gave', async () => {
  const { broker, result } = await pop(() => {});
  assert.is(result.errors, 0);
  assert.equal(verdict(result), [0, 0, 0, 1]);
  assert.is(result.messages, MESSAGES);
  assert.is(broker.pops.acknowledged, MESSAGES);
  assert.is(broker.pops.outstanding, 0);
  assert.ok(broker.pops.popped.every((count) => count <= 32));
  assert.type(result.acknowledged?.p99, 'number');
});

test('a backlog that is over begins again for another group', async () => {
  const { broker, result } = await pop(() => {}, [
    '--warmup',
    '60',
    '--warmup-messages',
    '3000',
    '--seconds',
    '0',
  ]);
  assert.is(result.errors, 0);
  assert.equal(verdict(result).slice(0, 3), [0, 0, 0]);
  assert.ok((result.wholePasses ?? 0) >= 2, `${result.wholePasses} passes`);
  assert.ok(broker.pops.groups.size >= 3);
  assert.is(broker.pops.outstanding, 0, 'what was popped is acknowledged, also at the end');
});

test('a message that is passed over is lost', async () => {
  const part = ['--warmup', '60', '--warmup-messages', String(MESSAGES / 2), '--seconds', '0'];
  const { result } = await pop((broker) => {
    broker.pops.copies = (message) => (message === 20 ? 0 : 1);
  }, part);
  assert.is(result.lost, 1);
});

test('a message that is not in its queue is lost when all others have come', async () => {
  const { result } = await pop(
    (broker) => {
      const queue = [...broker.queues.values()][3];
      queue?.splice(7, 1);
    },
    ['--once', '--drain', '0'],
  );
  assert.equal(verdict(result), [1, 0, 0, 1]);
});

test('a message that comes twice is a duplicate', async () => {
  const { result } = await pop((broker) => {
    broker.pops.copies = (message) => (message === 20 ? 2 : 1);
  });
  assert.is(result.duplicates, 1);
});

test('a refused acknowledgement is an error, and its message does not count', async () => {
  const { result } = await pop((broker) => {
    broker.pops.ackCode = (number) => (number === 5 ? 13 : 0);
  });
  assert.equal(result.errorCodes, { 13: 1 });
  assert.is(result.messages, MESSAGES - 1);
});

test.run();
