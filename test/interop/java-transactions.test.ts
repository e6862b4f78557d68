// Transactional messages with the Java clients: outcomes, checks and their limit, producers that vanish, queries.

import * as assert from 'uvu/assert';
import { Consumer, createTopic } from './scenarios/actors.ts';
import { CHECK_CONF, Transactor } from './scenarios/transacting.ts';
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
import { Ledger } from './support/ledger.ts';
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
