// What a test needs of a running name server and broker, whoever wrote them.

import { connect } from 'node:net';

export type Conf = Readonly<Record<string, string | number | boolean>>;

export interface NameServer {
  readonly address: string;
  /** What it has logged by now, a line each. */
  log(): readonly string[];
  stop(): Promise<void>;
}

export interface Broker {
  readonly name: string;
  readonly address: string;
  readonly port: number;
  readonly store: string;
  stop(): Promise<void>;
  kill(): Promise<void>;
  /** Sends its process a signal, such as SIGSTOP and SIGCONT. */
  signal(signal: NodeJS.Signals): void;
  /** What it has logged by now, a line each. */
  log(): readonly string[];
}

export interface BrokerOptions {
  /** Lines of broker.conf beyond the common ones. */
  readonly conf?: Conf;
  readonly store?: string;
  readonly port?: number;
  /** Keys `tls.*`: lines of the configuration for RingMQ, system properties for RocketMQ. */
  readonly tls?: Conf;
  /** Only RingMQ has these choices. */
  readonly networkThreads?: number;
  readonly installed?: Installed;
}

/** A program that was installed somewhere, in place of the build. */
export interface Installed {
  /** What starts it; the arguments of `ringmq` follow. */
  readonly command: readonly string[];
  /** The folder that is its root file system. */
  readonly root: string;
}

/** Both brokers get these, so that they can open each other's store: file sizes must agree. */
export const COMMON_CONF: Conf = {
  brokerClusterName: 'DefaultCluster',
  brokerName: 'broker-a',
  brokerId: 0,
  brokerIP1: '127.0.0.1',
  bindAddress: '127.0.0.1',
  brokerRole: 'ASYNC_MASTER',
  flushDiskType: 'ASYNC_FLUSH',
  autoCreateTopicEnable: true,
  mappedFileSizeCommitLog: 64 * 1024 * 1024,
  mappedFileSizeConsumeQueue: 20 * 30_000,
  maxHashSlotNum: 50_000,
  maxIndexNum: 200_000,
  // Short, so that retries come soon: a first retry takes level 3.
  messageDelayLevel: '1s 2s 1s 1s 1s 3s',
};

export function confText(conf: Conf): string {
  return Object.entries(conf)
    .map(([key, value]) => `${key}=${value}\n`)
    .join('');
}

/** Resolves when something accepts connections at the address. */
export async function waitForPort(address: string, timeout: number): Promise<void> {
  const deadline = performance.now() + timeout;
  const port = Number(address.slice(address.lastIndexOf(':') + 1));
  while (!(await accepts(port))) {
    if (performance.now() > deadline) throw new Error(`nothing listens at ${address} after ${timeout} ms`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.on('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.on('error', () => resolve(false));
  });
}
