/**
 * Starts one broker for one scenario, in a folder of its own (`home`) inside the run folder. A store that lies there
 * already is opened again.
 */
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { brokerConf } from './broker-conf.ts';
import {
  newLog,
  RINGMQ_READY,
  ROCKETMQ_READY,
  type ServerProcess,
  type StartContext,
  startJava,
  startJavaBroker,
  startRingMq,
  waitFor,
} from './broker-process.ts';
import type { Contestant, Kind } from './contestant.ts';
import { withManyFiles } from './descriptors.ts';
import { LIMIT_READY, limitProgram } from './limit-program.ts';
import { BROKER_PORT_NEIGHBOURS, freePort } from './ports.ts';
import { CACHE } from './program.ts';
import { launchProxy, PROXY_READY, waitForPort } from './proxy.ts';
import type { FlushMode } from './scenarios.ts';
import { launchScraper, metricsConf, SCRAPER_READY } from './scraper.ts';
import { masterConf, rocketMqConf, startSlave } from './slave.ts';
import { Target } from './target.ts';

interface Launch {
  context: StartContext;
  contestant: Contestant;
  home: string;
  flush: FlushMode;
}

/** A started process, and what it prints when it is ready. */
interface Launched extends ServerProcess {
  target: Target;
  readyText: string;
  /** Of the page that is scraped. */
  metricsPort?: number;
}

const NAME_SERVER_HEAP = ['-Xms256m', '-Xmx256m'];

async function launchRocketMq({ context, contestant, home, flush }: Launch): Promise<Launched> {
  const [port, nameServerPort] = [await freePort(BROKER_PORT_NEIGHBOURS), await freePort()];
  const store = path.join(home, 'store');
  const nameServerConf = `listenPort=${nameServerPort}\n`;
  const nameServer = startJava(context, 'namesrv', home, NAME_SERVER_HEAP, nameServerConf);
  await waitFor(ROCKETMQ_READY, nameServer);
  const own = rocketMqConf(port, nameServerPort, store);
  const conf = brokerConf(flush, { ...own, ...masterConf(contestant), ...contestant.conf });
  const startedAt = performance.now();
  const broker = startJavaBroker(context, contestant, home, conf);
  const { child, log } = broker;
  const helpers = [nameServer.child];
  const target = new Target({ port, nameServerPort, store, broker: child, helpers, log, startedAt });
  return { ...broker, target, readyText: ROCKETMQ_READY };
}

async function launchRingMq({ context, contestant, home, flush }: Launch): Promise<Launched> {
  const [port, nameServerPort] = [await freePort(BROKER_PORT_NEIGHBOURS), await freePort()];
  const metricsPort = contestant.scraped === true ? await freePort() : undefined;
  const metrics = metricsPort === undefined ? {} : metricsConf(metricsPort);
  const conf = brokerConf(flush, { ...masterConf(contestant), ...contestant.conf, ...metrics });
  const store = path.join(home, 'store');
  const args = ['standalone', '--port', String(port), '--namesrv-port', String(nameServerPort)];
  args.push('--store', store);
  const startedAt = performance.now();
  const broker = startRingMq(context, contestant, home, args, conf);
  const { child, log } = broker;
  const target = new Target({ port, nameServerPort, store, broker: child, helpers: [], log, startedAt });
  const launched = { ...broker, target, readyText: RINGMQ_READY };
  return metricsPort === undefined ? launched : { ...launched, metricsPort };
}

async function launchNullServer({ context, home }: Launch): Promise<Launched> {
  const log = newLog(home, 'null');
  const port = await freePort();
  const script = fileURLToPath(new URL('../load/null-server.js', import.meta.url));
  const args = [script, '--port', String(port)];
  const startedAt = performance.now();
  const child = context.folder.start({ command: process.execPath, args, cwd: home, log });
  const parts = { port, nameServerPort: 0, store: home, broker: child, helpers: [], log, startedAt };
  return { target: new Target(parts), child, log, readyText: 'ready' };
}

async function launchLimit({ context, home, flush }: Launch): Promise<Launched> {
  const program = await limitProgram(context.folder, CACHE);
  const log = newLog(home, 'limit');
  const port = await freePort();
  const store = path.join(home, 'store');
  const command = withManyFiles(program, [String(port), store, flush === 'SYNC_FLUSH' ? 'sync' : 'async']);
  const startedAt = performance.now();
  const child = context.folder.start({ ...command, cwd: home, log });
  const parts = { port, nameServerPort: 0, store, broker: child, helpers: [], log, startedAt };
  return { target: new Target(parts), child, log, readyText: LIMIT_READY };
}

function launchNothing(): Promise<Launched> {
  throw new Error('a bare loop has no broker');
}

const LAUNCHERS: Record<Kind, (launch: Launch) => Promise<Launched>> = {
  rocketmq: launchRocketMq,
  ringmq: launchRingMq,
  null: launchNullServer,
  bare: launchNothing,
  limit: launchLimit,
};

/**
 * Starts the broker's process and, with `ready`, waits until it says that it is ready; then what its contestant has
 * beside it.
 */
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
    if (ready) await waitFor(launched.readyText, launched);
    const { target } = launched;
    if (contestant.master !== undefined)
      target.followedBy(await startSlave(context, contestant, flush, home, target.nameServerPort));
    if (contestant.proxy === true) await startProxy(context, target, home);
    if (launched.metricsPort !== undefined) await startScraper(context, launched, home);
    return target;
  } catch (error) {
    context.folder.endStartedSince(before);
    throw error;
  }
}

async function startProxy({ folder }: StartContext, target: Target, home: string): Promise<void> {
  const proxy = await launchProxy(folder, home, target.nameServerPort, newLog(home, 'proxy'));
  await waitFor(PROXY_READY, proxy);
  await waitForPort(proxy.port);
  target.attach(proxy);
}

async function startScraper(
  { folder }: StartContext,
  { target, metricsPort }: Launched,
  home: string,
): Promise<void> {
  const log = newLog(home, 'prometheus');
  const child = await launchScraper(folder, home, metricsPort as number, log);
  await waitFor(SCRAPER_READY, { child, log });
  target.scrapedBy(child);
}
