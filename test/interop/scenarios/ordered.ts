// Ordered messages: each shard goes to one queue, each queue is consumed by one member at a time, in order.

import * as assert from 'uvu/assert';
import type { Kit } from '../support/clients.ts';
import { Ledger } from '../support/ledger.ts';
import type { Cluster } from '../support/target.ts';
import { allIntact, allReceived, Consumer, createTopic, type Delivered, Producer } from './actors.ts';

const SHARDS = 4;
/** A lock that nobody releases is taken over after 60 s; an orderly leave must not take that long. */
const TAKE_OVER = 30_000;

/** Two members share the queues; within a shard the numbers rise, also when one of them fails for a while. */
export async function orderedSharing(kit: Kit, cluster: Cluster, count: number): Promise<void> {
  const topic = 'ordered';
  const group = 'ordered-group';
  await createTopic(kit, cluster, topic);
  const ledger = new Ledger();
  ledger.send(`first-of-${topic}-0`);
  const one = new Consumer(kit, cluster, { topic, group, mode: 'orderly', instance: 'one' }, ledger);
  await one.receives(ledger);
  const two = new Consumer(kit, cluster, { topic, group, mode: 'orderly', instance: 'two' }, ledger);
  await Promise.all([one.holds(2), two.holds(2)]);
  const args = { topic, modes: 'ordered', count, shards: SHARDS, prefix: 'o' };
  const acked = await new Producer(kit, cluster, args, ledger).finish();
  const queuesOfShard = new Map<number, Set<number>>();
  for (const [number, sent] of acked.entries()) {
    const queues = queuesOfShard.get(number % SHARDS) ?? new Set();
    queuesOfShard.set(number % SHARDS, queues.add(sent.queueId));
  }
  for (const [shard, queues] of queuesOfShard) assert.is(queues.size, 1, `shard ${shard} stays in one queue`);
  await allReceived([one, two], ledger);
  await two.stop();
  ledger.exactlyOnce();
  for (const member of [one, two]) inOrder(member.delivered);
  allIntact([...one.delivered, ...two.delivered]);
  assert.ok(two.delivered.length > 0, 'the second member took part');

  // The one that stays gets the locks of the one that left.
  await one.holds(4);
  const more = new Ledger();
  one.program.onEvent((event) => {
    if (event.event === 'message') more.deliver((event['message'] as Delivered).key);
  });
  const again = await new Producer(kit, cluster, {
    ...args,
    start: count,
    count: SHARDS * 5,
    prefix: 'p',
  }).finish();
  for (const sent of again) more.send(sent.key);
  await one.receives(more, TAKE_OVER);
  await one.stop();
  inOrder(one.delivered.filter((message) => message.key.startsWith('p')));
}

/**
 * One member alone. The Go client gets this instead of sharing: it never releases the lock of a queue that moves on,
 * so that another member waits for 60 s until the broker lets go.
 */
export async function orderedAlone(kit: Kit, cluster: Cluster, count: number): Promise<void> {
  const topic = 'ordered-alone';
  const ledger = new Ledger();
  const args = { topic, modes: 'ordered', count, shards: SHARDS, prefix: 'oa' };
  await new Producer(kit, cluster, args, ledger).finish();
  const consumer = new Consumer(kit, cluster, { topic, group: 'alone-group', mode: 'orderly' }, ledger);
  await consumer.receives(ledger);
  await consumer.stop();
  ledger.exactlyOnce();
  inOrder(consumer.delivered);
  allIntact(consumer.delivered);
}

/** A listener that fails holds its queue: the same message comes again, nothing overtakes it. */
export async function orderedRetry(kit: Kit, cluster: Cluster): Promise<void> {
  const topic = 'ordered-retry';
  const args = { topic, modes: 'ordered', count: 8, shards: 2, prefix: 'or' };
  const ledger = new Ledger();
  await new Producer(kit, cluster, args, ledger).finish();
  const consumer = new Consumer(
    kit,
    cluster,
    { topic, group: 'ordered-retry-group', mode: 'orderly', fail: 1, suspend: 100 },
    ledger,
  );
  await consumer.receives(ledger);
  await consumer.stop();
  for (const key of ledger.sent) {
    const tries = consumer.delivered.filter((message) => message.key === key);
    assert.equal(
      tries.map((message) => message.reconsumeTimes),
      [0, 1],
      `tries of ${key}`,
    );
  }
  inOrder(consumer.delivered);
}

function inOrder(delivered: readonly Delivered[]): void {
  const last = new Map<string, number>();
  const lastOffset = new Map<number, number>();
  for (const message of delivered) {
    const shard = message.properties['shard'];
    if (shard !== undefined) {
      const number = Number(message.properties['number']);
      assert.ok(
        number >= (last.get(shard) ?? -1),
        `${message.key} after ${last.get(shard)} in shard ${shard}`,
      );
      last.set(shard, number);
    }
    const before = lastOffset.get(message.queueId) ?? -1;
    assert.ok(message.queueOffset >= before, `offset ${message.queueOffset} after ${before}`);
    lastOffset.set(message.queueId, message.queueOffset);
  }
}
