/**
 * Starts one broker for one scenario, in a folder of its own (`home`) inside the run folder. A store that lies there
 * already is opened again.
 */
import type { ChildProcess } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { brokerConf } from './broker-conf.ts';
import type { RunFolder } from './cleanup.ts';
import type { Contestant, Kind } from './contestant.ts';
import { withManyFiles } from './descriptors.ts';
import { BROKER_PORT_NEIGHBOURS, freePort } from './ports.ts';
import { launchProxy, PROXY_READY, waitForPort } from './proxy.ts';
import { ringmqProgram } from './ringmq-program.ts';
import type { FlushMode } from './scenarios.ts';
import { launchScraper, metricsConf, SCRAPER_READY } from './scraper.ts';
import { logTail, Target } from './target.ts';

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

interface Launch {
  context: StartContext;
  contestant: Contestant;
  home: string;
  flush: FlushMode;
}

/** A started process, and what it prints when it is ready. */
interface Launched {
  target: Target;
  broker: ChildProcess;
  log: string;
  readyText: string;
  /** Of the page that is scraped. */
  metricsPort?: number;
}

async function waitFor(text: string, child: ChildProcess, log: string): Promise<void> {
  const deadline = performance.now() + READY_MILLIS;
  while (!fs.readFileSync(log, 'utf8').includes(text)) {
    if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) {
      throw new Error(`did not start\nlast output: ${logTail(log)}`);
    }
    if (performance.now() > deadline)
      throw new Error(`not ready after ${READY_MILLIS / 1000} s\nlast output: ${logTail(log)}`);
    await new Promise((resolve) => setTimeout(resolve, POLL_MILLIS));
  }
}

/**
 * A log of its own for each start, so that the last start's ready line is not taken for this one's. It exists at once.
 */
function newLog(home: string, name: string): string {
  fs.mkdirSync(home, { recursive: true });
  const starts = fs.readdirSync(home).filter((file) => file.startsWith(`${name}-`)).length;
  const log = path.join(home, `${name}-${starts + 1}.out`);
  fs.writeFileSync(log, '');
  return log;
}

async function launchRocketMq({ context, contestant, home, flush }: Launch): Promise<Launched> {
  const log = newLog(home, 'broker');
  const nameServerLog = newLog(home, 'namesrv');
  const [port, nameServerPort] = [await freePort(BROKER_PORT_NEIGHBOURS), await freePort()];
  const store = path.join(home, 'store');
  // ROCKETMQ_HOME is empty: all settings are in the file below, the log settings are those inside the jars
  const rocketmqHome = path.join(home, 'rocketmq-home');
  fs.mkdirSync(rocketmqHome, { recursive: true });
  fs.writeFileSync(path.join(home, 'namesrv.conf'), `listenPort=${nameServerPort}\n`);
  const own = {
    listenPort: String(port),
    namesrvAddr: `127.0.0.1:${nameServerPort}`,
    storePathRootDir: store,
  };
  const conf = { ...own, storePathCommitLog: path.join(store, 'commitlog'), ...contestant.conf };
  fs.writeFileSync(path.join(home, 'broker.conf'), brokerConf(flush, conf));
  const env = { ...process.env, ROCKETMQ_HOME: rocketmqHome };
  const common = [...ADD_OPENS.flatMap((name) => ['--add-opens', `java.base/${name}=ALL-UNNAMED`])];
  common.push(`-Duser.home=${home}`, '-cp', path.join(context.lib, '*'));
  const java = (jvm: string[], main: string, file: string, output: string): ChildProcess => {
    const args = [...jvm, ...common, `org.apache.rocketmq.${main}`, '-c', path.join(home, file)];
    return context.folder.start({ ...withManyFiles('java', args), env, cwd: home, log: output });
  };
  const nameServer = java(['-Xms256m', '-Xmx256m'], 'namesrv.NamesrvStartup', 'namesrv.conf', nameServerLog);
  await waitFor('boot success', nameServer, nameServerLog);
  const size = contestant.heap ?? context.heap;
  const startedAt = performance.now();
  const broker = java(
    [`-Xms${size}`, `-Xmx${size}`, ...JVM_FLAGS],
    'broker.BrokerStartup',
    'broker.conf',
    log,
  );
  const target = new Target({ port, nameServerPort, store, broker, helpers: [nameServer], log, startedAt });
  return { target, broker, log, readyText: 'boot success' };
}

