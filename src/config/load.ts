/** Puts a broker's configuration together: defaults, then the file, then the command line. */
import { availableParallelism, homedir, hostname, networkInterfaces } from 'node:os';
import { join, resolve } from 'node:path';
import { UserError } from '../lib/user-error.ts';
import { defaultBrokerSettings } from '../metadata/settings.ts';
import { parseAddress } from '../remoting/address.ts';
import { checkStoreOptions, DEFAULT_STORE_OPTIONS } from '../store/options.ts';
import { defaultEngineLayout, needsOneNetworkThread } from '../threads/engine-layout.ts';
import { brokerKeys } from './broker-keys.ts';
import { type BrokerValues, parseValue, writeValue } from './key.ts';
import { readProperties } from './properties-file.ts';
import { warningFor } from './unsupported.ts';

export interface BrokerFlags {
  config?: string;
  namesrv?: string;
  port?: string;
  store?: string;
  host?: string;
  networkThreads?: string;
}

export interface LoadedBroker {
  values: BrokerValues;
  /** One sentence for each key of the file that has no effect. */
  warnings: string[];
  /** The configuration file, where changes made while running are kept. */
  file: string | undefined;
}

/** Which option of the command line sets which key. */
const FLAG_KEYS = {
  namesrv: 'namesrvAddr',
  port: 'listenPort',
  store: 'storePathRootDir',
  host: 'bindAddress',
  networkThreads: 'ringmq.networkThreads',
} as const;

const FLAG_NAMES = {
  namesrv: '-n ',
  port: '--port ',
  store: '--store ',
  host: '--host ',
  networkThreads: '--network-threads ',
} as const;

const CONSUME_QUEUE_ENTRY = 20;

/** Throws a UserError for a value that is not possible. */
export function loadBroker(flags: BrokerFlags): LoadedBroker {
  const values = defaultValues();
  const file = flags.config === undefined ? undefined : resolve(flags.config);
  const given = file === undefined ? new Map<string, string>() : readProperties(file);
  const warnings: string[] = [];
  for (const [name, text] of given) {
    const key = brokerKeys.get(name);
    if (key !== undefined) writeValue(values, key, parseValue(key, text, `${file}: `));
    else warnings.push(...warningFor(name, text));
  }
  const set = new Set(given.keys());
  for (const flag of Object.keys(FLAG_KEYS) as (keyof typeof FLAG_KEYS)[]) {
    const text = flags[flag];
    const key = brokerKeys.get(FLAG_KEYS[flag]);
    if (text === undefined || key === undefined) continue;
    const value = key.parse(text.trim());
    if (value === undefined) {
      throw new UserError(`${FLAG_NAMES[flag]}${text} is not possible: allowed is ${key.allowed}.`);
    }
    writeValue(values, key, value);
    set.add(key.name);
  }
  complete(values, set, warnings);
  return { values, warnings, file };
}

/** RocketMQ's defaults and ours, for this machine. */
export function defaultValues(): BrokerValues {
  const directory = join(homedir(), 'store');
  return {
    settings: defaultBrokerSettings({
      brokerName: hostname(),
      brokerClusterName: 'DefaultCluster',
      brokerIP1: '127.0.0.1',
      listenPort: 10911,
    }),
    store: { ...DEFAULT_STORE_OPTIONS, directory, commitLogDirectory: join(directory, 'commitlog') },
    listener: {
      bindAddress: '127.0.0.1',
      namesrvAddr: process.env['NAMESRV_ADDR'] ?? '',
      brokerRole: 'ASYNC_MASTER',
      serverChannelMaxIdleTimeSeconds: 120,
      networkThreads: Math.min(4, Math.max(1, Math.floor(availableParallelism() / 4))),
      vipChannel: true,
      engineLayout: defaultEngineLayout(),
      busyPollMicros: 150,
    },
  };
}

/** Defaults that depend on other values, and checks over several of them. */
function complete(values: BrokerValues, set: ReadonlySet<string>, warnings: string[]): void {
  const { settings, store, listener } = values;
  if (!set.has('bindAddress') && set.has('brokerIP1') && !isLoopback(settings.brokerIP1)) {
    listener.bindAddress = '0.0.0.0';
  }
  if (!set.has('brokerIP1')) {
    settings.brokerIP1 = isWildcard(listener.bindAddress) ? machineAddress() : listener.bindAddress;
  }
  if (settings.brokerId !== 0) {
    warnings.push(`brokerId=${settings.brokerId} counts as 0: RingMQ has no slaves.`);
    settings.brokerId = 0;
  }
  store.directory = resolve(store.directory);
  store.commitLogDirectory = set.has('storePathCommitLog')
    ? resolve(store.commitLogDirectory)
    : join(store.directory, 'commitlog');
  store.mappedFileSizeConsumeQueue =
    Math.ceil(store.mappedFileSizeConsumeQueue / CONSUME_QUEUE_ENTRY) * CONSUME_QUEUE_ENTRY;
  if (needsOneNetworkThread(listener.engineLayout) && listener.networkThreads !== 1) {
    if (set.has('ringmq.networkThreads')) {
      throw new UserError(
        `ringmq.engineLayout=${listener.engineLayout} runs the writer in the one network thread, but ` +
          `ringmq.networkThreads is ${listener.networkThreads}: set it to 1, or choose another layout.`,
      );
    }
    listener.networkThreads = 1;
  }
  try {
    checkStoreOptions(store);
  } catch (error) {
    throw new UserError((error as Error).message);
  }
}

/** The `host:port` of a `;`-separated list. */
export function nameServerAddresses(list: string): string[] {
  return list
    .split(';')
    .map((address) => address.trim())
    .filter((address) => address !== '');
}

/** Whether both addresses lead to the same port of this machine. */
export function isSameServer(address: string, other: string): boolean {
  const a = parseAddress(address);
  const b = parseAddress(other);
  return a.port === b.port && (a.host === b.host || (isLoopback(a.host) && isLoopback(b.host)));
}

export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || host.startsWith('127.');
}

export function isWildcard(host: string): boolean {
  return host === '0.0.0.0' || host === '::';
}

/** An address under which other machines may reach this one. */
function machineAddress(): string {
  const found = Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .find((address) => !address.internal && address.family === 'IPv4');
  return found?.address ?? '127.0.0.1';
}
