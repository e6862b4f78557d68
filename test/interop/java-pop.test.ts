// Java 5.5.0 push consumers of a group for which mqadmin has set the mode POP, and which leave it to the broker: they
// pop all queues together.

import { setTimeout as sleep } from 'node:timers/promises';
import * as assert from 'uvu/assert';
import { fullRun } from '../support/random.ts';
import { allIntact, allReceived, Consumer, createTopic, Producer, START } from './scenarios/actors.ts';
import { makeGroup, makeTopic } from './scenarios/popping.ts';
import { java55 } from './support/clients.ts';
import { Dialogue } from './support/dialogue.ts';
import { Ledger } from './support/ledger.ts';
import { RawConnection } from './support/raw.ts';
import { readQueue } from './support/records.ts';
import { clusterSuite } from './support/suite.ts';

const { test, cluster } = clusterSuite('Java 5.5.0 client: pop', { networkThreads: 2 });

/** A member of a group whose mode is POP. */
function member(topic: string, instance: string, ledger?: Ledger, more: object = {}): Consumer {
  const args = { topic, group: `${topic}-group`, 'broker-assigns': true, expression: 'p', instance, ...more };
  return new Consumer(java55, cluster(), args, ledger);
}

function producer(topic: string, count: number, prefix: string, ledger: Ledger): Producer {
  return new Producer(java55, cluster(), { topic, tags: 'p', count, prefix }, ledger);
}

/** A topic of four queues, and a group that pops it. */
async function popped(topic: string, share = 0): Promise<void> {
  const connection = await RawConnection.open(cluster().broker.address);
  await makeTopic(connection, topic, 4);
  await makeGroup(connection, `${topic}-group`);
  connection.destroy();
  await createTopic(java55, cluster(), topic);
  const { nameServer, broker } = cluster();
  const tool = new Dialogue(java55.start('MqAdmin', { namesrv: nameServer.address }));
  const words = ['setConsumeMode', '-n', nameServer.address, '-b', broker.address, '-t', topic];
  const mode = ['-g', `${topic}-group`, '-m', 'POP', '-q', String(share)];
  assert.match(String(await tool.ask([...words, ...mode].join('\t'))), /success/);
  await tool.end();
}

/** Its first delivery shows that it pops. */
async function isThere(consumer: Consumer): Promise<void> {
  await consumer.holds(1);
  assert.equal(consumer.held, [-1]);
}

test('members that come and go: each message once', async () => {
  const topic = 'pop-shared';
  await popped(topic);
  const ledger = new Ledger();
  const one = member(topic, 'one', ledger);
  await isThere(one);
  const two = member(topic, 'two', ledger);
  await isThere(two);
  await producer(topic, 400, 'a', ledger).finish();
  await allReceived([one, two], ledger);
  assert.ok(one.delivered.length > 0 && two.delivered.length > 0, 'both have had some');
  const traffic = producer(topic, 2_000, 'b', ledger);
  const three = member(topic, 'three', ledger);
  await isThere(three);
  await traffic.finish();
  await allReceived([one, two, three], ledger);
  await three.stop();
  await two.stop();
  await producer(topic, 200, 'c', ledger).finish();
  await one.receives(ledger);
  await one.stop();
  ledger.exactlyOnce();
  allIntact([...one.delivered, ...two.delivered, ...three.delivered]);
});

const sharing = async () => {
  const topic = 'pop-numbered';
  await popped(topic, 1);
  const ledger = new Ledger();
  const members = ['one', 'two', 'three', 'four'].map((name) => member(topic, name, ledger));
  const shared = () => String(members.flatMap(({ held }) => held).sort());
  for (const until = Date.now() + START; shared() !== '0,0,1,1,2,2,3,3'; await sleep(50)) {
    assert.ok(Date.now() < until, `held: ${shared()}`);
  }
  await producer(topic, 400, 'n', ledger).finish();
  await allReceived(members, ledger);
  for (const one of members) await one.stop();
  ledger.exactlyOnce();
};

