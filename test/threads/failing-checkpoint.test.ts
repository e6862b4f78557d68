// A checkpoint that cannot be written: sends and pulls go on, who waits for it is told why, and a stop ends.

import { mkdirSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { RequestCode, ResponseCode } from '../../src/protocol/codes.ts';
import { requestCommand } from '../../src/protocol/command.ts';
import { CommandClient } from '../../src/remoting/command-client.ts';
import { pullRequest, sendRequest, startBrokerProcess, temporaryStore } from '../support/broker-process.ts';

const test = suite('failing checkpoint');

async function send(client: CommandClient, topic: string): Promise<void> {
  const reply = await client.request(sendRequest(topic, 0, `key-${topic}`, Buffer.from('x')), 5_000);
  assert.is(reply.code, 0, reply.remark);
}

function deletion(topic: string) {
  return requestCommand(RequestCode.DELETE_TOPIC_IN_BROKER, { topic });
}

test('the deletion of a topic says what it waits for, everything else goes on, a stop exits with 1', async () => {
  const store = temporaryStore();
  const obstacle = join(store.directory, 'checkpoint.tmp');
  const broker = await startBrokerProcess(store.directory);
  const client = new CommandClient({ address: broker.broker });
  try {
    mkdirSync(obstacle);
    await send(client, 'doomed');
    await send(client, 'healthy');
    const deleted = await client.request(deletion('doomed'), 20_000);
    assert.is(deleted.code, ResponseCode.SYSTEM_ERROR);
    assert.match(deleted.remark ?? '', /doomed.*checkpoint.*cannot be written/);
    await send(client, 'healthy');
    const pulled = await client.request(pullRequest('healthy', 0, 1, 5_000), 10_000);
    assert.is(pulled.code, 0, pulled.remark);
    client.close();
    broker.child.kill('SIGTERM');
    assert.is(await broker.ended, 1, broker.log());
    assert.match(broker.log(), /not closed cleanly.*checkpoint cannot be written/);
    assert.is(broker.log().split('no checkpoint, tried again').length, 2, 'reported once');
  } finally {
    client.close();
    broker.child.kill('SIGKILL');
    store.remove();
  }
});

test('a deletion under way goes on by itself when checkpoints work again, and the stop is clean', async () => {
  const store = temporaryStore();
  const obstacle = join(store.directory, 'checkpoint.tmp');
  const broker = await startBrokerProcess(store.directory);
  const client = new CommandClient({ address: broker.broker });
  try {
    await send(client, 'other');
    mkdirSync(obstacle);
    await send(client, 'doomed');
    const refused = await client.request(deletion('doomed'), 20_000);
    assert.is(refused.code, ResponseCode.SYSTEM_ERROR);
    rmdirSync(obstacle);
    let again = await client.request(deletion('doomed'), 20_000);
    while (again.code !== 0) again = await client.request(deletion('doomed'), 20_000);
    await send(client, 'doomed');
    const pulled = await client.request(pullRequest('doomed', 0, 0, 5_000), 10_000);
    assert.is(pulled.fields['maxOffset'], '1', 'the topic made again begins at 0');
    client.close();
    broker.child.kill('SIGTERM');
    assert.is(await broker.ended, 0, broker.log());
  } finally {
    client.close();
    broker.child.kill('SIGKILL');
    store.remove();
  }
});

test.run();
