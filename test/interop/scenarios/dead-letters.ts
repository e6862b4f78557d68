// What unmodified clients see of retry policies, of the order of retries, and of messages that an orderly consumer
// gives up. The broker under test runs with messageDelayLevel=1s 2s 1s 1s 1s 3s.

import * as assert from 'uvu/assert';
import type { Kit } from '../support/clients.ts';
import { Ledger } from '../support/ledger.ts';
import { RawConnection } from '../support/raw.ts';
import { type Cluster, target } from '../support/target.ts';
import { allIntact, Consumer, createTopic, type Delivered, introduceGroup, Producer } from './actors.ts';

const CREATE_GROUP = 200;

export async function createGroup(connection: RawConnection, group: object): Promise<void> {
  const reply = await connection.request({ code: CREATE_GROUP, body: Buffer.from(JSON.stringify(group)) });
  assert.is(reply.code, 0, reply.remark);
}

/**
 * A client that names no level gets its retries by the policy of its group, here at a level and at a time that is
 * none; RocketMQ's broker takes levels 3 and 4.
 */
export async function retriesByPolicy(kit: Kit, cluster: Cluster): Promise<void> {
  const topic = 'by-policy';
  const group = 'by-policy-group';
  const connection = await RawConnection.open(cluster.broker.address);
  const groupRetryPolicy = { type: 'CUSTOMIZED', customizedRetryPolicy: { next: [1, 1, 2_000, 1_600] } };
  await createGroup(connection, { groupName: group, groupRetryPolicy });
  connection.destroy();
  await createTopic(kit, cluster, topic);
  await introduceGroup(kit, cluster, topic, group);
  const ledger = new Ledger();
  await new Producer(kit, cluster, { topic, count: 3, tags: 'T', prefix: 'bp' }, ledger).finish();
  const consumer = new Consumer(kit, cluster, { topic, group, expression: 'T', fail: 2 }, ledger);
  await consumer.receives(ledger);
  await consumer.stop();
  ledger.exactlyOnce();
  const levels = target === 'rocketmq' ? ['3', '4'] : ['2', undefined];
  for (const key of ledger.sent) {
    const tries = consumer.delivered.filter((message) => message.key === key);
    assert.equal(
      tries.map(({ properties }) => properties['DELAY']),
      [undefined, ...levels],
      `levels of ${key}`,
    );
  }
}

/** Many messages of one queue fail one after the other, while others are sent: they come again in that order. */
export async function retriesInOrder(kit: Kit, cluster: Cluster, count: number): Promise<void> {
  const topic = 'retries-in-order';
  const group = 'retries-in-order-group';
  const ledger = new Ledger();
  const args = { topic, modes: 'ordered', count, shards: 1, prefix: 'io' };
  await new Producer(kit, cluster, args, ledger).finish();
  await introduceGroup(kit, cluster, topic, group);
  const others = new Producer(kit, cluster, { topic: 'others', modes: 'async', count: 5_000, prefix: 'x' });
  const consumer = new Consumer(kit, cluster, { topic, group, fail: 1, threads: 1 }, ledger);
  await consumer.receives(ledger);
  await Promise.all([consumer.stop(), others.finish()]);
  ledger.exactlyOnce();
  allIntact(consumer.delivered);
  const failed = keysOf(consumer.delivered, 0);
  assert.is(failed.length, count);
  assert.equal(keysOf(consumer.delivered, 1), failed);
}

function keysOf(delivered: readonly Delivered[], reconsumeTimes: number): string[] {
  return delivered.filter((message) => message.reconsumeTimes === reconsumeTimes).map(({ key }) => key);
}

export interface OrderlyEnd {
  /** How often the client lets the listener fail when the maximum is 1. */
  readonly tries: number;
  /** What our broker is to say of why it is dead. */
  readonly reason: RegExp;
}

/** An orderly consumer that gives messages up: they lie in the dead-letter queue, in order, and the rest goes on. */
export async function orderlyDeadLetters(kit: Kit, cluster: Cluster, end: OrderlyEnd): Promise<void> {
  const topic = 'orderly-dead';
  const group = 'orderly-dead-group';
  const sent = new Ledger();
  await new Producer(
    kit,
    cluster,
    { topic, modes: 'ordered', count: 6, shards: 2, prefix: 'od' },
    sent,
  ).finish();
  const args = { topic, group, mode: 'orderly', fail: 1_000_000, 'max-reconsume': 1, suspend: 100 };
  const failing = new Consumer(kit, cluster, args);
  await failing.count(6 * end.tries);
  const ledger = new Ledger();
  for (const key of sent.sent) ledger.send(key);
  const reader = new Consumer(kit, cluster, { topic: `%DLQ%${group}`, group: 'orderly-reader' }, ledger);
  await reader.receives(ledger);
  await Promise.all([failing.stop(), reader.stop()]);
  ledger.exactlyOnce();
  allIntact(reader.delivered);
  for (const key of sent.sent) {
    const tries = failing.delivered.filter((message) => message.key === key);
    assert.is(tries.length, end.tries, `tries of ${key}`);
  }
  for (const shard of ['0', '1']) {
    const dead = reader.delivered.filter(({ properties }) => properties['shard'] === shard);
    // The reader has several threads.
    dead.sort((one, other) => ascending(one.queueOffset, other.queueOffset));
    const numbers = dead.map(({ properties }) => Number(properties['number']));
    assert.equal(numbers, [...numbers].sort(ascending), `dead letters of shard ${shard}`);
    assert.is(numbers.length, 3);
  }
  for (const dead of reader.delivered) tellsOfItself(dead, topic, group, end.reason);
}

function tellsOfItself({ properties }: Delivered, topic: string, group: string, reason: RegExp): void {
  assert.is(properties['RETRY_TOPIC'], topic);
  assert.ok(properties['ORIGIN_MESSAGE_ID']);
  const named = ['DLQ_ORIGIN_TOPIC', 'DLQ_ORIGIN_MESSAGE_ID', 'RINGMQ_DLQ_GROUP'].map(
    (name) => properties[name],
  );
  if (target === 'rocketmq') {
    assert.equal(named, [undefined, undefined, undefined]);
    return;
  }
  assert.equal(named, [topic, properties['ORIGIN_MESSAGE_ID'], group]);
  assert.match(properties['RINGMQ_DLQ_REASON'] ?? '', reason);
}

function ascending(a: number, b: number): number {
  return a - b;
}
