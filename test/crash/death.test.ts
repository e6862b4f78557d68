// When the log cannot be written any more the broker stops acknowledging, says why, and exits non-zero.

import { readdirSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { CommandClient } from '../../src/remoting/command-client.ts';
import { sendRequest, startBrokerProcess, temporaryStore } from '../support/broker-process.ts';

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
