// A second copy of the log in RocketMQ's own replication protocol: masters and slaves of both kinds, byte for byte, and
// real clients that read from the slave when the master is gone.

import { existsSync, readFileSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { fullRun } from '../support/random.ts';
import { until } from '../support/sockets-rig.ts';
import { Consumer, Producer } from './scenarios/actors.ts';
import { java55 } from './support/clients.ts';
import { Ledger } from './support/ledger.ts';
import { endOfLog, sameLogs } from './support/log-files.ts';
import { MqAdmin } from './support/mqadmin.ts';
import { stopEverything } from './support/program.ts';
import { startRealBroker, startRealNameServer } from './support/real-rocketmq.ts';
import { startRingBroker, startRingNameServer } from './support/ringmq.ts';
import type { Broker, BrokerOptions, NameServer } from './support/servers.ts';
import { interopSuite } from './support/suite.ts';

const test = interopSuite('replication');
const TOPIC = 'replicated';
const GROUP = 'reads-from-slave';
const PATIENCE_MS = 60_000;
/** A real slave asks its master for topics once a minute. */
const METADATA_MS = 150_000;

type Start = (nameServer: string, options: BrokerOptions) => Promise<Broker>;

const SLAVE = { brokerRole: 'SLAVE', brokerId: 1, slaveReadEnable: true };

/** Small files, so that the log rolls under way. */
const SMALL = { mappedFileSizeCommitLog: 5 * 1024 * 1024 };

async function caughtUp(master: Broker, slave: Broker): Promise<void> {
  await until('the slave to have all of the log', () => endOfLog(slave.store) >= endOfLog(master.store), {
    patienceMs: PATIENCE_MS,
    pauseMs: 100,
  });
}

function knowsTopic({ store }: Broker): boolean {
  const file = join(store, 'config', 'topics.json');
  return existsSync(file) && readFileSync(file, 'utf8').includes(`"${TOPIC}"`);
}

/** Both are in the cluster, and the slave keeps up. */
async function seenByTools(nameServer: string, master: Broker, slave: Broker): Promise<void> {
  const mqadmin = new MqAdmin(nameServer);
  const list = await mqadmin.run('clusterList');
  for (const id of [0, 1]) assert.match(list, new RegExp(`broker-a\\s+${id}\\s`), list);
  const status = await mqadmin.run('haStatus', '-b', master.address);
  assert.match(status, /^#SlaveNum\t1\n#InSyncSlaveNum\t1$/m, status);
  assert.match(status, /^127\.0\.0\.1:\d+ +\d+ +0 +[\d.]+ +OK +\d+$/m, status);
  assert.match(await mqadmin.run('haStatus', '-b', slave.address), /^#MasterAddr\t127\.0\.0\.1:\d+$/m);
  await mqadmin.end();
}

async function pair(nameServer: NameServer, startMaster: Start, startSlave: Start): Promise<void> {
  const cluster = { nameServer };
  const master = await startMaster(nameServer.address, { conf: SMALL });
  const ledger = new Ledger();
  await new Producer(java55, cluster, { topic: TOPIC, prefix: 'first' }, ledger).finish();
  const args = { topic: TOPIC, modes: 'sync,async,batch', body: 2_000 };
  // Some before the slave is there, some while it catches up, some after.
  await new Producer(java55, cluster, { ...args, count: 100, prefix: 'before' }, ledger).finish();
  const slave = await startSlave(nameServer.address, { conf: { ...SMALL, ...SLAVE } });
  await new Producer(java55, cluster, { ...args, count: 3_000, prefix: 'while' }, ledger).finish();
  await caughtUp(master, slave);
  // A real slave has only the file that was the last when it came, and what follows: that is to roll, too.
  await new Producer(java55, cluster, { ...args, count: 3_000, prefix: 'after' }, ledger).finish();
  await caughtUp(master, slave);
  await seenByTools(nameServer.address, master, slave);
  const bytes = sameLogs(master.store, slave.store);
  assert.ok(bytes > SMALL.mappedFileSizeCommitLog, `only ${bytes} bytes: the log did not roll`);
  // A real slave knows of topics and groups a minute later: that takes longer than all the rest.
  if (startSlave === startRealBroker && !fullRun) {
    await stopEverything();
    return;
  }
  await until('the slave to know the topic', () => knowsTopic(slave), {
    patienceMs: METADATA_MS,
    pauseMs: 200,
  });
  await master.stop();
  const consumer = new Consumer(java55, cluster, { topic: TOPIC, group: GROUP }, ledger);
  await consumer.receives(ledger);
  await consumer.stop();
  ledger.exactlyOnce();
  if (startSlave === startRingBroker) await hearsOfOffsets(nameServer.address, master, startMaster);
  await stopEverything();
}

/** The master comes back, and what was committed at its slave meanwhile reaches it. */
async function hearsOfOffsets(
  nameServer: string,
  { store, port }: Broker,
  startMaster: Start,
): Promise<void> {
  await startMaster(nameServer, { conf: SMALL, store, port });
  const mqadmin = new MqAdmin(nameServer);
  let shown = '';
  for (const end = Date.now() + PATIENCE_MS; !/Diff Total: 0$/m.test(shown); ) {
    assert.ok(Date.now() < end, shown);
    shown = await mqadmin.run('consumerProgress', '-g', GROUP);
  }
  assert.match(shown, TOPIC);
  await mqadmin.end();
}

test('our slave follows our master', async () => {
  await pair(await startRingNameServer(), startRingBroker, startRingBroker);
});

test('our slave follows a real master', async () => {
  await pair(await startRealNameServer(), startRealBroker, startRingBroker);
});

test('a real slave follows our master', async () => {
  await pair(await startRingNameServer(), startRingBroker, startRealBroker);
});

/** The first file of the master's log expires before there is a slave. */
async function lateSlave(nameServer: NameServer, startMaster: Start): Promise<void> {
  const cluster = { nameServer };
  const master = await startMaster(nameServer.address, { conf: SMALL });
  const ledger = new Ledger();
  const args = { topic: TOPIC, modes: 'sync,async,batch', body: 2_000 };
  await new Producer(java55, cluster, { ...args, count: 2_000, prefix: 'early' }).finish();
  const first = join(master.store, 'commitlog', '0'.repeat(20));
  const longAgo = Date.now() / 1_000 - 100 * 3_600;
  const expire = async () => {
    if (!existsSync(first)) return true;
    utimesSync(first, longAgo, longAgo);
    await mqadmin.run('deleteExpiredCommitLog', '-b', master.address);
    return false;
  };
  const mqadmin = new MqAdmin(nameServer.address);
  for (const end = Date.now() + PATIENCE_MS; !(await expire()); )
    assert.ok(Date.now() < end, 'the first file of the log is not deleted');
  await mqadmin.end();
  const slave = await startRingBroker(nameServer.address, { conf: { ...SMALL, ...SLAVE } });
  await new Producer(java55, cluster, { ...args, count: 100, prefix: 'late' }, ledger).finish();
  await caughtUp(master, slave);
  sameLogs(master.store, slave.store);
  assert.not.ok(existsSync(join(slave.store, 'commitlog', '0'.repeat(20))));
  await master.stop();
  const consumer = new Consumer(java55, cluster, { topic: TOPIC, group: 'of-late' });
  const has = () => ledger.sent.size > 0 && [...ledger.sent].every((key) => seen(consumer).has(key));
  await until('what was sent with the slave to come from it', has, { patienceMs: PATIENCE_MS, pauseMs: 100 });
  await consumer.stop();
  await slave.stop();
  await stopEverything();
}

function seen({ delivered }: Consumer): Set<string> {
  return new Set(delivered.map(({ key }) => key));
}

test('a new slave of our master begins where its log begins by then', async () => {
  await lateSlave(await startRingNameServer(), startRingBroker);
});

if (fullRun) {
  test('a new slave of a real master begins where its log begins by then', async () => {
    await lateSlave(await startRealNameServer(), startRealBroker);
  });
}

if (process.env['REPLICATION_CHECK'] === '1') {
  test('a real slave follows a real master, which checks this test', async () => {
    await pair(await startRealNameServer(), startRealBroker, startRealBroker);
  });
}

test.run();
