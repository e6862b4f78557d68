// Real RocketMQ 5.5.0 from its Maven jars, on free loopback ports, with nothing under its home folder.

import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { clientOptions } from './certificates.ts';
import { java, serverClassPath } from './jvm.ts';
import { temporaryFolder } from './paths.ts';
import { freeBrokerPort, freePort } from './ports.ts';
import { Program } from './program.ts';
import { RawConnection } from './raw.ts';
import {
  type Broker,
  type BrokerOptions,
  COMMON_CONF,
  type Conf,
  confText,
  type NameServer,
} from './servers.ts';

const START_TIMEOUT = 60_000;
const GET_BROKER_CLUSTER_INFO = 106;
const OPENED = ['java.nio', 'sun.nio.ch', 'jdk.internal.ref', 'java.lang'];

/** For tests beside other load: the real broker refuses sends that waited 200 ms for a thread or a page. */
const PATIENCE = {
  waitTimeMillsInSendQueue: 10_000,
  osPageCacheBusyTimeOutMills: 10_000,
};

export async function startRealNameServer(tls: Conf = {}, more: Conf = {}): Promise<NameServer> {
  const home = temporaryFolder('real-namesrv');
  const port = await freePort();
  const conf = { listenPort: port, bindAddress: '127.0.0.1', kvConfigPath: join(home, 'kv.json'), ...more };
  writeFileSync(join(home, 'namesrv.conf'), confText(conf));
  const main = 'org.apache.rocketmq.namesrv.NamesrvStartup';
  const program = launch(main, '256m', home, ['-c', join(home, 'namesrv.conf')], tls);
  await program.waitFor('boot', () => booted(program), START_TIMEOUT);
  const log = () => logged(join(home, 'logs', 'rocketmqlogs'));
  return { address: `127.0.0.1:${port}`, log, stop: () => stop(program) };
}

export async function startRealBroker(nameServer: string, options: BrokerOptions = {}): Promise<Broker> {
  const home = temporaryFolder('real-broker');
  const store = options.store ?? join(home, 'store');
  const port = options.port ?? (await freeBrokerPort());
  const conf: Conf = {
    ...COMMON_CONF,
    ...PATIENCE,
    haListenPort: port + 1,
    // Slaves are told this one, else an address of the machine.
    brokerIP2: '127.0.0.1',
    listenPort: port,
    storePathRootDir: store,
    storePathCommitLog: join(store, 'commitlog'),
    ...options.conf,
  };
  mkdirSync(store, { recursive: true });
  writeFileSync(join(home, 'broker.conf'), confText(conf));
  const main = 'org.apache.rocketmq.broker.BrokerStartup';
  const args = ['-c', join(home, 'broker.conf'), '-n', nameServer];
  const program = launch(main, '1g', home, args, options.tls);
  await program.waitFor('boot', () => booted(program), START_TIMEOUT);
  const own = `${conf['brokerIP1']}:${port}`;
  await Promise.all(nameServer.split(';').map((one) => inRoutes(one, own, options.tls)));
  return {
    name: String(conf['brokerName']),
    address: `127.0.0.1:${port}`,
    port,
    store,
    stop: () => stop(program),
    kill: () => program.kill(),
    signal: (signal) => program.signal(signal),
    log: () => logged(join(home, 'logs', 'rocketmqlogs')),
  };
}

function logged(folder: string): string[] {
  const files = readdirSync(folder).filter((name) => name.endsWith('.log'));
  return files.flatMap((name) => readFileSync(join(folder, name), 'utf8').split('\n'));
}

/** A broker that says that it has booted may not be in the routes yet: clients then have no route and give up. */
async function inRoutes(nameServer: string, broker: string, tls?: Conf): Promise<void> {
  const connection = await RawConnection.open(nameServer, tls && clientOptions(tls));
  try {
    for (const end = Date.now() + START_TIMEOUT; ; ) {
      const { body } = await connection.request({ code: GET_BROKER_CLUSTER_INFO });
      if (body.includes(broker)) return;
      if (Date.now() > end) throw new Error(`${broker} is not in the routes of ${nameServer}: ${body}`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  } finally {
    connection.destroy();
  }
}

function launch(
  main: string,
  heap: string,
  home: string,
  args: readonly string[],
  properties: Conf = {},
): Program {
  const opened = OPENED.flatMap((name) => ['--add-opens', `java.base/${name}=ALL-UNNAMED`]);
  const options = [
    `-Xms${heap}`,
    `-Xmx${heap}`,
    '-XX:+UseSerialGC',
    '-XX:TieredStopAtLevel=1',
    ...opened,
    `-Duser.home=${home}`,
    `-Drocketmq.home.dir=${home}`,
    ...Object.entries(properties).map(([name, value]) => `-D${name}=${value}`),
  ];
  const short = main.slice(main.lastIndexOf('.') + 1);
  const env = { ROCKETMQ_HOME: home, NAMESRV_ADDR: '' };
  return new Program(short, java(), [...options, '-cp', serverClassPath(), main, ...args], {
    env,
    cwd: home,
  });
}

function booted(program: Program): true | undefined {
  return program.text.some((line) => line.includes('boot success')) ? true : undefined;
}

/** A JVM that leaves its shutdown hooks cleanly after SIGTERM exits with 143. */
async function stop(program: Program): Promise<void> {
  const code = await program.terminate(60_000);
  if (code !== 143 && code !== 128) throw new Error(`${program.name} ended with ${code}\n${program.tail()}`);
}
