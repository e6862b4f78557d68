// A slave that has messages which its master does not have: the master has lost the end of its log and gone on. The
// slave finds the last position that both have, cuts there, keeps what it cuts, and follows. Real masters, and logs
// that differ over several files, only in the full run.

import { cpSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { fullRun } from '../support/random.ts';
import { until } from '../support/sockets-rig.ts';
import { Consumer, Producer } from './scenarios/actors.ts';
import { java55 } from './support/clients.ts';
import { Ledger } from './support/ledger.ts';
import { endOfLog, sameLogs } from './support/log-files.ts';
import { temporaryFolder } from './support/paths.ts';
import { stopEverything } from './support/program.ts';
import { startRealBroker, startRealNameServer } from './support/real-rocketmq.ts';
import { startRingBroker } from './support/ringmq.ts';
import type { Broker, BrokerOptions } from './support/servers.ts';
import { interopSuite } from './support/suite.ts';

const test = interopSuite('replication: a slave that has diverged');
const TOPIC = 'diverged';
const PATIENCE = { patienceMs: 90_000, pauseMs: 100 };
const SMALL = { mappedFileSizeCommitLog: 5 * 1024 * 1024 };
const SLAVE = { ...SMALL, brokerRole: 'SLAVE', brokerId: 1 };

type Start = (nameServer: string, options: BrokerOptions) => Promise<Broker>;

/** `lost`: messages that only the slave has; `other`: those that the master has in their place. */
async function diverges(startMaster: Start, lost: number, other: number): Promise<void> {
  const { address } = await startRealNameServer();
  const cluster = { nameServer: { address } };
  const stores = { master: temporaryFolder('diverged-master'), slave: temporaryFolder('diverged-slave') };
  const [common, gone, ours] = [new Ledger(), new Ledger(), new Ledger()];
  const send = (prefix: string, count: number, ledger: Ledger) => {
    const args = { topic: TOPIC, modes: 'sync', body: 2_000, count, prefix };
    return new Producer(java55, cluster, args, ledger).finish();
  };
  const master = () => startMaster(address, { store: stores.master, conf: SMALL });
  const slave = () => startRingBroker(address, { store: stores.slave, conf: SLAVE });
  const caughtUp = (a: Broker, b: Broker) =>
    until('the slave to have the log', () => endOfLog(b.store) >= endOfLog(a.store), PATIENCE);

  let m = await master();
  let s = await slave();
  await send('common', 200, common);
  await caughtUp(m, s);
  await s.stop();
  await m.stop();
  const before = temporaryFolder('diverged-before');
  cpSync(stores.master, before, { recursive: true });

  m = await master();
  s = await slave();
  await send('lost', lost, gone);
  await caughtUp(m, s);
  await s.stop();
  await m.stop();

  // The master's disk has lost the end of its log.
  rmSync(stores.master, { recursive: true });
  cpSync(before, stores.master, { recursive: true });
  m = await master();
  await send('other', other, ours);
  s = await slave();
  await until(
    'the slave to have cut its log',
    () => s.log().some((line) => line.includes('cut the log')),
    PATIENCE,
  );
  await caughtUp(m, s);
  await send('later', 20, ours);
  await caughtUp(m, s);
  sameLogs(m.store, s.store);
  const kept = join(stores.slave, 'commitlog', 'ringmq.cut');
  const text = readdirSync(kept)
    .map((name) => readFileSync(join(kept, name)).toString('latin1'))
    .join();
  for (const key of gone.sent.keys()) assert.ok(text.includes(key), `${key} is kept beside the log`);

  await m.stop();
  const all = new Ledger();
  for (const ledger of [common, ours]) for (const key of ledger.sent.keys()) all.send(key);
  const consumer = new Consumer(java55, cluster, { topic: TOPIC, group: 'after-the-cut' }, all);
  await consumer.receives(all);
  await consumer.stop();
  all.exactlyOnce();
  await s.stop();
  await stopEverything();
}

test('our master, the slave is ahead', () => diverges(startRingBroker, 300, 10));
if (fullRun) {
  test('our master, the slave is behind and differs over files', () =>
    diverges(startRingBroker, 3_000, 4_000));
  test('a real master', () => diverges(startRealBroker, 300, 30));
}

test.run();
