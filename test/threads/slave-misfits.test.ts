// Slaves that were configured for another master, and two with one number: each says so in one sentence.

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import {
  type BrokerProcess,
  startBrokerProcess,
  startLoneBrokerProcess,
  temporaryStore,
} from '../support/broker-process.ts';
import { until } from '../support/sockets-rig.ts';

const test = suite('slaves that do not fit');
const store = temporaryStore();
const running: BrokerProcess[] = [];

test.after(async () => {
  for (const { child, ended } of running) {
    child.kill('SIGKILL');
    await ended;
  }
  store.remove();
});

const SLAVE = { brokerName: 'broker-a', brokerRole: 'SLAVE', brokerId: 1, haListenPort: 0 };
const FILES = 8 * 1024 * 1024;

async function start(
  name: string,
  nameServer: string,
  conf: Record<string, unknown>,
): Promise<BrokerProcess> {
  const folder = join(store.directory, name);
  mkdirSync(folder);
  const all = { brokerClusterName: 'DefaultCluster', mappedFileSizeCommitLog: FILES, ...conf };
  const file = join(folder, 'broker.conf');
  writeFileSync(
    file,
    Object.entries(all)
      .map(([key, value]) => `${key}=${value}\n`)
      .join(''),
  );
  const started = await startLoneBrokerProcess(join(folder, 'store'), nameServer, ['-c', file]);
  running.push(started);
  return started;
}

async function says(broker: BrokerProcess, sentence: RegExp): Promise<void> {
  const said = () => sentence.test(broker.log());
  await until(`a line with ${sentence}`, said, { patienceMs: 30_000, pauseMs: 50 }).catch((error: Error) => {
    throw new Error(`${error.message} in\n${broker.log()}`);
  });
}

test('of another cluster, with other files, and with the number of another slave', async () => {
  const names = await startBrokerProcess(join(store.directory, 'names'));
  running.push(names);
  const { nameServer } = names;
  await start('master', nameServer, { brokerName: 'broker-a' });
  const fits = await start('fits', nameServer, SLAVE);
  await says(fits, /this slave follows its master/);
  const stranger = await start('cluster', nameServer, { ...SLAVE, brokerId: 2, brokerClusterName: 'Other' });
  await says(
    stranger,
    /is of the cluster DefaultCluster, and this slave of Other: set the same brokerClusterName/,
  );
  const other = await start('files', nameServer, {
    ...SLAVE,
    brokerId: 3,
    mappedFileSizeCommitLog: 2 * FILES,
  });
  await says(other, new RegExp(`has files of ${FILES} bytes, and this slave's of ${2 * FILES}`));
  const twin = await start('twin', nameServer, SLAVE);
  for (const one of [fits, twin]) await says(one, /set another brokerId for one of them/);
});

test.run();
