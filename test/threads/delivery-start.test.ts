// Delivery starts with the first message that is to come later: what files say of a queue that is gone concerns none.

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { CommandClient } from '../../src/remoting/command-client.ts';
import {
  pullRequest,
  readQueue,
  sendRequest,
  startBrokerProcess,
  temporaryStore,
} from '../support/broker-process.ts';

const test = suite('start of delivery');

test('messages behind an offset of another life are delivered, and the next start knows how far they are', async () => {
  const { directory, remove } = temporaryStore();
  mkdirSync(join(directory, 'config'), { recursive: true });
  writeFileSync(join(directory, 'config/delayOffset.json'), '{"offsetTable":{1:1000}}');
  try {
    const broker = await startBrokerProcess(directory);
    const client = new CommandClient({ address: broker.broker });
    const send = (key: string, more: [string, string][]) =>
      client.request(sendRequest('T', 0, key, Buffer.from(key), more), 10_000);
    assert.is((await send('plain', [])).code, 0);
    for (const key of ['a', 'b']) assert.is((await send(key, [['DELAY', '1']])).code, 0);
    for (const count of [1, 2]) await client.request(pullRequest('T', 0, count, 10_000), 15_000);
    const expected = ['plain', 'a', 'b'];
    while ((await readQueue(client, 'T', 0)).length < expected.length)
      await client.request(pullRequest('T', 0, 2, 5_000), 10_000);
    assert.equal(await readQueue(client, 'T', 0), expected);
    client.close();
    broker.child.kill('SIGTERM');
    assert.is(await broker.ended, 0, broker.log());
    const next = await startBrokerProcess(directory);
    const again = new CommandClient({ address: next.broker });
    assert.is(
      (await again.request(sendRequest('T', 0, 'c', Buffer.from('c'), [['DELAY', '1']]), 10_000)).code,
      0,
    );
    await again.request(pullRequest('T', 0, 3, 10_000), 15_000);
    assert.equal(await readQueue(again, 'T', 0), [...expected, 'c']);
    again.close();
    next.child.kill('SIGTERM');
    assert.is(await next.ended, 0, next.log());
  } finally {
    remove();
  }
});

test.run();
