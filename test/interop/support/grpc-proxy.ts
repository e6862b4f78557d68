// RocketMQ's own gRPC proxy 5.5.0 from Maven Central, unmodified, in cluster mode, in front of whatever broker the name
// server names.

import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { java, proxyClassPath } from './jvm.ts';
import { temporaryFolder } from './paths.ts';
import { freePort } from './ports.ts';
import { Program } from './program.ts';
import { COMMON_CONF, type Conf, waitForPort } from './servers.ts';

const START_TIMEOUT = 90_000;
const STARTED = 'rocketmq-proxy startup successfully';

export interface GrpcProxy {
  /** Where gRPC clients go. */
  readonly endpoints: string;
  stop(): Promise<void>;
  /** What it has logged by now, a line each. */
  log(): readonly string[];
}

/** Short times, so that tests need not wait; few threads, as it shares two cores with everything else. */
const PROXY_CONF = {
  rocketMQClusterName: COMMON_CONF['brokerClusterName'],
  proxyClusterName: COMMON_CONF['brokerClusterName'],
  proxyMode: 'CLUSTER',
  localServeAddr: '127.0.0.1',
  enablePrintJstack: false,
  grpcThreadPoolNums: 8,
  grpcWorkerLoopNum: 2,
  rocketmqMQClientNum: 2,
  transactionHeartbeatThreadPoolNums: 2,
  // What it has read of topics, groups and routes it takes for true for as long.
  topicRouteServiceCacheRefreshSeconds: 2,
  topicConfigCacheRefreshSeconds: 2,
  subscriptionGroupConfigCacheRefreshSeconds: 2,
  // Checks of transactions come back through it once the broker has heard of the producer.
  transactionHeartbeatPeriodSecond: 1,
  grpcClientConsumerMinLongPollingTimeoutMillis: 1_000,
  grpcClientConsumerMaxLongPollingTimeoutMillis: 2_000,
  minInvisibleTimeMillsForRecv: 1_000,
  // Messages that a push consumer holds stay invisible for so long, and are renewed so long before that is over.
  defaultInvisibleTimeMills: 10_000,
  renewAheadTimeMillis: 5_000,
  renewSchedulePeriodMillis: 1_000,
} as const;

export async function startGrpcProxy(nameServer: string, conf: Conf = {}): Promise<GrpcProxy> {
  const home = temporaryFolder('grpc-proxy');
  const grpcServerPort = await freePort();
  const remotingListenPort = await freePort();
  const file = join(home, 'rmq-proxy.json');
  const all = { ...PROXY_CONF, namesrvAddr: nameServer, grpcServerPort, remotingListenPort, ...conf };
  mkdirSync(join(home, 'logs'), { recursive: true });
  writeFileSync(file, JSON.stringify(all));
  const options = [
    '-Xms256m',
    '-Xmx256m',
    '-XX:+UseSerialGC',
    '-XX:TieredStopAtLevel=1',
    '-XX:MaxDirectMemorySize=256m',
    '-Djava.net.preferIPv4Stack=true',
    `-Duser.home=${home}`,
    `-Drocketmq.home.dir=${home}`,
  ];
  const main = 'org.apache.rocketmq.proxy.ProxyStartup';
  const env = { RMQ_PROXY_HOME: home, ROCKETMQ_HOME: home, NAMESRV_ADDR: '' };
  const program = new Program('proxy', java(), [...options, '-cp', proxyClassPath(), main, '-pc', file], {
    env,
    cwd: home,
  });
  const started = (): true | undefined =>
    program.text.some((line) => line.includes(STARTED)) ? true : undefined;
  const log = (): string[] => logged(join(home, 'logs', 'rocketmqlogs'));
  try {
    await program.waitFor('its start', started, START_TIMEOUT);
  } catch (error) {
    throw new Error(`${error}\n${log().slice(-40).join('\n')}`);
  }
  const endpoints = `127.0.0.1:${grpcServerPort}`;
  await waitForPort(endpoints, START_TIMEOUT);
  // It takes half a minute to stop cleanly, and that is not under test.
  return { endpoints, stop: () => program.kill(), log };
}

function logged(folder: string): string[] {
  try {
    const files = readdirSync(folder).filter((name) => name.endsWith('.log'));
    return files.flatMap((name) => readFileSync(join(folder, name), 'utf8').split('\n'));
  } catch {
    return []; // it has not come to logging
  }
}
