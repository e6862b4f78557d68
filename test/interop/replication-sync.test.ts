// What a SYNC_MASTER promises to a real producer: with its slave, without one, and with one that stands still.

import * as assert from 'uvu/assert';
import { fullRun } from '../support/random.ts';
import { until } from '../support/sockets-rig.ts';
import { Producer, type Sent } from './scenarios/actors.ts';
import { java55 } from './support/clients.ts';
import { endOfLog, sameLogs } from './support/log-files.ts';
import { stopEverything } from './support/program.ts';
import { startRealBroker } from './support/real-rocketmq.ts';
import { startRingBroker, startRingNameServer } from './support/ringmq.ts';
import type { Broker, BrokerOptions, Conf } from './support/servers.ts';
import { interopSuite } from './support/suite.ts';

const test = interopSuite('replication: SYNC_MASTER');
const COUNT = 50;
const PATIENCE_MS = 60_000;
const SMALL = { mappedFileSizeCommitLog: 5 * 1024 * 1024 };
const SLAVE = { ...SMALL, brokerRole: 'SLAVE', brokerId: 1 };

type Start = (nameServer: string, options: BrokerOptions) => Promise<Broker>;

async function send(nameServer: string, prefix: string, count = COUNT): Promise<readonly Sent[]> {
  const args = { topic: 'waits-for-slaves', modes: 'sync', timeout: 20_000, count, prefix };
  return new Producer(java55, { nameServer: { address: nameServer } }, args).finish();
}

function statuses(sent: readonly Sent[]): string[] {
  return [...new Set(sent.map(({ status }) => status))];
}

async function waitsForSlave(flush: Conf, startSlave: Start, startMaster: Start = startRingBroker) {
  const { address } = await startRingNameServer();
  const conf = { ...SMALL, brokerRole: 'SYNC_MASTER', inSyncReplicas: 2, ...flush };
  const master = await startMaster(address, { conf });
  // A real one waits for slaves that are not there.
  const isReal = startMaster === startRealBroker;
  const [lonely, count] = isReal ? ['FLUSH_SLAVE_TIMEOUT', 1] : ['SLAVE_NOT_AVAILABLE', COUNT];
  assert.equal(statuses(await send(address, 'alone', count)), [lonely]);

  const slave = await startSlave(address, { conf: { ...SLAVE, ...flush } });
  const same = () => endOfLog(slave.store) === endOfLog(master.store);
  await until('the slave to have the log', same, { patienceMs: PATIENCE_MS, pauseMs: 100 });
  assert.equal(statuses(await send(address, 'together')), ['SEND_OK']);
  // Acknowledged means: the slave has it, at this moment.
  sameLogs(master.store, slave.store);

  slave.signal('SIGSTOP');
  assert.equal(statuses(await send(address, 'stopped', 1)), ['FLUSH_SLAVE_TIMEOUT']);
  slave.signal('SIGCONT');
  await until('the slave to have the log again', same, { patienceMs: PATIENCE_MS, pauseMs: 100 });
  assert.equal(statuses(await send(address, 'again')), ['SEND_OK']);
  sameLogs(master.store, slave.store);

  await slave.kill();
  assert.equal(statuses(await send(address, 'alone-again', count)), [lonely]);
  await master.stop();
  await stopEverything();
}

test('a master that must have a copy elsewhere takes nothing without it, and says so', async () => {
  const { address } = await startRingNameServer();
  const conf = { ...SMALL, brokerRole: 'SYNC_MASTER', minInSyncReplicas: 2 };
  const master = await startRingBroker(address, { conf });
  const refused = { topic: 'waits-for-slaves', modes: 'sync', timeout: 20_000, count: 1, prefix: 'refused' };
  const producer = new Producer(java55, { nameServer: { address } }, refused);
  await producer.program.waitForEnd(PATIENCE_MS);
  assert.equal(producer.acked, []);
  assert.match(JSON.stringify(producer.failed), /in-sync replicas not enough/);
  assert.is(endOfLog(master.store), 0);

  const slave = await startRingBroker(address, { conf: SLAVE });
  const taken = () => master.log().some((line) => line.includes('messages are taken again'));
  await until('the master to count its slave', taken, { patienceMs: PATIENCE_MS, pauseMs: 100 });
  assert.equal(statuses(await send(address, 'together')), ['SEND_OK']);
  sameLogs(master.store, slave.store);
  await slave.kill();
  await master.stop();
  await stopEverything();
});

test('asynchronous flush, our slave', () => waitsForSlave({}, startRingBroker));
if (fullRun) {
  test('synchronous flush on both, our slave', () =>
    waitsForSlave({ flushDiskType: 'SYNC_FLUSH' }, startRingBroker));
  test('asynchronous flush, a real slave', () => waitsForSlave({}, startRealBroker));
  test('asynchronous flush, a real master and our slave', () =>
    waitsForSlave({}, startRingBroker, startRealBroker));
}

test('a SYNC_MASTER that counts its own copy alone waits for nobody', async () => {
  const { address } = await startRingNameServer();
  const master = await startRingBroker(address, {
    conf: { ...SMALL, brokerRole: 'SYNC_MASTER', inSyncReplicas: 1 },
  });
  assert.equal(statuses(await send(address, 'own-copy')), ['SEND_OK']);
  await master.stop();
  await stopEverything();
});

test.run();
