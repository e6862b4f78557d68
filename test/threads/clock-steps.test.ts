// A broker whose machine's clock is set while it runs: delayed messages keep their delay, clients stay.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { CommandClient } from '../../src/remoting/command-client.ts';
import {
  type BrokerProcess,
  pullRequest,
  sendRequest,
  startBrokerProcess,
  temporaryStore,
} from '../support/broker-process.ts';

const test = suite('clock steps');

const MINUTE = 60_000;
const YEAR = 365 * 24 * 60 * MINUTE;
/** Level 1, and how much of it the rounding of a wake-up may take away. */
const DELAY_MS = 1_000;
const ROUNDING_MS = 20;

const folder = mkdtempSync(join(tmpdir(), 'ringmq-clock-'));
const store = temporaryStore();
let broker: BrokerProcess | undefined;

test.after(async () => {
  broker?.child.kill('SIGKILL');
  await broker?.ended;
  rmSync(folder, { recursive: true });
  store.remove();
});

/** A file that says by how many ms the clock of the broker is wrong; all its threads look there. */
const stepFile = join(folder, 'step');

function wrongBy(ms: number): void {
  writeFileSync(stepFile, String(ms).padEnd(20));
}

/** What is loaded before the broker's code, in each thread. */
function preload(): string {
  const path = join(folder, 'clock.mjs');
  writeFileSync(
    path,
    `import { readFileSync } from 'node:fs';
const real = Date.now;
Date.now = () => real() + Number(readFileSync(${JSON.stringify(stepFile)}, 'utf8'));
`,
  );
  return pathToFileURL(path).href;
}

test('a delay of a second takes a second after each step, and the connection lives on', async () => {
  wrongBy(0);
  broker = await startBrokerProcess(store.directory, [], {
    env: { NODE_OPTIONS: `--import ${preload()}` },
  });
  const client = new CommandClient({ address: broker.broker });
  await client.request(sendRequest('clock', 0, 'first', Buffer.from('x')), 10_000);
  let offset = 1;
  for (const [before, after] of [
    [0, 0],
    [-10 * MINUTE, -10 * MINUTE],
    [-10 * MINUTE, YEAR],
    [YEAR, YEAR],
    [YEAR, 0],
    [0, -YEAR],
    [0, 10 * MINUTE],
  ] as const) {
    wrongBy(before);
    const start = performance.now();
    const key = `${before} ${after}`;
    const sent = await client.request(
      sendRequest('clock', 0, key, Buffer.from('x'), [['DELAY', '1']]),
      10_000,
    );
    assert.is(sent.code, 0, sent.remark);
    wrongBy(after);
    const pulled = await client.request(pullRequest('clock', 0, offset, 20_000), 30_000);
    const took = performance.now() - start;
    assert.is(pulled.code, 0, `${key}: not delivered`);
    assert.ok(took >= DELAY_MS - ROUNDING_MS, `${key}: delivered after ${took} ms`);
    offset++;
  }
  client.close();
});

test.run();
