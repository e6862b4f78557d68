// The Go client v2: the same essentials. It has no queries; its pull consumer works through assigned queues.

import * as assert from 'uvu/assert';
import { allIntact, Consumer, createTopic, Producer } from './scenarios/actors.ts';
import { orderlyDeadLetters, retriesByPolicy } from './scenarios/dead-letters.ts';
import { orderedAlone, orderedRetry } from './scenarios/ordered.ts';
import {
  bigBodies,
  broadcasting,
  everyModeExactlyOnce,
  joinAndLeave,
  tagFilter,
} from './scenarios/produce-consume.ts';
import { delayLevels, retryToDeadLetter } from './scenarios/retry-delay.ts';
import { go2, java55 } from './support/clients.ts';
import { Ledger } from './support/ledger.ts';
import { clusterSuite } from './support/suite.ts';

const COUNT = 10_000;
const { test, cluster } = clusterSuite('Go client v2');

test(`${COUNT} messages sync, async, one-way and in batches reach a group of two exactly once`, () =>
  everyModeExactlyOnce(go2, cluster(), COUNT));
test('a member joins and leaves', () => joinAndLeave(go2, cluster()));
test('broadcasting', () => broadcasting(go2, cluster(), 500));
test('tag expressions', () => tagFilter(go2, cluster(), 90));
test('compressed and large bodies', () => bigBodies(go2, cluster()));
test('ordered messages', () => orderedAlone(go2, cluster(), 400));
test('ordered retries', () => orderedRetry(go2, cluster()));
test('retries and the dead-letter queue', () => retryToDeadLetter(go2, cluster()));
test('delay levels', () => delayLevels(go2, cluster()));
test('retries by the policy of the group', () => retriesByPolicy(go2, cluster()));
test('what an orderly consumer gives up is dead, in order', () =>
  orderlyDeadLetters(go2, cluster(), { tries: 3, reason: /delayLevel -1/ }));

test('pull consumer', async () => {
  const topic = 'go-pull';
  const ledger = new Ledger();
  await new Producer(go2, cluster(), { topic, modes: 'async', count: 500, prefix: 'gp' }, ledger).finish();
  const consumer = new Consumer(
    go2,
    cluster(),
    { program: 'Pull', topic, group: 'go-pull', count: 500 },
    ledger,
  );
  assert.is(await consumer.program.waitForEnd(60_000), 0, consumer.program.tail());
  ledger.exactlyOnce();
  allIntact(consumer.delivered);
});

test('Java reads what Go wrote, and Go what Java wrote', async () => {
  const topic = 'both-languages';
  await createTopic(go2, cluster(), topic);
  const ledgers = [new Ledger(), new Ledger()] as const;
  for (const [kit, prefix] of [
    [go2, 'go'],
    [java55, 'java'],
  ] as const) {
    const args = { topic, count: 20, body: 10_000, tags: 'x,y', prefix };
    for (const sent of await new Producer(kit, cluster(), args).finish()) {
      for (const ledger of ledgers) ledger.send(sent.key);
    }
  }
  for (const [index, kit] of [go2, java55].entries()) {
    const ledger = ledgers[index] as Ledger;
    const consumer = new Consumer(
      kit,
      cluster(),
      { topic, group: `reader-${index}`, expression: 'x||y' },
      ledger,
    );
    await consumer.receives(ledger);
    await consumer.stop();
    ledger.exactlyOnce();
    allIntact(consumer.delivered);
  }
});

test('administration: a topic is made, seen and deleted', async () => {
  const { nameServer, broker } = cluster();
  const args = { namesrv: nameServer.address, 'broker-address': broker.address, topic: 'made-by-go' };
  const admin = go2.start('Admin', args);
  const seen = await admin.waitForEvent('topics', 30_000);
  assert.ok((seen['topics'] as string[]).includes('made-by-go'));
  assert.is(seen['queues'], 3);
  assert.is(seen['broker'], broker.name);
  assert.is(await admin.waitForEnd(30_000), 0, admin.tail());
});

test.run();
