/** What the control thread of an embedded broker runs: name server and broker, away from the host's event loop. */
import { isIP } from 'node:net';
import { parentPort } from 'node:worker_threads';
import { BROKER_SHARE, connectionLimit, NAME_SERVER_SHARE } from '../lib/descriptors.ts';
import { Listeners } from '../lib/listeners.ts';
import { defaultBrokerSettings } from '../metadata/settings.ts';
import { startNameServer } from '../namesrv/name-server.ts';
import { addon } from '../native/addon.ts';
import { formatHost } from '../net/addresses.ts';
import { isWildcard, resolveHost } from '../net/hosts.ts';
import { CommandClient } from '../remoting/command-client.ts';
import { DEFAULT_REPLICATION_OPTIONS } from '../replication/options.ts';
import { storeOptions } from '../store/store.ts';
import { startBroker } from '../threads/broker.ts';
import type { BrokerConfig, RunningBroker } from '../threads/config.ts';
import type { EngineThreads } from '../threads/engine-threads.ts';
import { DEFAULT_TLS_SETTINGS } from '../tls/settings.ts';
import { TEMPORARY_STORE_OPTIONS } from './broker-options.ts';
import { hostLog } from './control-log.ts';
import { reportOf } from './error-report.ts';
import { startReport } from './explain.ts';
import {
  type ControlReport,
  type EmbeddedStart,
  ENDED,
  type HostRequest,
  SERVING,
  threadsOf,
} from './messages.ts';
import { sweepTemporaryStores } from './temporary-store.ts';
import { TopicMaker } from './topics.ts';

const LOOPBACK = '127.0.0.1';
const IDLE_SECONDS = 120;
/** No step is slow: beside a test run all are, and nobody wants to read of it there. */
const SLOW_MS = 0;

const port = parentPort as NonNullable<typeof parentPort>;

function report(message: ControlReport): void {
  port.postMessage(message);
}

const log = hostLog(report);

interface Addresses {
  /** To listen on. */
  bind: string;
  /** What clients are told. */
  told: string;
  /** Where this process reaches itself. */
  own: string;
}

interface Running {
  /** `host:port` for clients. */
  addresses: { nameServer: string; broker: string };
  broker: RunningBroker;
  topics: TopicMaker;
  close(): Promise<void>;
}

/** Serves until the host says otherwise; a start that fails is reported, and ended by the host. */
export async function runControl(start: EmbeddedStart, threads: EngineThreads): Promise<void> {
  addon.nameThread('control');
  const running = await started(start, threads);
  if (running === undefined) return;
  const state = new Int32Array(start.state);
  const setState = (value: number) => {
    Atomics.store(state, 0, value);
    Atomics.notify(state, 0);
  };
  setState(SERVING);
  void running.broker.died.then((error) => {
    setState(ENDED);
    report({ kind: 'died', error: reportOf('RINGMQ_DIED', error.message, error) });
  });
  let closing = false;
  // A close does not wait for what others have left behind.
  const swept = start.temporary ? sweep(() => closing) : undefined;
  port.on('message', async (request: HostRequest) => {
    if (request.kind === 'createTopic') return await createTopic(running.topics, request);
    if (closing) return;
    closing = true;
    await running.close();
    setState(ENDED);
    await swept;
    port.close();
  });
  report({ kind: 'ready', ...running.addresses });
}

async function started(start: EmbeddedStart, threads: EngineThreads): Promise<Running | undefined> {
  const { options } = start;
  const ending: (() => Promise<unknown>)[] = [];
  let failure = (error: unknown) => startReport('startBroker', error, 'nameServerPort');
  try {
    const addresses = await addressesOf(start);
    const nameServer = await startNameServer({
      host: addresses.bind,
      port: options.nameServerPort ?? 0,
      maxConnections: connectionLimit(NAME_SERVER_SHARE),
      log,
    });
    ending.unshift(() => nameServer.close());
    failure = (error) => startReport('startBroker', error);
    const ownNameServer = formatHost(addresses.own, nameServer.port);
    const broker = await startBroker(configOf(start, addresses, ownNameServer), threads);
    ending.unshift(() => broker.close());
    const clients = {
      broker: new CommandClient({ address: formatHost(addresses.own, broker.port) }),
      nameServer: new CommandClient({ address: ownNameServer }),
    };
    const topics = new TopicMaker(clients, brokerNameOf(options));
    ending.unshift(async () => topics.close());
    failure = (error) => reportOf('RINGMQ_TOPIC_REFUSED', `startBroker: topics: ${messageOf(error)}`, error);
    await makeTopics(topics, options.topics ?? []);
    const close = () => endAll(ending);
    const told = { nameServer: formatHost(addresses.told, nameServer.port), broker: broker.address };
    return { addresses: told, broker, topics, close };
  } catch (error) {
    await endAll(ending);
    report({ kind: 'failed', error: failure(error) });
    return undefined;
  }
}

