/** A slave beside the broker of a contestant: another broker of the same maker, in a process and a folder of its own. */
import path from 'node:path';
import { brokerConf } from './broker-conf.ts';
import {
  RINGMQ_READY,
  ROCKETMQ_READY,
  type ServerProcess,
  type StartContext,
  startJavaBroker,
  startRingMq,
  waitFor,
} from './broker-process.ts';
import type { Contestant } from './contestant.ts';
import { BROKER_PORT_NEIGHBOURS, freePort } from './ports.ts';
import type { FlushMode } from './scenarios.ts';

export interface SlaveProcess extends ServerProcess {
  port: number;
  /** Store folder. */
  store: string;
}

/** Lines of broker.conf by which a broker is the master of the pair; none without a slave. */
export function masterConf({ master }: Contestant): Readonly<Record<string, string>> {
  if (master === undefined) return {};
  // 2 = its own copy and the slave's. RocketMQ's default of 1 waits for nobody.
  return { brokerRole: master, ...(master === 'SYNC_MASTER' ? { inSyncReplicas: '2' } : {}) };
}

/** Starts it and waits until it says that it serves; that it follows its master is asked of that one. */
export async function startSlave(
  context: StartContext,
  contestant: Contestant,
  flush: FlushMode,
  home: string,
  nameServerPort: number,
): Promise<SlaveProcess> {
  const folder = path.join(home, 'slave');
  const port = await freePort(BROKER_PORT_NEIGHBOURS);
  const store = path.join(folder, 'store');
  const role = { ...contestant.conf, brokerId: '1', brokerRole: 'SLAVE' };
  const nameServer = `127.0.0.1:${nameServerPort}`;
  if (contestant.kind === 'rocketmq') {
    const own = rocketMqConf(port, nameServerPort, store);
    const started = startJavaBroker(context, contestant, folder, brokerConf(flush, { ...own, ...role }));
    await waitFor(ROCKETMQ_READY, started);
    return { ...started, port, store };
  }
  const args = ['broker', '--port', String(port), '-n', nameServer, '--store', store];
  // the profiler, where there is one, is for the master
  const plain = { ...contestant, nodeFlags: [] };
  const started = startRingMq(context, plain, folder, args, brokerConf(flush, role));
  await waitFor(RINGMQ_READY, started);
  return { ...started, port, store };
}

/** What RocketMQ takes from its broker.conf where RingMQ has options. */
export function rocketMqConf(
  port: number,
  nameServerPort: number,
  store: string,
): Readonly<Record<string, string>> {
  return {
    listenPort: String(port),
    namesrvAddr: `127.0.0.1:${nameServerPort}`,
    storePathRootDir: store,
    storePathCommitLog: path.join(store, 'commitlog'),
    // slaves are told this one, by default an address of the machine beside the loopback
    brokerIP2: '127.0.0.1',
  };
}
