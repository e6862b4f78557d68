// A pair of brokers changes from RocketMQ to RingMQ, and back, one store after the other: the slave's first, then the
// slave becomes the master, and the old master's store is that of its slave. Nothing is copied and nothing is lost.

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { fullRun } from '../support/random.ts';
import { until } from '../support/sockets-rig.ts';
import { Consumer, Producer } from './scenarios/actors.ts';
import { java55 } from './support/clients.ts';
import { Ledger } from './support/ledger.ts';
import { endOfLog, sameLogs } from './support/log-files.ts';
import { stopEverything } from './support/program.ts';
import { startRealBroker } from './support/real-rocketmq.ts';
import { startRingBroker, startRingNameServer } from './support/ringmq.ts';
import type { Broker, BrokerOptions } from './support/servers.ts';
import { interopSuite } from './support/suite.ts';

const test = interopSuite('a pair changes hands');
const TOPIC = 'moves';
const PATIENCE_MS = 60_000;
/** A real slave asks its master for topics once a minute. */
const METADATA_MS = 150_000;

type Start = (nameServer: string, options: BrokerOptions) => Promise<Broker>;

const MASTER = { brokerRole: 'ASYNC_MASTER', brokerId: 0 };
const SLAVE = { brokerRole: 'SLAVE', brokerId: 1, slaveReadEnable: true };

async function caughtUp(master: Broker, slave: Broker): Promise<void> {
  await until('the slave to have all of the log', () => endOfLog(slave.store) >= endOfLog(master.store), {
    patienceMs: PATIENCE_MS,
    pauseMs: 100,
  });
  assert.ok(sameLogs(master.store, slave.store) > 100_000);
}

function knowsTopic({ store }: Broker): boolean {
  const file = join(store, 'config', 'topics.json');
  return existsSync(file) && readFileSync(file, 'utf8').includes(`"${TOPIC}"`);
}

async function move(from: Start, to: Start): Promise<void> {
  const nameServer = await startRingNameServer();
  const cluster = { nameServer };
  const ledger = new Ledger();
  const send = (prefix: string, count = 300) =>
    new Producer(java55, cluster, { topic: TOPIC, count, body: 1_000, prefix }, ledger).finish();

  const master = await from(nameServer.address, { conf: MASTER });
  await send('first', 1);
  const slave = await from(nameServer.address, { conf: SLAVE });
  await send('old-pair');
  await caughtUp(master, slave);
  await until('the slave to know the topic', () => knowsTopic(slave), {
    patienceMs: METADATA_MS,
    pauseMs: 200,
  });

  await slave.stop();
  const newSlave = await to(nameServer.address, { store: slave.store, conf: SLAVE });
  await send('mixed-pair');
  await caughtUp(master, newSlave);

  // Nobody sends: what the slave has now is all there is.
  await master.stop();
  await newSlave.stop();
  const newMaster = await to(nameServer.address, { store: slave.store, conf: MASTER });
  const last = await to(nameServer.address, { store: master.store, conf: SLAVE });
  await send('new-pair');
  await caughtUp(newMaster, last);

  const consumer = new Consumer(java55, cluster, { topic: TOPIC, group: 'reads-all' }, ledger);
  await consumer.receives(ledger);
  await consumer.stop();
  ledger.exactlyOnce();
  await stopEverything();
}

test('from RocketMQ to RingMQ', async () => {
  await move(startRealBroker, startRingBroker);
});

// A real slave learns of topics a minute later.
if (fullRun) {
  test('from RingMQ to RocketMQ', async () => {
    await move(startRingBroker, startRealBroker);
  });
}

test.run();
