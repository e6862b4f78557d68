// A topic is deleted and made again, and the broker is killed before any checkpoint: the new topic's messages, numbered
// from 0, are what is there after the restart; also when all queues have to be built again from the log.

import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { RequestCode } from '../../src/protocol/codes.ts';
import { requestCommand } from '../../src/protocol/command.ts';
import { CommandClient } from '../../src/remoting/command-client.ts';
import {
  type BrokerProcess,
  readQueue,
  sendRequest,
  startBrokerProcess,
  temporaryStore,
} from '../support/broker-process.ts';

const TOPIC = 'again';
const test = suite('kill -9 after a topic was made again');

async function make(client: CommandClient): Promise<void> {
  const fields = {
    topic: TOPIC,
    defaultTopic: 'TBW102',
    readQueueNums: '1',
    writeQueueNums: '1',
    perm: '6',
    topicFilterType: 'SINGLE_TAG',
    topicSysFlag: '0',
    order: 'false',
  };
  assert.is(
    (await client.request(requestCommand(RequestCode.UPDATE_AND_CREATE_TOPIC, fields), 30_000)).code,
    0,
  );
}

async function send(client: CommandClient, keys: readonly string[]): Promise<void> {
  for (const key of keys) {
    assert.is((await client.request(sendRequest(TOPIC, 0, key, Buffer.from(key)), 10_000)).code, 0);
  }
}

async function kill(broker: BrokerProcess): Promise<void> {
  broker.child.kill('SIGKILL');
  await broker.ended;
}

async function withClient<T>(broker: BrokerProcess, use: (client: CommandClient) => Promise<T>): Promise<T> {
  const client = new CommandClient({ address: broker.broker });
  try {
    return await use(client);
  } finally {
    client.close();
  }
}

test('the queue holds the new messages and only them', async () => {
  const store = temporaryStore();
  let broker = await startBrokerProcess(store.directory);
  try {
    await withClient(broker, async (client) => {
      await make(client);
      await send(
        client,
        Array.from({ length: 10 }, (_, i) => `old${i}`),
      );
      const fields = { topic: TOPIC };
      const deleted = await client.request(
        requestCommand(RequestCode.DELETE_TOPIC_IN_BROKER, fields),
        30_000,
      );
      assert.is(deleted.code, 0);
      await make(client);
      await send(client, ['new0', 'new1', 'new2']);
    });
    await kill(broker);
    broker = await startBrokerProcess(store.directory);
    assert.equal(await withClient(broker, (client) => readQueue(client, TOPIC, 0)), ['new0', 'new1', 'new2']);
    await kill(broker);
    rmSync(join(store.directory, 'consumequeue'), { recursive: true });
    broker = await startBrokerProcess(store.directory);
    assert.equal(await withClient(broker, (client) => readQueue(client, TOPIC, 0)), ['new0', 'new1', 'new2']);
    await withClient(broker, (client) => send(client, ['new3']));
  } finally {
    await kill(broker);
    store.remove();
  }
});

test.run();
