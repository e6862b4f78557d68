// `ringmq cluster start --layout 2m-2s-sync` as a person tries it: four brokers, real clients, a master killed under
// traffic. What was acknowledged with SEND_OK is on its slave, and consumers get it there.

import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { Consumer, Producer } from './scenarios/actors.ts';
import { java55 } from './support/clients.ts';
import { CommandLine } from './support/command-line.ts';
import { Ledger } from './support/ledger.ts';
import { repository, temporaryFolder } from './support/paths.ts';
import { freeClusterPort } from './support/ports.ts';
import { Program } from './support/program.ts';
import { interopSuite } from './support/suite.ts';

const test = interopSuite('a cluster of four');
const MAIN = join(repository, 'dist', 'src', 'cli', 'main.js');
const TOPIC = 'survives';
const START_MS = 60_000;
/** A client asks name servers for routes every 30 s, and forgets brokers of none. */
const FAILOVER_MS = 150_000;

async function startCluster(): Promise<{ program: Program; nameServer: { address: string } }> {
  const port = String(await freeClusterPort());
  const args = ['--layout', '2m-2s-sync', '--dir', temporaryFolder('cluster'), '--base-port', port];
  const program = new Program('cluster', process.execPath, [MAIN, 'cluster', ...args]);
  const isReady = () => program.text.find((line) => line.startsWith('RingMQ ready: cluster 2m-2s-sync, '));
  await program.waitFor('the ready line', isReady, START_MS);
  return { program, nameServer: { address: `127.0.0.1:${port}` } };
}

function pidOf({ text }: Program, name: string): number {
  const line = text.find((one) => new RegExp(`^cluster +\\| ${name} is process \\d+$`).test(one));
  return Number(line?.split(' ').at(-1));
}

test('a master is killed: nothing acknowledged is lost, and sends go on with the other', async () => {
  const { program, nameServer } = await startCluster();
  const cluster = {
    nameServer: { address: nameServer.address, log: () => program.text, stop: async () => undefined },
  };
  await new CommandLine(cluster).topic(TOPIC, '--queues', '4');
  const group = { topic: TOPIC, group: 'goes-on' };
  const ledger = new Ledger();
  const before = new Consumer(java55, cluster, group, ledger);
  await before.holds(4); // by their numbers, which both brokers have
  const sends = { topic: TOPIC, 'until-stop': true, rate: 500, body: 1_000 };
  const producer = new Producer(java55, cluster, { ...sends, prefix: 'flow' });
  // Of what is not answered with SEND_OK the brokers do not vouch.
  const count = { ok: 0, killed: 0, after: 0 };
  let isKilled = false;
  producer.program.onEvent((event) => {
    if (event.event !== 'sent' || event['status'] !== 'SEND_OK') return;
    ledger.send(String(event['key']));
    count.ok++;
    if (event['broker'] === 'broker-a') count.killed++;
    if (isKilled && event['broker'] === 'broker-b') count.after++;
  });
  await producer.program.waitFor('sends', () => (count.ok >= 2_000 ? true : undefined), START_MS);
  const pid = pidOf(program, 'broker-a');
  process.kill(pid, 'SIGKILL');
  isKilled = true;
  const ended = `broker-a (master, process ${pid}) was ended by SIGKILL; the others go on`;
  await program.waitFor(
    'its end to be told',
    () => program.text.find((line) => line.endsWith(ended)),
    START_MS,
  );
  await producer.program.waitFor(
    'sends to the other',
    () => (count.after >= 2_000 ? true : undefined),
    START_MS,
  );
  await producer.program.stop();
  await before.receives(ledger, FAILOVER_MS);
  await before.stop();
  // Somebody new reads all of it, that of the killed master from its slave.
  const again = new Ledger();
  for (const key of ledger.sent) again.send(key);
  const late = new Consumer(java55, cluster, { ...group, group: 'comes-later' }, again);
  await late.receives(again, FAILOVER_MS);
  await late.stop();
  ledger.noneLost();
  again.noneLost();
  assert.ok(count.killed > 100, `the killed master had acknowledged ${count.killed}`);
  assert.is(await program.terminate(), 0, program.tail());
});

test.run();
