// Transactional messages with the Java clients: outcomes, checks and their limit, producers that vanish, queries.

import * as assert from 'uvu/assert';
import { Consumer, createTopic } from './scenarios/actors.ts';
import { CHECK_CONF, HALF_TOPIC, MAX_TIME_TOPIC, settled, Transactor } from './scenarios/transacting.ts';
import {
  checkLimit,
  filtered,
  immunity,
  outcomes,
  queriedBeforeAndAfter,
  returning,
  vanishing,
} from './scenarios/transactions.ts';
import { java49, java55 } from './support/clients.ts';
import { Dialogue } from './support/dialogue.ts';
import { Ledger } from './support/ledger.ts';
import { RawProducer, ROLLBACK } from './support/raw-producer.ts';
import { clusterSuite } from './support/suite.ts';

const { test, cluster } = clusterSuite('Java clients: transactions', { conf: CHECK_CONF });

test('committed messages come once and whole, rolled back ones never, unknown ones are checked', () =>
  outcomes(java55, cluster()));
test('a message that stays unknown is checked to the limit, then lies in a topic of its own', () =>
  checkLimit(java55, cluster()));
test('another member of the group is asked when the producer has vanished', () =>
  vanishing(java55, cluster()));
test('a group that was away is asked when it is back', () => returning(java55, cluster()));
test('a message with an immunity time is not checked before', () => immunity(java55, cluster()));
test('a consumer of one tag gets the committed messages of that tag', () => filtered(java55, cluster()));
test('a half message is found by its offset id, by key and unique key only when committed', () =>
  queriedBeforeAndAfter(java55, cluster()));

test('mqadmin shows what is open and what was given up', async () => {
  const { nameServer, broker } = cluster();
  const raw = await RawProducer.open(broker.address, 'looked-at');
  const givenUp = await raw.half('looked-at');
  await raw.check(givenUp, CHECK_CONF.transactionCheckMax, 60_000);
  await settled(broker);
  const dialogue = new Dialogue(java55.start('MqAdmin', { namesrv: nameServer.address }));
  const run = async (...words: string[]): Promise<string> => {
    const text = String(await dialogue.ask([...words, '-n', nameServer.address].join('\t')));
    assert.not.match(text, /command failed/, words[0]);
    return text;
  };
  const progress = ['consumerProgress', '-g', 'CID_RMQ_SYS_TRANS', '-t', HALF_TOPIC];
  assert.match(await run(...progress), /Consume Diff Total: 0/);
  const open = await raw.half('looked-at');
  assert.match(await run(...progress), /Consume Diff Total: 1/);
  assert.match(await run('brokerConsumeStats', '-b', broker.address), /OP_HALF_TOPIC +CID_RMQ_SYS_TRANS/);
  const shown = await run('queryMsgById', '-t', HALF_TOPIC, '-i', open.offsetMsgId);
  assert.match(shown, /REAL_TOPIC=looked-at/);
  assert.match(await run('printMsg', '-t', MAX_TIME_TOPIC), new RegExp(givenUp.uniqueKey));
  assert.is((await raw.end(open, ROLLBACK)).code, 0);
  await dialogue.end();
  raw.close();
});

test('the 5.5 client refuses a transaction with a delay', async () => {
  const producer = new Transactor(java55, cluster(), { group: 'delayed-producer' });
  for (const delay of [{ 'delay-level': 1 }, { 'delay-ms': 1_000 }]) {
    const { message } = await producer.refused({ topic: 'delayed', prefix: 'd', ...delay });
    assert.match(message, /Transactional messages do not support delayed delivery/i);
  }
  await producer.end();
});

test('the 4.9 client: outcomes, and a delay level that it takes off', async () => {
  await outcomes(java49, cluster(), { suffix: '-49' });
  const topic = 'delayed-49';
  await createTopic(java49, cluster(), topic);
  const ledger = new Ledger();
  for (const key of [`first-of-${topic}-0`, 'd-0']) ledger.send(key);
  const consumer = new Consumer(java49, cluster(), { topic, group: 'delayed-group' }, ledger);
  const producer = new Transactor(java49, cluster(), { group: 'delayed-producer-49' });
  await producer.send({ topic, prefix: 'd', 'delay-level': 1 });
  await consumer.receives(ledger);
  await Promise.all([producer.end(), consumer.stop()]);
  ledger.exactlyOnce();
  assert.is(consumer.delivered.find(({ key }) => key === 'd-0')?.properties['DELAY'], undefined);
});

test.run();
