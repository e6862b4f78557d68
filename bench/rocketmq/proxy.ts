/**
 * RocketMQ's own gRPC proxy in front of a broker, in cluster mode. It belongs to its contestant: it stands still with it,
 * and its CPU is told apart from the broker's.
 */
import type { ChildProcess } from 'node:child_process';
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { java, proxyClassPath } from '../../test/interop/support/jvm.ts';
import { tool } from '../../test/interop/support/tools.ts';
import { CLUSTER_NAME } from './broker-conf.ts';
import type { RunFolder } from './cleanup.ts';
import { freePort } from './ports.ts';

export const PROXY_READY = 'rocketmq-proxy startup successfully';
const CONNECT_TRIES = 100;
const POLL_MILLIS = 100;

/** What RocketMQ's own start script gives the proxy, besides the heap, of which it says 4 GiB. */
const JVM_FLAGS = [
  '-server',
  '-Xms1g',
  '-Xmx1g',
  '-XX:MetaspaceSize=128m',
  '-XX:MaxMetaspaceSize=320m',
  '-XX:+UseG1GC',
  '-XX:G1HeapRegionSize=16m',
  '-XX:G1ReservePercent=25',
  '-XX:InitiatingHeapOccupancyPercent=30',
  '-XX:SoftRefLRUPolicyMSPerMB=0',
];

export interface ProxyProcess {
  port: number;
  child: ChildProcess;
  log: string;
}

/** The programs that fetching and running it takes; the error names what to install. */
export function requireProxyTools(): void {
  for (const name of ['java', 'mvn']) tool(name, 'apt-get install -y default-jdk-headless maven');
}

/** Starts it; `PROXY_READY` in its log says when it is there. Everything that is not set here is its default. */
export async function launchProxy(
  folder: RunFolder,
  home: string,
  nameServerPort: number,
  log: string,
): Promise<ProxyProcess> {
  const [port, remotingListenPort] = [await freePort(), await freePort()];
  const proxyHome = path.join(home, 'proxy');
  fs.mkdirSync(path.join(proxyHome, 'logs'), { recursive: true });
  const conf = {
    rocketMQClusterName: CLUSTER_NAME,
    proxyClusterName: CLUSTER_NAME,
    proxyMode: 'CLUSTER',
    namesrvAddr: `127.0.0.1:${nameServerPort}`,
    localServeAddr: '127.0.0.1',
    grpcServerPort: port,
    remotingListenPort,
  };
  const file = path.join(proxyHome, 'rmq-proxy.json');
  fs.writeFileSync(file, JSON.stringify(conf));
  const options = [...JVM_FLAGS, '-Djava.net.preferIPv4Stack=true', `-Duser.home=${proxyHome}`];
  const args = [...options, '-cp', proxyClassPath(), 'org.apache.rocketmq.proxy.ProxyStartup', '-pc', file];
  const env = { ...process.env, RMQ_PROXY_HOME: proxyHome, ROCKETMQ_HOME: proxyHome, NAMESRV_ADDR: '' };
  const child = folder.start({ command: java(), args, env, cwd: proxyHome, log });
  return { port, child, log };
}

/** It says that it has started a moment before it listens. */
export async function waitForPort(port: number): Promise<void> {
  for (let left = CONNECT_TRIES; left > 0; left--) {
    if (await listens(port)) return;
    await sleep(POLL_MILLIS);
  }
  throw new Error(`nobody listens on port ${port}`);
}

function listens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = net.connect({ host: '127.0.0.1', port });
    const answer = (listening: boolean): void => {
      socket.destroy();
      resolve(listening);
    };
    socket.once('connect', () => answer(true));
    socket.once('error', () => answer(false));
  });
}
