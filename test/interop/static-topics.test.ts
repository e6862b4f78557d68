// Static topics of a single broker: made and enlarged by mqadmin, in routes with their mapping, used by clients like
// any topic. Over restarts they stay; RocketMQ opens a store with them, and the other way round.

import * as assert from 'uvu/assert';
import { allIntact, Consumer, introduceGroup, Producer } from './scenarios/actors.ts';
import { go2, java49, java55, type Kit } from './support/clients.ts';
import { Dialogue } from './support/dialogue.ts';
import { Ledger } from './support/ledger.ts';
import { startRealBroker } from './support/real-rocketmq.ts';
import { startRingBroker } from './support/ringmq.ts';
import type { NameServer } from './support/servers.ts';
import { clusterSuite } from './support/suite.ts';
import { startBroker, startNameServer } from './support/target.ts';

const { test, cluster } = clusterSuite('static topics');

async function tool(nameServer: NameServer, command: string, ...words: string[]): Promise<string> {
  const dialogue = new Dialogue(java55.start('MqAdmin', { namesrv: nameServer.address }));
  const text = await dialogue.ask([command, '-n', nameServer.address, ...words].join('\t'));
  await dialogue.end();
  return String(text);
}

const make = (nameServer: NameServer, topic: string, queues: number): Promise<string> =>
  tool(nameServer, 'updateStaticTopic', '-t', topic, '-qn', String(queues), '-c', 'DefaultCluster');

/** Queue numbers of the topic's mapping in the route. */
async function mapped(nameServer: NameServer, topic: string): Promise<string[]> {
  const route = await tool(nameServer, 'topicRoute', '-t', topic);
  const [, ids = ''] = /"currIdMap":\s*\{([^}]*)\}/.exec(route) ?? [];
  return [...ids.matchAll(/(\d+):(\d+)/g)].map(([pair]) => pair);
}

for (const [index, kit] of [java55, java49, go2].entries()) {
  test(`${kit.name}: a static topic is made, used, enlarged and used again`, async () => {
    const { nameServer } = cluster();
    const topic = `static-${index}`;
    await make(nameServer, topic, 2);
    assert.equal(await mapped(nameServer, topic), ['0:0', '1:1']);
    await use(kit, topic, 2);
    await make(nameServer, topic, 4);
    assert.equal(await mapped(nameServer, topic), ['0:0', '1:1', '2:2', '3:3']);
    await use(kit, topic, 4);
  });
}

async function use(kit: Kit, topic: string, queues: number): Promise<void> {
  const group = `${topic}-${queues}`;
  await introduceGroup(kit, cluster(), topic, group);
  const ledger = new Ledger();
  const consumer = new Consumer(kit, cluster(), { topic, group, expression: `q${queues}` }, ledger);
  await consumer.holds(queues);
  const args = { topic, tags: `q${queues}`, modes: 'sync,async', count: 100, prefix: group };
  await new Producer(kit, cluster(), args, ledger).finish();
  await consumer.receives(ledger);
  await consumer.stop();
  ledger.exactlyOnce();
  allIntact(consumer.delivered);
  assert.is(new Set(consumer.delivered.map(({ queueId }) => queueId)).size, queues);
}

test('it stays over a restart, and with the other broker', async () => {
  const nameServer = await startNameServer();
  const first = await startBroker(nameServer);
  await make(nameServer, 'stays', 3);
  const where = { nameServer, broker: first, stop: () => first.stop() };
  const sent = await new Producer(java55, where, { topic: 'stays', count: 30, prefix: 'stays' }).finish();
  await first.stop();
  for (const start of [startRingBroker, startRealBroker, startRingBroker]) {
    const broker = await start(nameServer.address, { store: first.store });
    assert.equal(await mapped(nameServer, 'stays'), ['0:0', '1:1', '2:2']);
    const status = await tool(nameServer, 'topicStatus', '-t', 'stays');
    assert.is([...status.matchAll(/broker\S*\s+\d\s+0\s+(\d+)/g)].length, 3, status);
    await broker.stop();
  }
  assert.is(sent.length, 30);
  await nameServer.stop();
});

test.run();
