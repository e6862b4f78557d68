/** Starts one broker for one scenario, in a folder of its own (`home`) inside the run folder. */
import type { ChildProcess } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { brokerConf } from './broker-conf.ts';
import type { RunFolder } from './cleanup.ts';
import { BROKER_PORT_NEIGHBOURS, freePort } from './ports.ts';
import type { FlushMode } from './scenarios.ts';
import { logTail, Target, type TargetName } from './target.ts';

export interface StartContext {
  folder: RunFolder;
  /** RocketMQ's jars. */
  lib: string;
  heap: string;
}

const READY_MILLIS = 120_000;
const POLL_MILLIS = 100;

const ADD_OPENS = ['java.nio', 'sun.nio.ch', 'jdk.internal.ref', 'java.lang'];
/** What RocketMQ's own start script gives the broker, besides the heap. */
export const JVM_FLAGS: readonly string[] = [
  '-server',
  '-XX:+UseG1GC',
  '-XX:G1HeapRegionSize=16m',
  '-XX:G1ReservePercent=25',
  '-XX:InitiatingHeapOccupancyPercent=30',
  '-XX:SoftRefLRUPolicyMSPerMB=0',
  '-XX:-OmitStackTraceInFastThrow',
  '-XX:+AlwaysPreTouch',
  '-XX:MaxDirectMemorySize=15g',
  '-XX:-UseLargePages',
];

async function waitFor(ready: () => boolean, child: ChildProcess, log: string): Promise<void> {
  const deadline = performance.now() + READY_MILLIS;
  while (!ready()) {
    if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) {
      throw new Error(`did not start\nlast output: ${logTail(log)}`);
    }
    if (performance.now() > deadline)
      throw new Error(`not ready after ${READY_MILLIS / 1000} s\nlast output: ${logTail(log)}`);
    await new Promise((resolve) => setTimeout(resolve, POLL_MILLIS));
  }
}

function says(log: string, text: string): () => boolean {
  return () => fs.readFileSync(log, 'utf8').includes(text);
}

async function startRocketMq(context: StartContext, home: string, flush: FlushMode): Promise<Target> {
  const log = path.join(home, 'broker.out');
  const nameServerLog = path.join(home, 'namesrv.out');
  const [port, nameServerPort] = [await freePort(BROKER_PORT_NEIGHBOURS), await freePort()];
  const store = path.join(home, 'store');
  // ROCKETMQ_HOME is empty: all settings are in the file below, the log settings are those inside the jars
  const rocketmqHome = path.join(home, 'rocketmq-home');
  fs.mkdirSync(rocketmqHome, { recursive: true });
  fs.writeFileSync(path.join(home, 'namesrv.conf'), `listenPort=${nameServerPort}\n`);
  const own = { listenPort: port, namesrvAddr: `127.0.0.1:${nameServerPort}`, storePathRootDir: store };
  const conf = { ...own, storePathCommitLog: path.join(store, 'commitlog') };
  const lines = Object.entries(conf).map(([key, value]) => `${key}=${value}\n`);
  fs.writeFileSync(path.join(home, 'broker.conf'), brokerConf(flush) + lines.join(''));
  const env = { ...process.env, ROCKETMQ_HOME: rocketmqHome };
  const common = [...ADD_OPENS.flatMap((name) => ['--add-opens', `java.base/${name}=ALL-UNNAMED`])];
  common.push(`-Duser.home=${home}`, '-cp', path.join(context.lib, '*'));
  const java = (jvm: string[], main: string, file: string, output: string): ChildProcess =>
    context.folder.start({
      command: 'java',
      args: [...jvm, ...common, `org.apache.rocketmq.${main}`, '-c', path.join(home, file)],
      env,
      cwd: home,
      log: output,
    });
  const nameServer = java(['-Xms256m', '-Xmx256m'], 'namesrv.NamesrvStartup', 'namesrv.conf', nameServerLog);
  await waitFor(says(nameServerLog, 'boot success'), nameServer, nameServerLog);
  const heap = [`-Xms${context.heap}`, `-Xmx${context.heap}`];
  const broker = java([...heap, ...JVM_FLAGS], 'broker.BrokerStartup', 'broker.conf', log);
  await waitFor(says(log, 'boot success'), broker, log);
  return new Target({ name: 'rocketmq', port, broker, helpers: [nameServer], log });
}

async function startRingMq(context: StartContext, home: string, flush: FlushMode): Promise<Target> {
  const cli = fileURLToPath(new URL('../../src/cli/main.js', import.meta.url));
  if (!fs.existsSync(cli)) throw new Error('is not built: run "npm run build" first');
  const log = path.join(home, 'broker.out');
  const [port, nameServerPort] = [await freePort(BROKER_PORT_NEIGHBOURS), await freePort()];
  fs.mkdirSync(home, { recursive: true });
  fs.writeFileSync(path.join(home, 'broker.conf'), brokerConf(flush));
  const args = [cli, 'standalone', '--port', String(port), '--namesrv-port', String(nameServerPort)];
  args.push('--store', path.join(home, 'store'), '-c', path.join(home, 'broker.conf'));
  const broker = context.folder.start({ command: process.execPath, args, cwd: home, log });
  await waitFor(says(log, 'RingMQ ready:'), broker, log);
  return new Target({ name: 'ringmq', port, broker, helpers: [], log });
}

async function startNullServer(context: StartContext, home: string): Promise<Target> {
  const log = path.join(home, 'null.out');
  const port = await freePort();
  fs.mkdirSync(home, { recursive: true });
  const script = fileURLToPath(new URL('../load/null-server.js', import.meta.url));
  const args = [script, '--port', String(port)];
  const broker = context.folder.start({ command: process.execPath, args, cwd: home, log });
  await waitFor(says(log, 'ready'), broker, log);
  return new Target({ name: 'null', port, broker, helpers: [], log });
}

const STARTERS = { rocketmq: startRocketMq, ringmq: startRingMq, null: startNullServer };

export async function startTarget(
  context: StartContext,
  name: TargetName,
  flush: FlushMode,
  home: string,
): Promise<Target> {
  const before = context.folder.pids;
  try {
    return await STARTERS[name](context, home, flush);
  } catch (error) {
    context.folder.endStartedSince(before);
    throw error;
  }
}
