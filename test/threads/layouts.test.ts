// Every way to spread the engine over threads carries messages, holds back who sends too much, delivers what becomes
// due, also what has waited for the start, and stops cleanly.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { CommandClient } from '../../src/remoting/command-client.ts';
import { ENGINE_LAYOUTS, type EngineLayout } from '../../src/threads/engine-layout.ts';
import {
  type BrokerProcess,
  pullRequest,
  readQueue,
  sendRequest,
  startBrokerProcess,
  temporaryStore,
} from '../support/broker-process.ts';

const test = suite('layouts of the engine');
const SMALL = 400;
/** Together twice the send ring: the network thread must wait for the writer, wherever that runs. */
const LARGE = 40;
const LARGE_BODY = Buffer.alloc(200 * 1024, 'x');
const PAST_THE_RING = Buffer.alloc(600 * 1024, 'y');

async function start(layout: EngineLayout, flush: string, directory: string): Promise<BrokerProcess> {
  const config = join(directory, 'broker.conf');
  const lines = [
    `ringmq.engineLayout=${layout}`,
    `flushDiskType=${flush}`,
    'mappedFileSizeCommitLog=16777216',
  ];
  writeFileSync(config, lines.join('\n'));
  return startBrokerProcess(join(directory, 'store'), ['-c', config]);
}

async function sendAll(client: CommandClient, topic: string): Promise<string[]> {
  const sends: [string, Buffer][] = [
    ...Array.from({ length: SMALL }, (_, i): [string, Buffer] => [`s${i}`, Buffer.from(`body ${i}`)]),
    ...Array.from({ length: LARGE }, (_, i): [string, Buffer] => [`l${i}`, LARGE_BODY]),
    ['slab', PAST_THE_RING],
  ];
  // The first one makes the topic; what is sent meanwhile may come before what waits for it.
  assert.is((await client.request(sendRequest(topic, 0, 'first', Buffer.from('0')), 5_000)).code, 0);
  const replies = sends.map(([key, body]) => client.request(sendRequest(topic, 0, key, body), 20_000));
  for (const reply of await Promise.all(replies)) assert.is(reply.code, 0, reply.remark);
  return ['first', ...sends.map(([key]) => key)];
}

async function stop({ child, ended, log }: BrokerProcess): Promise<void> {
  child.kill('SIGTERM');
  assert.is(await ended, 0, log());
}

/** What a test leaves, also when it fails: last made, first gone. */
const after: (() => void)[] = [];
test.after.each(() => {
  for (const clean of after.splice(0).reverse()) clean();
});

for (const layout of ENGINE_LAYOUTS) {
  for (const flush of ['ASYNC_FLUSH', 'SYNC_FLUSH']) {
    test(`${layout}, ${flush}`, async () => {
      const { directory, remove } = temporaryStore();
      after.push(remove);
      const first = await start(layout, flush, directory);
      after.push(() => void first.child.kill('SIGKILL'));
      const client = new CommandClient({ address: first.broker });
      const sent = await sendAll(client, 'spread');
      // Delivered through a ring of its own to the same writer.
      // Under ASYNC_FLUSH a message is acknowledged before its queue shows it, and a pull behind the queue's end is
      // answered at once instead of waiting.
      for (let i = 0; i < 1_000 && (await readQueue(client, 'spread', 0)).length < sent.length; i++);
      const delayed = sendRequest('spread', 0, 'delayed', Buffer.from('later'), [['DELAY', '1']]);
      assert.is((await client.request(delayed, 5_000)).code, 0);
      await client.request(pullRequest('spread', 0, sent.length, 10_000), 15_000);
      const expected = [...sent, 'delayed'];
      assert.equal(await readQueue(client, 'spread', 0), expected);
      const waits = sendRequest('spread', 0, 'waits', Buffer.from('longer'), [['DELAY', '1']]);
      assert.is((await client.request(waits, 5_000)).code, 0);
      client.close();
      await stop(first);

      const second = await start(layout, flush, directory);
      after.push(() => void second.child.kill('SIGKILL'));
      const again = new CommandClient({ address: second.broker });
      await again.request(pullRequest('spread', 0, expected.length, 10_000), 15_000);
      assert.equal(await readQueue(again, 'spread', 0), [...expected, 'waits']);
      assert.is((await again.request(sendRequest('spread', 0, 'more', Buffer.from('z')), 5_000)).code, 0);
      again.close();
      await stop(second);
    });
  }
}

test.run();
