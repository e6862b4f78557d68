// Failed messages come again, later, and at last lie in the dead-letter queue; delayed ones come when due.
// The broker under test runs with messageDelayLevel=1s 2s 1s 1s 1s 3s; a first retry takes level 3.

import * as assert from 'uvu/assert';
import type { Kit } from '../support/clients.ts';
import { FrameProxy } from '../support/frame-proxy.ts';
import { Ledger } from '../support/ledger.ts';
import type { Cluster } from '../support/target.ts';
import { allIntact, Consumer, createTopic, introduceGroup, Producer } from './actors.ts';

const MAX_RECONSUME = 2;
/** Delivery later than due by more than this counts as broken, even on a busy machine. */
const LATE_LIMIT = 5_000;

/** A listener that always fails: three deliveries, about a second apart, then the dead-letter queue. */
export async function retryToDeadLetter(kit: Kit, cluster: Cluster): Promise<void> {
  const topic = 'retry';
  const group = 'retry-group';
  const ledger = new Ledger();
  await createTopic(kit, cluster, topic);
  await introduceGroup(kit, cluster, topic, group);
  const sending = { topic, count: 4, tags: 'T', prefix: 'r' };
  const acked = await new Producer(kit, cluster, sending, ledger).finish();
  const args = { topic, group, expression: 'T', fail: 1_000_000, 'max-reconsume': MAX_RECONSUME };
  const failing = new Consumer(kit, cluster, args);
  await failing.count(acked.length * (MAX_RECONSUME + 1));

  for (const sent of acked) {
    const tries = failing.delivered.filter((message) => message.key === sent.key);
    assert.equal(
      tries.map((message) => message.reconsumeTimes),
      [0, 1, 2],
      `tries of ${sent.key}`,
    );
    for (const [index, message] of tries.entries()) {
      assert.is(message.topic, topic, 'the listener sees the original topic');
      assert.is(message.msgId, sent.msgId, 'the unique id survives retries');
      const gap = message.at - (tries[index - 1]?.at ?? message.at - 1_000);
      assert.ok(gap > 900 && gap < 1_000 + LATE_LIMIT, `${gap} ms between tries`);
    }
    assert.is(tries[1]?.properties['RETRY_TOPIC'], topic);
    assert.is(tries[1]?.properties['ORIGIN_MESSAGE_ID'], sent.offsetMsgId, 'names its first offset id');
  }

  const dead = new Consumer(kit, cluster, { topic: `%DLQ%${group}`, group: 'undertaker' }, ledger);
  await dead.receives(ledger);
  await Promise.all([dead.stop(), failing.stop()]);
  ledger.exactlyOnce();
  allIntact(dead.delivered);
  assert.is(failing.delivered.length, acked.length * (MAX_RECONSUME + 1), 'no further tries');
}

/** A listener that fails once: two deliveries, and nobody else's message is held up. */
export async function retryOnce(kit: Kit, cluster: Cluster): Promise<void> {
  const ledger = new Ledger();
  const topic = 'retry-once';
  const group = 'retry-once-group';
  const sending = { topic, count: 20, tags: 'T', prefix: 'ro' };
  await new Producer(kit, cluster, sending, ledger).finish();
  await introduceGroup(kit, cluster, topic, group);
  const consumer = new Consumer(kit, cluster, { topic, group, expression: 'T', fail: 1 }, ledger);
  await consumer.receives(ledger);
  await consumer.stop();
  ledger.exactlyOnce();
  assert.is(consumer.delivered.length, 40);
  allIntact(consumer.delivered);
}

/** Levels 1, 2 and 6 are 1 s, 2 s and 3 s: never early, not much late, and the message is itself again. */
export async function delayLevels(kit: Kit, cluster: Cluster): Promise<void> {
  const topic = 'delay';
  await createTopic(kit, cluster, topic);
  const ledger = new Ledger();
  ledger.send(`first-of-${topic}-0`);
  const consumer = new Consumer(kit, cluster, { topic, group: 'delay-group' }, ledger);
  await consumer.receives(ledger);
  const due = new Map([
    [1, 1_000],
    [2, 2_000],
    [6, 3_000],
  ]);
  for (const level of due.keys()) {
    const args = { topic, count: 5, 'delay-level': level, tags: 'D', prefix: `level${level}` };
    await new Producer(kit, cluster, args, ledger).finish();
  }
  await consumer.receives(ledger);
  await consumer.stop();
  ledger.exactlyOnce();
  allIntact(consumer.delivered);
  for (const message of consumer.delivered) {
    const level = Number(message.properties['DELAY'] ?? 0);
    const waited = message.at - message.bornTime;
    const least = due.get(level) ?? 0;
    assert.ok(
      waited >= least && waited < least + LATE_LIMIT + 10_000 * Number(level === 0),
      `level ${level}: ${waited} ms`,
    );
    if (level > 0) assert.is(message.tag, 'D');
  }
}

const HEARTBEAT = 34;
/** Less than the 3 s after which the client gives a heartbeat up; it rebalances one second after its start. */
const LATE_HEARTBEAT = 2_000;
/** The client's next heartbeat comes 30 s after the first. */
const BEFORE_NEXT_HEARTBEAT = 20_000;

/**
 * The client takes its queues, and with them gives its subscription a new version, while the answer to its heartbeat is
 * still out; then it leaves out the heartbeat that would have told of the version. RocketMQ's broker refuses its pulls
 * until the next one.
 */
export async function lateHeartbeat(kit: Kit, cluster: Cluster): Promise<void> {
  const topic = 'late-heartbeat';
  await createTopic(kit, cluster, topic);
  const ledger = new Ledger();
  for (const tags of ['T', 'U']) {
    const sent = tags === 'T' ? ledger : undefined;
    await new Producer(kit, cluster, { topic, count: 20, tags, prefix: `of-${tags}` }, sent).finish();
  }
  const broker = await FrameProxy.start(cluster.broker.address, {
    holdBack: (code) => (code === HEARTBEAT ? LATE_HEARTBEAT : 0),
  });
  const nameServer = await FrameProxy.start(cluster.nameServer.address, {
    body: (body) => body.replaceAll(cluster.broker.address, broker.address),
  });
  try {
    const args = { topic, group: 'late-heartbeat-group', expression: 'T' };
    const consumer = new Consumer(kit, { ...cluster, nameServer }, args, ledger);
    await consumer.receives(ledger, BEFORE_NEXT_HEARTBEAT);
    await consumer.stop();
    ledger.exactlyOnce();
    assert.is(consumer.delivered.length, ledger.sent.size, 'only what it subscribed to');
  } finally {
    await nameServer.stop();
    await broker.stop();
  }
}
