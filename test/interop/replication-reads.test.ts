// Real push consumers that read what their master no longer has in memory: they are sent to its slave, and back.

import * as assert from 'uvu/assert';
import { until } from '../support/sockets-rig.ts';
import { Consumer, Producer } from './scenarios/actors.ts';
import { java55 } from './support/clients.ts';
import { Ledger } from './support/ledger.ts';
import { endOfLog } from './support/log-files.ts';
import { freePort } from './support/ports.ts';
import { stopEverything } from './support/program.ts';
import { startRingBroker, startRingNameServer } from './support/ringmq.ts';
import type { Conf } from './support/servers.ts';
import { interopSuite } from './support/suite.ts';

const test = interopSuite('replication: where consumers read');
const TOPIC = 'read-from-both';
const GROUP = 'goes-to-the-slave';
const WAIT = { patienceMs: 60_000, pauseMs: 100 };
const SMALL = { mappedFileSizeCommitLog: 5 * 1024 * 1024 };
const FIRST = 500;

/** A broker's configuration with a page of metrics, and how many messages that says the group was given. */
async function counted(conf: Conf) {
  const port = await freePort();
  const page = { metricsExporterType: 'PROM', metricsPromExporterPort: port };
  const line = new RegExp(`^rocketmq_messages_out_total\\{.*consumer_group="${GROUP}".*\\} (\\d+)`, 'gm');
  const text = async () => (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
  const given = async () => {
    return [...(await text()).matchAll(line)].reduce((sum, [, count]) => sum + Number(count), 0);
  };
  /** Whether a family has a sample of this value, and no other. */
  const shows = async (family: string, value: number) => {
    const found = [...(await text()).matchAll(new RegExp(`^${family}\\{.*\\} (.*)$`, 'gm'))];
    return found.length === 1 && Number(found[0]?.[1]) === value;
  };
  return { conf: { ...SMALL, ...conf, ...page }, given, shows };
}

test('a consumer of old messages reads them from the slave, and is back when it has caught up', async () => {
  const nameServer = await startRingNameServer();
  const cluster = { nameServer };
  // Nothing counts as in memory: whatever the master gives is the last that it gives.
  const ofMaster = await counted({ accessMessageInMemoryMaxRatio: 0 });
  const ofSlave = await counted({ brokerRole: 'SLAVE', brokerId: 1, accessMessageInMemoryMaxRatio: 0 });
  const master = await startRingBroker(nameServer.address, { conf: ofMaster.conf });
  const slave = await startRingBroker(nameServer.address, { conf: ofSlave.conf });
  const ledger = new Ledger();
  const args = { topic: TOPIC, modes: 'sync' };
  await new Producer(java55, cluster, { ...args, count: FIRST, prefix: 'old' }, ledger).finish();
  await until('the slave to have the log', () => endOfLog(slave.store) === endOfLog(master.store), WAIT);

  const consumer = new Consumer(java55, cluster, { topic: TOPIC, group: GROUP }, ledger);
  await consumer.receives(ledger);
  let [master1, slave1] = [0, 0];
  const all = async () => {
    [master1, slave1] = [await ofMaster.given(), await ofSlave.given()];
    return master1 + slave1 >= FIRST;
  };
  await until('what was given to be counted', all, WAIT);
  assert.ok(slave1 > FIRST / 2, `of ${FIRST} messages the slave gave ${slave1}, the master ${master1}`);

  // It waits at its master again: news come from there.
  const back = async () => (await ofMaster.given()) > master1;
  for (let i = 0; !(await back()); i++) {
    assert.ok(i < 30, 'nothing new came from the master');
    await new Producer(java55, cluster, { ...args, count: 8, prefix: `new-${i}-` }, ledger).finish();
    await consumer.receives(ledger);
  }
  await consumer.stop();
  ledger.exactlyOnce();
  for (const [of, family, value] of [
    [ofMaster, 'ringmq_slaves_in_sync', 1],
    [ofMaster, 'ringmq_slave_behind_bytes', 0],
    [ofMaster, 'ringmq_slave_behind_seconds', 0],
    [ofSlave, 'ringmq_master_connected', 1],
    [ofSlave, 'ringmq_behind_master_bytes', 0],
    [ofSlave, 'ringmq_behind_master_seconds', 0],
  ] as const)
    await until(`${family} to be ${value}`, () => of.shows(family, value), WAIT);
  await slave.stop();
  await master.stop();
  await stopEverything();
});

test.run();
