// What producers of the official gRPC clients bring about through RocketMQ's proxy, seen in the broker's log: no
// consumer of theirs takes part.

import { setTimeout as sleep } from 'node:timers/promises';
import * as assert from 'uvu/assert';
import { RawConnection } from '../support/raw.ts';
import { readQueue, type StoredRecord } from '../support/records.ts';
import type { Cluster } from '../support/target.ts';
import { ARRIVAL, type Scene } from './grpc-actors.ts';

const QUEUES = 4;
const DELAY = 3_000;
/** Timers count in whole seconds, and RocketMQ rounds down. */
const ROUNDED = 1_000;
const LOOK_EVERY = 100;

/** What lies in the topic's queues, queue by queue, once it is so much. */
export async function lying({ broker }: Cluster, topic: string, count: number): Promise<StoredRecord[]> {
  const connection = await RawConnection.open(broker.address);
  try {
    for (const end = Date.now() + ARRIVAL; ; await sleep(LOOK_EVERY)) {
      const records: StoredRecord[] = [];
      for (let queue = 0; queue < QUEUES; queue++)
        records.push(...(await readQueue(connection, topic, queue)));
      if (records.length >= count) return records;
      if (Date.now() > end) throw new Error(`${records.length} of ${count} in ${topic} after ${ARRIVAL} ms`);
    }
  } finally {
    connection.destroy();
  }
}

function keysIn(records: readonly StoredRecord[]): string[] {
  return records.map(({ properties }) => properties['KEYS'] ?? '').sort();
}

/** Messages of the types that say no more than a word of their own. */
export async function typesAreStored({ clients, stage, cluster }: Scene): Promise<void> {
  const topicOf = (type: string): string => `${clients.kit.id}-stored-${type}`;
  const cases = [
    { type: 'NORMAL', args: {}, stored: {} },
    { type: 'FIFO', args: { 'message-group': 'lane' }, stored: { __SHARDINGKEY: 'lane' } },
    { type: 'PRIORITY', args: { priority: 2 }, stored: { _SYS_MSG_PRIORITY_: '2' } },
  ];
  for (const { type, args, stored } of cases) {
    const topic = topicOf(type);
    await stage.topic(topic, type, QUEUES);
    const producer = await clients.producer(topic);
    const keys = ['a', 'b', 'c'];
    const ids = new Map<string, string>();
    for (const key of keys)
      ids.set(key, (await producer.send(key, { tag: 'T', colour: 'red', ...args })).messageId);
    const records = await lying(cluster, topic, keys.length);
    assert.equal(keysIn(records), keys, type);
    for (const { body, properties } of records) {
      const key = properties['KEYS'] ?? '';
      assert.is(properties['UNIQ_KEY'], ids.get(key));
      assert.is(properties['TAGS'], 'T');
      assert.is(properties['colour'], 'red');
      assert.is(properties['unicode'], 'grüße-汉字');
      assert.ok(body.toString().startsWith(`${key} ${key} `));
      for (const [name, value] of Object.entries(stored))
        assert.is(properties[name], value, `${type} ${name}`);
    }
    if (type === 'FIFO') {
      assert.is(new Set(records.map(({ queueId }) => queueId)).size, 1);
      assert.equal(
        records.map(({ properties }) => properties['KEYS']),
        keys,
      );
    }
    await clients.close(producer);
  }
}

/** A delayed message stands in its topic at its time; a recalled one never does. */
export async function delaysAreKept({ clients, stage, cluster }: Scene): Promise<void> {
  const topic = `${clients.kit.id}-stored-DELAY`;
  await stage.topic(topic, 'DELAY', QUEUES);
  const producer = await clients.producer(topic);
  const sent = Date.now();
  const recalled = await producer.send('recalled', { delay: DELAY });
  for (const key of ['d0', 'd1']) await producer.send(key, { delay: DELAY });
  assert.is(await producer.recall(String(recalled.recallHandle)), recalled.messageId);
  const refusal = await producer.recallRefused('nonsense');
  assert.match(refusal.message, /handle/i);
  const records = await lying(cluster, topic, 2);
  assert.equal(keysIn(records), ['d0', 'd1']);
  for (const { storeTime } of records) assert.ok(storeTime >= sent + DELAY - ROUNDED, `${storeTime - sent}`);
  await clients.close(producer);
}

/** Transactions that are ended, and those that are left and asked for. */
export async function transactionsEnd({ clients, stage, cluster }: Scene): Promise<void> {
  const topic = `${clients.kit.id}-stored-TRANSACTION`;
  await stage.topic(topic, 'TRANSACTION', QUEUES);
  const producer = await clients.producer(topic);
  const committed = await producer.transact('committed', { end: 'commit' });
  await producer.transact('rolled-back', { end: 'rollback' });
  await producer.transact('left-commit', { end: 'leave', check: 'commit' });
  await producer.transact('left-rollback', { end: 'leave', check: 'rollback' });
  for (const key of ['left-commit', 'left-rollback']) {
    const check = await clients.checked(topic, key);
    assert.ok(check.intact, JSON.stringify(check));
  }
  await producer.transact('last', { end: 'commit' });
  const records = await lying(cluster, topic, 3);
  assert.equal(keysIn(records), ['committed', 'last', 'left-commit']);
  const [first] = records.filter(({ properties }) => properties['KEYS'] === 'committed');
  assert.is(first?.properties['UNIQ_KEY'], committed.messageId);
  await clients.close(producer);
}

/** The proxy refuses messages that do not fit the type of their topic. */
export async function misfits({ clients, stage }: Scene): Promise<void> {
  const topic = `${clients.kit.id}-misfit`;
  await stage.topic(topic, 'NORMAL');
  const producer = await clients.producer(topic);
  await producer.send('fits');
  for (const args of [{ 'message-group': 'lane' }, { delay: DELAY }] as const) {
    const refusal = await producer.refused('misfit', args);
    assert.match(refusal.message, /type/i, JSON.stringify(args));
  }
  await clients.close(producer);
}
