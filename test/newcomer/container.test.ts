// The container file, each step done in a root of Debian 12: used as RocketMQ's image is.

import { relative } from 'node:path';
import * as assert from 'uvu/assert';
import { Consumer, Producer } from '../interop/scenarios/actors.ts';
import { java55 } from '../interop/support/clients.ts';
import { Ledger } from '../interop/support/ledger.ts';
import { repository } from '../interop/support/paths.ts';
import { freeBrokerPort, freePort } from '../interop/support/ports.ts';
import { Program } from '../interop/support/program.ts';
import { interopSuite } from '../interop/support/suite.ts';
import type { Cluster } from '../interop/support/target.ts';
import { binary } from '../packages/support/binary.ts';
import { Image } from './support/containerfile.ts';

const test = interopSuite('container');
const START_MS = 60_000;
const image = new Image('packaging/container/Containerfile', { BINARY: relative(repository, binary()) });

function started(name: string, args: readonly string[], env: Readonly<Record<string, string>> = {}): Program {
  const [command = '', ...rest] = image.start(args, env);
  return new Program(name, command, rest);
}

function ready(program: Program): Promise<string> {
  const look = () => program.text.find((line) => line.startsWith('RingMQ ready:'));
  return program.waitFor('the ready line', look, START_MS);
}

test('ports and folders are those of the RocketMQ image', () => {
  assert.equal(image.told, [
    'EXPOSE 9876 10909 10911 10912 8081',
    'VOLUME /home/rocketmq/store /home/rocketmq/logs',
    'STOPSIGNAL SIGTERM',
  ]);
});

test('name server and broker as in its compose files, with messages of Java clients', async () => {
  const [namesrvPort, port] = [await freePort(), await freeBrokerPort()];
  const namesrv = started('namesrv', ['sh', 'mqnamesrv', '--port', String(namesrvPort)]);
  await ready(namesrv);
  const env = { NAMESRV_ADDR: `127.0.0.1:${namesrvPort}` };
  const conf = '/home/rocketmq/rocketmq-5.5.0/conf/broker.conf';
  image.root.run(`printf 'brokerIP1=127.0.0.1\\nbrokerName=broker-a\\nlistenPort=${port}\\n' > ${conf}`);
  const broker = started('broker', ['sh', 'mqbroker', '-c', '../conf/broker.conf'], env);
  await ready(broker);
  assert.equal(image.health(), { code: 0, output: `127.0.0.1:${port} serves\n` });

  const cluster = { nameServer: { address: env.NAMESRV_ADDR } } as unknown as Cluster;
  const ledger = new Ledger();
  await new Producer(java55, cluster, { topic: 'contained', count: 100 }, ledger).finish();
  const consumer = new Consumer(java55, cluster, { topic: 'contained', group: 'contained-group' }, ledger);
  await consumer.receives(ledger);
  await consumer.stop();
  ledger.exactlyOnce();
  assert.is(await broker.terminate(START_MS), 0);
  assert.is(await namesrv.terminate(START_MS), 0);
  assert.is(image.health().code, 1);
  const owner = image.root.run('stat -c %U /home/rocketmq/store/commitlog').output.trim();
  assert.is(owner, 'rocketmq');
});

test('what it has not is said', async () => {
  for (const args of [['proxy'], ['controller'], ['sh', 'mqbroker', '--enable-proxy']]) {
    const program = started(args.join(' '), args);
    assert.is(await program.waitForEnd(START_MS), 2);
    assert.match(program.text.join('\n'), /RingMQ has no (proxy|controller).*run RocketMQ's own/);
  }
});

test.run();
