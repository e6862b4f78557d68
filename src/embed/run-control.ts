/** What the control thread of an embedded broker runs: name server and broker, away from the host's event loop. */
import { inspect } from 'node:util';
import { parentPort } from 'node:worker_threads';
import { BROKER_SHARE, connectionLimit, NAME_SERVER_SHARE } from '../lib/descriptors.ts';
import { defaultBrokerSettings } from '../metadata/settings.ts';
import { startNameServer } from '../namesrv/name-server.ts';
import { formatHost } from '../net/addresses.ts';
import { storeOptions } from '../store/store.ts';
import { startBroker } from '../threads/broker.ts';
import type { BrokerConfig } from '../threads/config.ts';
import type { EngineThreads } from '../threads/engine-threads.ts';
import { type EmbeddedReport, type EmbeddedStart, TEMPORARY_STORE_OPTIONS, threadsOf } from './options.ts';

const LOOPBACK = '127.0.0.1';
const IDLE_SECONDS = 120;

const port = parentPort as NonNullable<typeof parentPort>;

function report(message: EmbeddedReport): void {
  port.postMessage(message);
}

function complain(fields: object, message: string): void {
  process.stderr.write(`ringmq: ${message} ${inspect(fields)}\n`);
}

/** An embedded broker reports by its promises; what goes wrong by the way goes to the host's stderr. */
const log = {
  info: () => {},
  warn: (fields: object, message: string) => complain(fields, message),
  error: (fields: object, message: string) => complain(fields, message),
};

function configOf({ store, temporary, options }: EmbeddedStart, nameServer: string): BrokerConfig {
  const host = options.host ?? LOOPBACK;
  const settings = {
    ...defaultBrokerSettings({
      brokerName: options.brokerName ?? 'ringmq',
      brokerClusterName: options.clusterName ?? 'DefaultCluster',
      brokerIP1: host,
      listenPort: options.port ?? 0,
    }),
    ...options.settings,
  };
  const small = temporary ? TEMPORARY_STORE_OPTIONS : {};
  return {
    settings,
    store: storeOptions(store, { ...small, ...options.storeOptions }),
    bindAddress: host,
    vipChannel: false,
    ...threadsOf(options),
    // The cores are those of the host program.
    busyPollMicros: 0,
    nameServers: [nameServer],
    serverChannelMaxIdleTimeSeconds: IDLE_SECONDS,
    maxConnections: connectionLimit(BROKER_SHARE),
    properties: {
      all: () => Object.entries(settings).map(([name, value]) => [name, String(value)] as const),
      update: () => {
        throw new Error('an embedded broker is configured by the program that starts it');
      },
      version: { counter: 0, stateVersion: 0, timestamp: 0 },
    },
    log,
  };
}

/** Serves until the host says otherwise; a start that fails is reported. */
export async function runControl(start: EmbeddedStart, threads: EngineThreads): Promise<void> {
  try {
    await serve(start, threads);
  } catch (error) {
    report({ kind: 'failed', message: (error as Error).message });
  }
}

async function serve(start: EmbeddedStart, threads: EngineThreads): Promise<void> {
  const { options } = start;
  const host = options.host ?? LOOPBACK;
  const maxConnections = connectionLimit(NAME_SERVER_SHARE);
  const nameServer = await startNameServer({ host, port: options.nameServerPort ?? 0, maxConnections });
  const nameServerAddress = formatHost(host, nameServer.port);
  const broker = await startBroker(configOf(start, nameServerAddress), threads);
  void broker.died.then((error) => report({ kind: 'died', message: error.message }));
  port.once('message', async () => {
    await broker.close();
    await nameServer.close();
    report({ kind: 'closed' });
    port.close();
  });
  report({ kind: 'ready', nameServer: nameServerAddress, broker: broker.address });
}