async function launchRingMq({ context, contestant, home, flush }: Launch): Promise<Launched> {
  const ours = [process.execPath, ...(contestant.nodeFlags ?? []), contestant.cli ?? ringmqProgram()];
  const [program = '', ...first] = contestant.program ?? ours;
  const log = newLog(home, 'broker');
  const [port, nameServerPort] = [await freePort(BROKER_PORT_NEIGHBOURS), await freePort()];
  const metricsPort = contestant.scraped === true ? await freePort() : undefined;
  const conf = metricsPort === undefined ? {} : metricsConf(metricsPort);
  fs.writeFileSync(path.join(home, 'broker.conf'), brokerConf(flush, { ...contestant.conf, ...conf }));
  const store = path.join(home, 'store');
  const args = [...first, 'standalone', '--port', String(port)];
  args.push('--namesrv-port', String(nameServerPort));
  args.push('--store', store, '-c', path.join(home, 'broker.conf'));
  const startedAt = performance.now();
  const broker = context.folder.start({ ...withManyFiles(program, args), cwd: home, log });
  const target = new Target({ port, nameServerPort, store, broker, helpers: [], log, startedAt });
  const launched = { target, broker, log, readyText: 'RingMQ ready:' };
  return metricsPort === undefined ? launched : { ...launched, metricsPort };
}

async function launchNullServer({ context, home }: Launch): Promise<Launched> {
  const log = newLog(home, 'null');
  const port = await freePort();
  const script = fileURLToPath(new URL('../load/null-server.js', import.meta.url));
  const args = [script, '--port', String(port)];
  const startedAt = performance.now();
  const broker = context.folder.start({ command: process.execPath, args, cwd: home, log });
  const parts = { port, nameServerPort: 0, store: home, broker, helpers: [], log, startedAt };
  return { target: new Target(parts), broker, log, readyText: 'ready' };
}

function launchNothing(): Promise<Launched> {
  throw new Error('a bare loop has no broker');
}

const LAUNCHERS: Record<Kind, (launch: Launch) => Promise<Launched>> = {
  rocketmq: launchRocketMq,
  ringmq: launchRingMq,
  null: launchNullServer,
  bare: launchNothing,
};

/** Starts the broker's process and, with `ready`, waits until it says that it is ready. */
export async function startTarget(
  context: StartContext,
  contestant: Contestant,
  flush: FlushMode,
  home: string,
  { ready = true } = {},
): Promise<Target> {
  const before = context.folder.pids;
  try {
    const launched = await LAUNCHERS[contestant.kind]({ context, contestant, home, flush });
    if (ready) await waitFor(launched.readyText, launched.broker, launched.log);
    if (contestant.proxy === true) await startProxy(context, launched.target, home);
    if (launched.metricsPort !== undefined) await startScraper(context, launched, home);
    return launched.target;
  } catch (error) {
    context.folder.endStartedSince(before);
    throw error;
  }
}

async function startProxy({ folder }: StartContext, target: Target, home: string): Promise<void> {
  const proxy = await launchProxy(folder, home, target.nameServerPort, newLog(home, 'proxy'));
  await waitFor(PROXY_READY, proxy.child, proxy.log);
  await waitForPort(proxy.port);
  target.attach(proxy);
}

async function startScraper(
  { folder }: StartContext,
  { target, metricsPort }: Launched,
  home: string,
): Promise<void> {
  const log = newLog(home, 'prometheus');
  const scraper = await launchScraper(folder, home, metricsPort as number, log);
  await waitFor(SCRAPER_READY, scraper, log);
  target.scrapedBy(scraper);
}
