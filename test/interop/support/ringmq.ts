// Our own broker, as a person starts it: through the command line of the build.

import { mkdtempSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { repository, temporaryFolder } from './paths.ts';
import { freeBrokerPort } from './ports.ts';
import { Program } from './program.ts';
import {
  type Broker,
  type BrokerOptions,
  COMMON_CONF,
  type Conf,
  confText,
  type Installed,
  type NameServer,
} from './servers.ts';

const START_TIMEOUT = 60_000;
const STOP_TIMEOUT = 30_000;
const MAIN = join(repository, 'dist', 'src', 'cli', 'main.js');

export async function startRingNameServer(tls: Conf = {}): Promise<NameServer> {
  const conf = join(temporaryFolder('ringmq-namesrv'), 'namesrv.conf');
  writeFileSync(conf, confText(tls));
  const program = launch(['namesrv', '--port', '0', '-c', conf]);
  const ready = await readyLine(program);
  return { address: part(ready, 'name server'), log: () => program.text, stop: () => stop(program) };
}

export async function startRingBroker(nameServer: string, options: BrokerOptions = {}): Promise<Broker> {
  const { args, store } = await brokerArgs(options);
  const program = launch(['broker', '-n', nameServer, ...args], options.installed);
  return brokerOf(program, await readyLine(program), store, options);
}

/** Name server and broker in one process. */
export async function startRingStandalone(
  options: BrokerOptions = {},
): Promise<{ nameServer: NameServer; broker: Broker }> {
  const { args, store } = await brokerArgs(options);
  const program = launch(['standalone', '--namesrv-port', '0', ...args], options.installed);
  const ready = await readyLine(program);
  const broker = brokerOf(program, ready, store, options);
  const nameServer = { address: part(ready, 'name server'), log: broker.log, stop: async () => undefined };
  return { broker, nameServer };
}

async function brokerArgs(options: BrokerOptions): Promise<{ args: string[]; store: string }> {
  const root = options.installed?.root ?? '';
  const home = root === '' ? temporaryFolder('ringmq') : mkdtempSync(join(root, 'tmp', 'ringmq-'));
  const store = options.store ?? join(home, 'store');
  const port = options.port ?? (await freeBrokerPort());
  writeFileSync(join(home, 'broker.conf'), confText({ ...COMMON_CONF, ...options.tls, ...options.conf }));
  const threads =
    options.networkThreads === undefined ? [] : ['--network-threads', String(options.networkThreads)];
  const within = (path: string) => path.slice(root.length);
  const conf = within(join(home, 'broker.conf'));
  const args = ['--port', String(port), '--store', within(store), '-c', conf, ...threads];
  return { args, store };
}

function brokerOf(program: Program, ready: string, store: string, options: BrokerOptions): Broker {
  const address = part(ready, 'broker');
  return {
    name: String({ ...COMMON_CONF, ...options.conf }['brokerName']),
    address,
    port: Number(address.slice(address.lastIndexOf(':') + 1)),
    store,
    stop: () => stop(program),
    kill: () => program.kill(),
    signal: (signal) => program.signal(signal),
    log: () => program.text,
  };
}

function launch(args: readonly string[], installed?: Installed): Program {
  const command = installed?.command ?? [process.execPath, '--enable-source-maps', MAIN];
  const [program = '', ...first] = command;
  return new Program(`ringmq ${args[0]}`, program, [...first, ...args]);
}

function readyLine(program: Program): Promise<string> {
  return program.waitFor(
    'the ready line',
    () => program.text.find((line) => line.startsWith('RingMQ ready:')),
    START_TIMEOUT,
  );
}

function part(ready: string, name: string): string {
  const found = new RegExp(`${name} ([^ ,]+)`).exec(ready)?.[1];
  if (found === undefined) throw new Error(`no ${name} in: ${ready}`);
  return found;
}

async function stop(program: Program): Promise<void> {
  const code = await program.terminate(STOP_TIMEOUT);
  if (code !== 0) throw new Error(`${program.name} ended with ${code}\n${program.tail()}`);
}
