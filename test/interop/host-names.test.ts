// A broker that is told by a name, and values that a properties text has to escape.

import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { roundTrip } from './scenarios/produce-consume.ts';
import { queries } from './scenarios/queries.ts';
import { go2, java55 } from './support/clients.ts';
import { Dialogue } from './support/dialogue.ts';
import { temporaryFolder } from './support/paths.ts';
import { clusterSuite } from './support/suite.ts';
import { target } from './support/target.ts';

/** A directory with a backslash in its name, which a configuration file writes twice. */
const LOG = join(temporaryFolder('log'), 'commit\\log');

const { test, cluster } = clusterSuite('host names', {
  conf: {
    brokerIP1: 'localhost',
    bindAddress: 'localhost',
    // RocketMQ does not escape what it tells, so that only RingMQ can have such a path.
    ...(target === 'ringmq' ? { storePathCommitLog: LOG.replaceAll('\\', '\\\\') } : {}),
  },
});

test('routes keep the name, and real clients send and consume by it', async () => {
  await roundTrip(java55, cluster(), 'by-name-java', 100);
  await roundTrip(go2, cluster(), 'by-name-go', 100);
  const { nameServer, broker } = cluster();
  const args = { namesrv: nameServer.address, 'broker-address': `localhost:${broker.port}` };
  const dialogue = new Dialogue(java55.start('Admin', args));
  assert.equal(await dialogue.ask('cluster'), {
    brokers: { [broker.name]: { 0: `localhost:${broker.port}` } },
    clusters: { DefaultCluster: [broker.name] },
  });
  await dialogue.end();
});

test('messages are found by ids that hold the address behind the name', () => queries(java55, cluster()));

test('mqadmin reads the configuration as it is, and changes it by its right names only', async () => {
  const { nameServer, broker } = cluster();
  const address = `localhost:${broker.port}`;
  const dialogue = new Dialogue(java55.start('MqAdmin', { namesrv: nameServer.address }));
  const run = async (...words: string[]) =>
    String(
      await dialogue.ask([words[0], '-n', nameServer.address, '-b', address, ...words.slice(1)].join('\t')),
    );
  const value = async (key: string) =>
    new RegExp(`^${key}\\s*=\\s*(.*?)\\s*$`, 'm').exec(await run('getBrokerConfig'))?.[1];
  assert.is(await value('brokerIP1'), 'localhost');
  if (target === 'ringmq') assert.is(await value('storePathCommitLog'), LOG);
  assert.match(await run('updateBrokerConfig', '-k', 'diskMaxUsedSpaceRatio', '-v', '80'), /success/);
  assert.is(await value('diskMaxUsedSpaceRatio'), '80');
  if (target === 'ringmq') {
    const refused = await run('updateBrokerConfig', '-k', 'autoCreateTopicEnabled', '-v', 'false');
    assert.match(refused, /Did you mean autoCreateTopicEnable\?/);
    assert.is(await value('autoCreateTopicEnable'), 'true');
  }
  await dialogue.end();
});

test.run();
