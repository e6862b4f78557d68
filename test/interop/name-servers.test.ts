// Routes across makers: a real name server leads clients to our broker, and ours leads them to a real broker.

import * as assert from 'uvu/assert';
import { roundTrip } from './scenarios/produce-consume.ts';
import { go2, java49, java55 } from './support/clients.ts';
import { Dialogue } from './support/dialogue.ts';
import { stopEverything } from './support/program.ts';
import { startRealBroker, startRealNameServer } from './support/real-rocketmq.ts';
import { interopSuite } from './support/suite.ts';
import { type Cluster, startBroker, startNameServer } from './support/target.ts';

const test = interopSuite('name servers');

async function works(cluster: Cluster): Promise<void> {
  for (const [index, kit] of [java55, java49, go2].entries()) {
    await roundTrip(kit, cluster, `routed-${index}`, 100);
  }
  const args = { namesrv: cluster.nameServer.address, 'broker-address': cluster.broker.address };
  const dialogue = new Dialogue(java55.start('Admin', args));
  assert.equal(await dialogue.ask('cluster'), {
    brokers: { [cluster.broker.name]: { 0: cluster.broker.address } },
    clusters: { DefaultCluster: [cluster.broker.name] },
  });
  await dialogue.ask('create-topic routed-later 5');
  const route = (await dialogue.ask('route routed-later')) as { queues: unknown };
  assert.equal(route.queues, [{ broker: cluster.broker.name, read: 5, write: 5, perm: 6 }]);
  const topics = (await dialogue.ask('topics')) as string[];
  for (const topic of ['routed-0', 'routed-1', 'routed-2', 'routed-later'])
    assert.ok(topics.includes(topic), topic);
  await dialogue.ask('delete-topic routed-later');
  assert.is((await dialogue.refused('route routed-later')).code, 17);
  await cluster.broker.stop();
  assert.is(
    (await dialogue.refused('route routed-0')).code,
    17,
    'a broker that leaves takes its routes with it',
  );
  await dialogue.end();
}

test('a real name server and the broker under test', async () => {
  const nameServer = await startRealNameServer();
  const broker = await startBroker(nameServer);
  await works({ nameServer, broker, stop: () => broker.stop() });
  await stopEverything();
});

test('the name server under test and a real broker', async () => {
  const nameServer = await startNameServer();
  const broker = await startRealBroker(nameServer.address);
  await works({ nameServer, broker, stop: () => broker.stop() });
  await stopEverything();
});

test('a real name server and two brokers of one name: when one is killed the other is back', async () => {
  const nameServer = await startRealNameServer();
  const [first, second] = [await startBroker(nameServer), await startBroker(nameServer)];
  const args = { namesrv: nameServer.address, 'broker-address': first.address };
  const dialogue = new Dialogue(java55.start('Admin', args));
  const holder = async () => {
    const { brokers } = (await dialogue.ask('cluster')) as {
      brokers: Record<string, Record<string, string>>;
    };
    return brokers[first.name]?.['0'];
  };
  assert.is(await holder(), second.address, 'the last one to register is in the routes');
  await second.kill();
  // The next registration that is due anyway comes 30 s after the last one.
  for (let tries = 0; tries < 50 && (await holder()) !== first.address; tries++) {
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  assert.is(await holder(), first.address);
  await dialogue.end();
  await stopEverything();
});

test.run();