/** The broker's goodbye still reaches the name server. */
async function endAll(ending: readonly (() => Promise<unknown>)[]): Promise<void> {
  for (const end of ending) await end().catch((error) => log.error({ err: error }, 'the stop failed'));
}

async function makeTopics(maker: TopicMaker, topics: NonNullable<Options['topics']>): Promise<void> {
  await Promise.all(topics.map(({ name, queues }) => maker.make(name, queues)));
}

async function createTopic(maker: TopicMaker, { id, name, queues }: CreateTopic): Promise<void> {
  try {
    await maker.make(name, queues);
    report({ kind: 'topic', id });
  } catch (error) {
    // Nobody has refused the topic where the close has cut off the request.
    const [code, why] = maker.closed
      ? (['RINGMQ_CLOSED', 'the broker was closed meanwhile.'] as const)
      : (['RINGMQ_TOPIC_REFUSED', messageOf(error)] as const);
    report({ kind: 'topic', id, error: reportOf(code, `createTopic: ${why}`, error) });
  }
}

async function sweep(isOver: () => boolean): Promise<void> {
  try {
    await sweepTemporaryStores(undefined, isOver);
  } catch (error) {
    log.info({ err: error }, 'temporary stores of processes that are gone cannot be looked for');
  }
}

async function addressesOf({ options }: EmbeddedStart): Promise<Addresses> {
  const bind = await resolveHost('host', options.host ?? LOOPBACK, (line) => log.warn({}, line));
  const loopback = isIP(bind) === 6 ? '::1' : LOOPBACK;
  return { bind, told: options.settings?.brokerIP1 ?? bind, own: isWildcard(bind) ? loopback : bind };
}

function brokerNameOf(options: Options): string {
  return options.brokerName ?? 'ringmq';
}

function configOf(
  { store, temporary, options }: EmbeddedStart,
  { bind, told }: Addresses,
  nameServer: string,
): BrokerConfig {
  const settings = {
    ...defaultBrokerSettings({
      brokerName: brokerNameOf(options),
      brokerClusterName: options.clusterName ?? 'DefaultCluster',
      brokerIP1: told,
      listenPort: options.port ?? 0,
    }),
    ...options.settings,
  };
  const small = temporary ? TEMPORARY_STORE_OPTIONS : {};
  return {
    settings,
    store: storeOptions(store, { ...small, ...options.storeOptions }),
    replication: { ...DEFAULT_REPLICATION_OPTIONS },
    takesSlaves: false,
    bindAddress: bind,
    vipChannel: false,
    ...threadsOf(options),
    // The cores are those of the host program.
    busyPollMicros: 0,
    slowMillis: SLOW_MS,
    drainTimeMillis: 0,
    nameServers: [nameServer],
    serverChannelMaxIdleTimeSeconds: IDLE_SECONDS,
    maxConnections: connectionLimit(BROKER_SHARE),
    tls: { ...DEFAULT_TLS_SETTINGS },
    metrics: { port: undefined, host: bind, labels: {}, exporterNames: false },
    properties: {
      all: () => Object.entries(settings).map(([name, value]) => [name, String(value)] as const),
      update: () => {
        throw new Error('an embedded broker is configured by the program that starts it');
      },
      changed: new Listeners(),
      version: { counter: 0, stateVersion: 0, timestamp: 0 },
    },
    log,
  };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

type Options = EmbeddedStart['options'];
type CreateTopic = Extract<HostRequest, { kind: 'createTopic' }>;