if (fullRun) test('shared queues by numbers: two members of four share what two have', sharing);

function triesOf(consumer: Consumer, key: string): number[] {
  return consumer.delivered.filter((one) => one.key === key).map(({ reconsumeTimes }) => reconsumeTimes);
}

const failing = async () => {
  const [topic, limited] = ['pop-failing', 'pop-limited'];
  await Promise.all([popped(topic), popped(limited)]);
  const [ledger, dropped] = [new Ledger(), new Ledger()];
  const consumer = member(topic, 'failing', ledger, { fail: 2 });
  const dropping = member(limited, 'dropping', undefined, { fail: 9, 'max-reconsume': 1 });
  await Promise.all([isThere(consumer), isThere(dropping)]);
  await Promise.all([producer(limited, 4, 'd', dropped).finish(), producer(topic, 4, 'f', ledger).finish()]);
  await consumer.receives(ledger, 90_000);
  await Promise.all([consumer.stop(), dropping.stop()]);
  for (const key of ledger.sent) {
    assert.equal(triesOf(consumer, key), [0, 1, 2], key);
    const times = consumer.delivered.filter((message) => message.key === key).map(({ at }) => at);
    const [first, second, third] = times as [number, number, number];
    assert.ok(second - first >= 10_000, `10 s, then ${second - first}`);
    assert.ok(third - second >= 30_000, `30 s, then ${third - second}`);
  }
  for (const key of dropped.sent) assert.equal(triesOf(dropping, key), [0, 1], key);
  const connection = await RawConnection.open(cluster().broker.address);
  assert.equal(await readQueue(connection, `%DLQ%${limited}-group`), []);
  connection.destroy();
};

// It waits for delays of ten and thirty seconds.
if (fullRun)
  test(
    'what fails comes again, later each time; past its maximum the client drops it, without a dead letter',
    failing,
  );

test('what a killed member has popped goes to another when the invisible time is over', async () => {
  const topic = 'pop-killed';
  await popped(topic);
  const ledger = new Ledger();
  // It takes long over each message.
  const dying = member(topic, 'dying', undefined, { sleep: 60_000, 'pop-invisible': 8_000 });
  await isThere(dying);
  await producer(topic, 20, 'k', ledger).finish();
  await dying.count(1);
  await dying.program.kill();
  const heir = member(topic, 'heir', ledger, { 'pop-invisible': 60_000 });
  await heir.receives(ledger);
  await heir.stop();
  ledger.exactlyOnce();
  const again = heir.delivered.filter(({ key }) => key === dying.delivered[0]?.key);
  assert.equal(again.length, 1);
  assert.is(again[0]?.reconsumeTimes, 1);
});

const orderly = async () => {
  const topic = 'pop-orderly';
  await popped(topic);
  const ledger = new Ledger();
  const more = { mode: 'orderly', fail: 1, suspend: 100 };
  const consumer = member(topic, 'orderly', ledger, more);
  await consumer.holds(4);
  const args = { topic, tags: 'p', modes: 'ordered', count: 12, shards: 2, prefix: 'o' };
  await new Producer(java55, cluster(), args, ledger).finish();
  await consumer.receives(ledger);
  await consumer.stop();
  const last = new Map<number, number>();
  for (const { queueId, queueOffset, key } of consumer.delivered) {
    assert.ok(queueOffset >= (last.get(queueId) ?? -1), key);
    last.set(queueId, queueOffset);
  }
  for (const key of ledger.sent) {
    const tries = consumer.delivered.filter((message) => message.key === key);
    assert.equal(
      tries.map(({ reconsumeTimes }) => reconsumeTimes),
      [0, 1],
    );
  }
};

if (fullRun)
  test('an orderly consumer pulls whatever the mode is, and keeps the order over a failure', orderly);

test.run();
