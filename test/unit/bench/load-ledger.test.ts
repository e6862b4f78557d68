/** Sending, pulling and both at once against a broker that loses or doubles what it is told to. */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { runLoad } from '../../../bench/load/load.ts';
import { parseLoadOptions } from '../../../bench/load/options.ts';
import type { LoadResult } from '../../../bench/load/recorder.ts';
import { type Copies, FakeBroker } from './fake-broker.ts';

const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'load-ledger-'));
test.after(() => fs.rmSync(folder, { recursive: true }));

let ledgers = 0;
const quiet = async (): Promise<void> => {};

async function withBroker(copies: Copies, work: (broker: FakeBroker) => Promise<void>): Promise<void> {
  const broker = await new FakeBroker().open();
  broker.copies = copies;
  try {
    await work(broker);
  } finally {
    broker.close();
  }
}

function load(broker: FakeBroker, ...args: string[]): Promise<LoadResult> {
  // so much work, however long it takes here
  const times = ['--warmup', '60', '--warmup-messages', '200', '--seconds', '0.05', '--body', '10'];
  return runLoad(parseLoadOptions(['--port', String(broker.port), ...times, ...args]), quiet);
}

interface Checked {
  sent: LoadResult;
  pulled: LoadResult;
}

async function sendAndPull(broker: FakeBroker, send: string[], pull: string[]): Promise<Checked> {
  const ledger = path.join(folder, `${++ledgers}.json`);
  const sent = await load(broker, '--ledger', ledger, '--connections', '2', '--in-flight', '8', ...send);
  const pulled = await load(broker, '--mode', 'pull', '--once', '--ledger', ledger, ...pull);
  return { sent, pulled };
}

const once: Copies = () => 1;
const verdict = ({ lost, duplicates, foreign }: LoadResult) => [lost, duplicates, foreign];

for (const [name, send, pull] of [
  ['single sends, a queue a connection', [], ['--connections', '4']],
  ['batches, parts of queues', ['--batch', '5'], ['--connections', '10', '--pull-batch', '7']],
  [
    'binary headers, several queues a connection',
    ['--header', 'binary'],
    ['--connections', '1', '--header', 'binary'],
  ],
  ['several topics', ['--topics', '3'], ['--topics', '3', '--connections', '2']],
] as const) {
  test(`a whole backlog: ${name}`, async () => {
    await withBroker(once, async (broker) => {
      const { sent, pulled } = await sendAndPull(broker, [...send], [...pull]);
      assert.is(sent.errors, 0);
      assert.is(sent.messages, (sent.requests as number) * (send[0] === '--batch' ? 5 : 1));
      assert.is(pulled.errors, 0);
      assert.is(pulled.messages, broker.stored);
      assert.ok((pulled.requests as number) <= pulled.messages);
      assert.equal(verdict(pulled), [0, 0, 0]);
      assert.is(pulled.wholePasses, 1);
      assert.ok(broker.heartbeats > 0);
    });
  });
}

test('acknowledged and not stored is lost', async () => {
  await withBroker(
    (message) => (message === 3 || message === 12 ? 0 : 1),
    async (broker) => {
      const { pulled } = await sendAndPull(broker, [], ['--drain', '0.1']);
      assert.equal(verdict(pulled), [2, 0, 0]);
    },
  );
});

test('stored twice is a duplicate', async () => {
  await withBroker(
    (message) => (message === 5 ? 3 : 1),
    async (broker) => {
      const { pulled } = await sendAndPull(broker, [], ['--connections', '8']);
      assert.equal(verdict(pulled), [0, 2, 0]);
    },
  );
});

test('sent by a run that the ledger does not know is foreign', async () => {
  await withBroker(once, async (broker) => {
    await load(broker, '--run', '77');
    const others = broker.stored;
    const { pulled } = await sendAndPull(broker, ['--run', '78'], []);
    assert.equal(verdict(pulled), [0, 0, others]);
  });
});

test('again and again: each pass may see each message once', async () => {
  await withBroker(
    (message) => (message === 2 ? 0 : 1),
    async (broker) => {
      await load(broker, '--connections', '1', '--in-flight', '4', '--seconds', '0.01', '--run', '6');
      const pulled = await load(
        broker,
        '--mode',
        'pull',
        '--expect',
        '6:1:4',
        '--seconds',
        '0.3',
        '--drain',
        '60',
      );
      assert.ok((pulled.wholePasses as number) > 0);
      assert.is(pulled.lost, 1, 'of the first four');
      assert.is(pulled.duplicates, 0);
    },
  );
});

test('a part of the backlog proves no loss', async () => {
  await withBroker(once, async (broker) => {
    const { pulled } = await sendAndPull(broker, [], ['--from-fraction', '0.5']);
    assert.ok(pulled.messages < broker.stored);
    assert.equal(verdict(pulled), [undefined, 0, 0]);
  });
});

test('an empty topic is an error', async () => {
  await withBroker(once, async (broker) => {
    let complaint = '';
    await load(broker, '--mode', 'pull', '--once').catch((error: Error) => (complaint = error.message));
    assert.match(complaint, /nothing to pull in ringmq_bench/);
  });
});

for (const args of [[], ['--rate', '500'], ['--batch', '3'], ['--header', 'binary', '--consumers', '2']]) {
  test(`end to end ${args.join(' ')}: what is sent arrives once`, async () => {
    await withBroker(once, async (broker) => {
      await load(broker, '--run', '1', '--seconds', '0.01');
      const result = await load(broker, '--mode', 'end-to-end', '--run', '2', '--connections', '2', ...args);
      assert.is(result.errors, 0);
      assert.equal(verdict(result), [0, 0, 0]);
      assert.type(result.consumed, 'number');
      assert.type(result.endToEnd?.p99, 'number');
    });
  });
}

test('end to end: losses and doubles are seen', async () => {
  await withBroker(
    (message) => (message === 4 ? 0 : message === 9 ? 2 : 1),
    async (broker) => {
      const result = await load(broker, '--mode', 'end-to-end', '--connections', '1', '--drain', '3');
      assert.equal(verdict(result), [1, 1, 0]);
    },
  );
});

test.run();
