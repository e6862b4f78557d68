// A broker killed in the middle of sending: everything that it acknowledged is there after the restart, once and in
// order, under both flush modes (kill -9 leaves the page cache; a power cut is the simulation's business).

import { rmSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { RequestCode } from '../../src/protocol/codes.ts';
import { requestCommand } from '../../src/protocol/command.ts';
import { CommandClient } from '../../src/remoting/command-client.ts';
import {
  type BrokerProcess,
  pullRequest,
  readQueue,
  sendRequest,
  startBrokerProcess,
  temporaryStore,
} from '../support/broker-process.ts';

const QUEUES = 4;
const ROUNDS = 3;
const SENDERS = 16;
const BEFORE_KILL = 400;
const test = suite('kill -9 in the middle of sending');

/** Sends until the connection breaks; returns the keys acknowledged, by queue. */
async function sendUntilBroken(
  client: CommandClient,
  round: number,
  onAcknowledged: () => void,
): Promise<string[][]> {
  const acknowledged: string[][] = Array.from({ length: QUEUES }, () => []);
  const sender = async (id: number) => {
    for (let i = 0; ; i++) {
      const key = `r${round}-s${id}-${i}`;
      const queue = i % QUEUES;
      try {
        const reply = await client.request(sendRequest('killed', queue, key, Buffer.from(key)), 5_000);
        if (reply.code !== 0) return;
      } catch {
        return;
      }
      acknowledged[queue]?.push(key);
      onAcknowledged();
    }
  };
  await Promise.all(Array.from({ length: SENDERS }, (_, id) => sender(id)));
  return acknowledged;
}

async function killDuringSends(broker: BrokerProcess, round: number): Promise<string[][]> {
  const client = new CommandClient({ address: broker.broker });
  let count = 0;
  const acknowledged = await sendUntilBroken(client, round, () => {
    if (++count === BEFORE_KILL) broker.child.kill('SIGKILL');
  });
  await broker.ended;
  client.close();
  assert.ok(count >= BEFORE_KILL);
  return acknowledged;
}

/** A sender waits for each answer before it sends on. */
function assertInOrder(keys: readonly string[], queue: number): void {
  const last = new Map<string, number>();
  for (const key of keys) {
    const [, sender = '', number] = /^(.+)-(\d+)$/.exec(key) ?? [];
    assert.ok(Number(number) > (last.get(sender) ?? -1), `queue ${queue}: ${key} after ${last.get(sender)}`);
    last.set(sender, Number(number));
  }
}

async function killAndCheck(args: readonly string[]): Promise<void> {
  const store = temporaryStore();
  let broker = await startBrokerProcess(store.directory, args);
  try {
    const all: string[][] = Array.from({ length: QUEUES }, () => []);
    for (let round = 0; round < ROUNDS; round++) {
      const acknowledged = await killDuringSends(broker, round);
      for (const [queue, keys] of acknowledged.entries()) all[queue]?.push(...keys);
      broker = await startBrokerProcess(store.directory, args);
      const client = new CommandClient({ address: broker.broker });
      for (const [queue, keys] of all.entries()) {
        const found = await readQueue(client, 'killed', queue);
        assert.is(new Set(found).size, found.length, `queue ${queue} holds a message twice`);
        const missing = keys.filter((key) => !found.includes(key));
        assert.equal(missing, [], `queue ${queue} lost acknowledged messages`);
        assertInOrder(found, queue);
      }
      client.close();
    }
    broker.child.kill('SIGTERM');
    assert.is(await broker.ended, 0);
  } finally {
    broker.child.kill('SIGKILL');
    store.remove();
  }
}

test('ASYNC_FLUSH: nothing acknowledged is lost, nothing is doubled', () => killAndCheck([]));
test('SYNC_FLUSH: the same', async () => {
  const conf = temporaryStore();
  writeFileSync(`${conf.directory}/broker.conf`, 'flushDiskType=SYNC_FLUSH\n');
  await killAndCheck(['-c', `${conf.directory}/broker.conf`]);
  conf.remove();
});

test('consumer offsets that have been saved outlive it', async () => {
  const store = temporaryStore();
  const conf = `${store.directory}.conf`;
  const position = { consumerGroup: 'test-consumers', topic: 'read', queueId: '0' };
  const commit = requestCommand(RequestCode.UPDATE_CONSUMER_OFFSET, { ...position, commitOffset: '1' });
  writeFileSync(conf, 'flushConsumerOffsetInterval=100\n');
  let broker = await startBrokerProcess(store.directory, ['-c', conf]);
  let client = new CommandClient({ address: broker.broker });
  try {
    assert.is((await client.request(sendRequest('read', 0, 'k', Buffer.from('x')), 5_000)).code, 0);
    // The first pull makes the group.
    await client.request(pullRequest('read', 0, 0, 5_000), 10_000);
    assert.is((await client.request(commit, 5_000)).code, 0);
    await sleep(2_000);
    broker.child.kill('SIGKILL');
    await broker.ended;
    client.close();
    broker = await startBrokerProcess(store.directory, ['-c', conf]);
    client = new CommandClient({ address: broker.broker });
    const query = requestCommand(RequestCode.QUERY_CONSUMER_OFFSET, position);
    assert.is((await client.request(query, 5_000)).fields['offset'], '1');
  } finally {
    client.close();
    broker.child.kill('SIGKILL');
    await broker.ended;
    store.remove();
    rmSync(conf);
  }
});

test.run();
