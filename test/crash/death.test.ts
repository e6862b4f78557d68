// When the log cannot be written any more the broker stops acknowledging, says why, and exits non-zero.

import { readdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { CommandClient } from '../../src/remoting/command-client.ts';
import { readQueue, sendRequest, startBrokerProcess, temporaryStore } from '../support/broker-process.ts';

const test = suite('death of a broker');

test('a CommitLog file that vanishes under its mapping ends the broker, not in a crash, and without a false answer', async () => {
  const store = temporaryStore();
  const broker = await startBrokerProcess(store.directory);
  const client = new CommandClient({ address: broker.broker });
  try {
    const reply = await client.request(sendRequest('dying', 0, 'first', Buffer.from('x')), 5_000);
    assert.is(reply.code, 0);
    const log = join(store.directory, 'commitlog');
    for (const name of readdirSync(log)) truncateSync(join(log, name), 0);
    let acknowledged = 0;
    for (let i = 0; i < 200; i++) {
      const outcome = await client
        .request(sendRequest('dying', 0, `late-${i}`, Buffer.alloc(8192)), 5_000)
        .catch(() => undefined);
      if (outcome === undefined) break;
      if (outcome.code === 0) acknowledged++;
    }
    assert.is(await broker.ended, 1, broker.log());
    assert.match(broker.log(), /stopped acknowledging/);
    // What was acknowledged before the fault was noticed lay in the page that was still mapped.
    assert.ok(acknowledged <= 1, `${acknowledged} messages were acknowledged into nothing`);
  } finally {
    client.close();
    broker.child.kill('SIGKILL');
    store.remove();
  }
});

/** Loaded in each thread: those below control that have an event loop throw once the file is there. */
function thrower(sign: string): string {
  return `import { existsSync } from 'node:fs';
import { isMainThread } from 'node:worker_threads';
const look = () => {
  if (existsSync(${JSON.stringify(sign)})) throw new Error('thrown by the test');
};
if (!isMainThread) setInterval(look, 20).unref();
`;
}

test('a thread that throws ends the broker, which says so, and the next start has what was acknowledged', async () => {
  const store = temporaryStore();
  const tools = temporaryStore();
  const [sign, module] = [join(tools.directory, 'sign'), join(tools.directory, 'thrower.mjs')];
  writeFileSync(module, thrower(sign));
  let broker = await startBrokerProcess(store.directory, [], {
    env: { NODE_OPTIONS: `--import ${pathToFileURL(module).href}` },
  });
  let client = new CommandClient({ address: broker.broker });
  try {
    assert.is((await client.request(sendRequest('dying', 0, 'first', Buffer.from('x')), 5_000)).code, 0);
    writeFileSync(sign, '');
    assert.is(await broker.ended, 1, broker.log());
    assert.match(broker.log(), /stopped acknowledging/);
    assert.match(broker.log(), /thrown by the test/);
    client.close();
    rmSync(sign);
    broker = await startBrokerProcess(store.directory);
    client = new CommandClient({ address: broker.broker });
    assert.equal(await readQueue(client, 'dying', 0), ['first']);
  } finally {
    client.close();
    broker.child.kill('SIGKILL');
    await broker.ended;
    store.remove();
    tools.remove();
  }
});

test('a second broker on the same store is refused with a sentence', async () => {
  const store = temporaryStore();
  const broker = await startBrokerProcess(store.directory);
  try {
    let message = '';
    await startBrokerProcess(store.directory).catch((error: Error) => {
      message = error.message;
    });
    assert.match(message, /ended with 1 before it was ready/);
    assert.match(message, /in use by another broker/);
    assert.not.match(message, /\bat .*\.js:\d+/);
  } finally {
    broker.child.kill('SIGTERM');
    assert.is(await broker.ended, 0);
    store.remove();
  }
});

test.run();
