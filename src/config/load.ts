/** Puts a broker's configuration together: defaults, then the file, then the command line. */
import { isIP, isIPv6 } from 'node:net';
import { availableParallelism, hostname } from 'node:os';
import { join, resolve } from 'node:path';
import { homeFolder } from '../lib/home-folder.ts';
import { UserError } from '../lib/user-error.ts';
import { defaultBrokerSettings } from '../metadata/settings.ts';
import { isLoopback, isWildcard, machineAddress } from '../net/hosts.ts';
import { parseAddress } from '../remoting/address.ts';
import { DEFAULT_REPLICATION_OPTIONS } from '../replication/options.ts';
import { checkStoreOptions, DEFAULT_STORE_OPTIONS } from '../store/options.ts';
import { defaultEngineLayout, needsOneNetworkThread } from '../threads/engine-layout.ts';
import { DEFAULT_TLS_SETTINGS } from '../tls/settings.ts';
import { brokerKeys } from './broker-keys.ts';
import { type BrokerValues, type Key, parseValue, type Value, whyNot, writeValue } from './key.ts';
import { PAGE_PORT } from './metrics-keys.ts';
import { allowedLacks, type Lack } from './missing.ts';
import { oldSpelling, placeWarnings } from './older-names.ts';
import { readProperties } from './properties-file.ts';
import { completeReplication } from './replication-keys.ts';
import { completeTls } from './tls-keys.ts';
import { judge, lackOfLine, type Vocabulary } from './unsupported.ts';
import { brokerVocabulary } from './vocabularies.ts';

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
  const origin = `${file}: `;
  const set = new Set(given.keys());
  const vocabulary = brokerVocabulary(values);
  const lacks = lacksOf(given, vocabulary);
  const warnings = takeFile(values, given, lacks, set, origin);
  takeFlags(values, flags, set);
  if (!set.has('namesrvAddr')) checkEnvironment(values.listener.namesrvAddr);
  complete(values, set, warnings);
  warnings.push(...completeTls(values.tls, set));
  for (const [name, text] of given) {
    if (lacks.has(name) || isKnown(name, text, given)) continue;
    const { directory } = values.store;
    warnings.push(...(placeWarnings(name, text, directory) ?? judge(name, text, vocabulary, origin)));
  }
  return { values, warnings, file };
}

function lacksOf(given: ReadonlyMap<string, string>, vocabulary: Vocabulary): ReadonlyMap<string, Lack> {
  const found = new Map<string, Lack>();
  for (const [name, value] of given) {
    const lacks = lackOfLine(name, value, vocabulary);
    if (lacks !== undefined) found.set(name, { name, value, lacks });
  }
  return found;
}

/** Writes what the file says into `values`; keys in their old spelling are `set` under today's name. */
function takeFile(
  values: BrokerValues,
  given: ReadonlyMap<string, string>,
  lacks: ReadonlyMap<string, Lack>,
  set: Set<string>,
  origin: string,
): string[] {
  const warnings: string[] = [];
  for (const [name, text] of given) {
    const old = oldSpelling(name, text, given);
    const key = brokerKeys.get(old?.today ?? name);
    if (old !== undefined) warnings.push(old.warning);
    if (!lacks.has(name) && key !== undefined && old?.taken !== false) {
      writeValue(values, key, parseValue({ ...key, name }, text, origin));
      set.add(key.name);
    }
  }
  warnings.push(...allowedLacks([...lacks.values()], values.listener.allowMissing, origin));
  return warnings;
}

/** Whether a line of the file has been dealt with. */
function isKnown(name: string, text: string, given: ReadonlyMap<string, string>): boolean {
  return brokerKeys.has(name) || oldSpelling(name, text, given) !== undefined;
}

function takeFlags(values: BrokerValues, flags: BrokerFlags, set: Set<string>): void {
  for (const flag of Object.keys(FLAG_KEYS) as (keyof typeof FLAG_KEYS)[]) {
    const text = flags[flag];
    const key = brokerKeys.get(FLAG_KEYS[flag]);
    if (text === undefined || key === undefined) continue;
    writeValue(values, key, flagValue(key, text, FLAG_NAMES[flag]));
    set.add(key.name);
  }
}

function flagValue(key: Key, text: string, option: string): Value {
  const value = key.parse(text.trim());
  if (value !== undefined) return value;
  // A shell ends a command at a `;`.
  const write = (corrected: string) => option + (corrected.includes(';') ? `'${corrected}'` : corrected);
  throw new UserError(`${option}${text} is not possible: ${whyNot(key, text, write)}.`);
}

/** NAMESRV_ADDR is read as the default of namesrvAddr, and wrong under its own name. */
function checkEnvironment(value: string): void {
  const key = brokerKeys.get('namesrvAddr');
  if (key !== undefined) parseValue({ ...key, name: 'NAMESRV_ADDR' }, value, 'The environment variable ');
}

/** RocketMQ's defaults and ours, for this machine. */
export function defaultValues(): BrokerValues {
  const directory = join(homeFolder(), 'store');
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
      serverChannelMaxIdleTimeSeconds: 120,
      networkThreads: Math.min(4, Math.max(1, Math.floor(availableParallelism() / 4))),
      vipChannel: true,
      engineLayout: defaultEngineLayout(),
      busyPollMicros: 150,
      drainTimeMillis: 0,
      metricsExporterType: 'DISABLE',
      metricsPromExporterPort: PAGE_PORT,
      metricsPromExporterHost: '',
      metricsLabel: '',
      metricsExporterNames: false,
      logLevel: '',
      auditLog: true,
      slowOperationMillis: 500,
      allowMissing: '',
    },
    replication: { ...DEFAULT_REPLICATION_OPTIONS },
    tls: { ...DEFAULT_TLS_SETTINGS },
  };
}

/** Where to listen for clients that are told `advertised`. */
function addressFor(advertised: string): string {
  if (!isLoopback(advertised)) return isIPv6(advertised) && !isWildcard(advertised) ? '::' : '0.0.0.0';
  return isIP(advertised) === 0 ? '127.0.0.1' : advertised;
}

/** Defaults that depend on other values, and checks over several of them. */
function complete(values: BrokerValues, set: ReadonlySet<string>, warnings: string[]): void {
  const { settings, store, listener } = values;
  if (!set.has('bindAddress') && set.has('brokerIP1')) {
    listener.bindAddress = addressFor(settings.brokerIP1);
  }
  if (!set.has('brokerIP1')) {
    settings.brokerIP1 = isWildcard(listener.bindAddress) ? machineAddress() : listener.bindAddress;
  } else if (isWildcard(settings.brokerIP1)) {
    const told = machineAddress();
    warnings.push(
      `brokerIP1=${settings.brokerIP1} is nothing that a client can connect to: clients are told ${told}, an address ` +
        'of this machine. Set brokerIP1 to the address that they shall use; bindAddress says where to listen.',
    );
    settings.brokerIP1 = told;
  }
  completeReplication(values, set, warnings);
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

/** Whether both addresses lead to the same port of this machine. */
export function isSameServer(address: string, other: string): boolean {
  const a = parseAddress(address);
  const b = parseAddress(other);
  return a.port === b.port && (a.host === b.host || (isLoopback(a.host) && isLoopback(b.host)));
}
