/** The options of `startBroker`: their names, what each allows, and what must hold between them. */
import { isWildcard } from '../net/hosts.ts';
import { checkStoreOptions } from '../store/options.ts';
import { storeOptions } from '../store/store.ts';
import {
  badOption,
  type Check,
  checked,
  isDirectory,
  isLog,
  isTopicName,
  keyCheck,
  keyChecks,
  topicChecks,
  whyNot,
} from './check-options.ts';
import { RingMQError } from './error.ts';
import {
  type CheckedBrokerOptions,
  DEFAULT_QUEUES,
  type EmbeddedBrokerOptions,
  type EmbeddedStoreOptions,
  type TopicOptions,
} from './options.ts';

const CALL = 'startBroker';

/** Small files for stores that live for a test: a start costs little disk, and nothing is made ahead. */
export const TEMPORARY_STORE_OPTIONS: EmbeddedStoreOptions = {
  mappedFileSizeCommitLog: 16 * 1024 * 1024,
  mappedFileSizeConsumeQueue: 20 * 10_000,
  maxHashSlotNum: 50_000,
  maxIndexNum: 200_000,
  preallocateNextFile: false,
};

/** Settings whose option has another name, or that are none here. */
const OTHER_NAMES: Readonly<Record<string, string>> = {
  brokerName: 'the option brokerName says it',
  brokerClusterName: 'the option clusterName says it',
  listenPort: 'the option port says it',
  brokerId: 'there are no slaves',
  storePathRootDir: 'the option store says it',
  storePathCommitLog: 'it lies in the directory that the option store names',
  directory: 'the option store says it',
  commitLogDirectory: 'it lies in the directory that the option store names',
  namesrvAddr: 'the broker registers with its own name server',
  bindAddress: 'the option host says it',
};

const settingChecks = keyChecks('settings', Object.keys(OTHER_NAMES));
const storeChecks = keyChecks('store', Object.keys(OTHER_NAMES));

const isTopicList: Check = (value, path, call) => {
  if (!Array.isArray(value)) return 'an array of topic names, or of { name, queues }';
  const checks = new Map<string, Check>([['name', isTopicName], ...topicChecks]);
  const names = new Set<string>();
  for (const [i, item] of value.entries()) {
    const at = `${path}[${i}]`;
    if (typeof item === 'string') isTopicName(item, at, call);
    else if (!('name' in checked(call, `${at}.`, item, checks))) throw badOption(call, `${at} has no name.`);
    const name = topicOf(item).name;
    if (names.has(name)) throw badOption(call, `${at}: the topic ${name} is given twice.`);
    names.add(name);
  }
  return undefined;
};

/** A copy with all its fields. */
function topicOf(item: string | ({ name: string } & TopicOptions)): { name: string; queues: number } {
  const { name, queues = DEFAULT_QUEUES } = typeof item === 'string' ? { name: item } : item;
  return { name, queues };
}

/** Objects are checked one level down, and throw by themselves. */
function nested(checks: ReadonlyMap<string, Check>): Check {
  return (value, path, call) => {
    checked(call, `${path}.`, value, checks, otherPlace);
    return undefined;
  };
}

const port = keyCheck('listenPort');

const optionChecks: ReadonlyMap<string, Check> = new Map<keyof EmbeddedBrokerOptions, Check>([
  ['store', isDirectory],
  ['host', keyCheck('bindAddress')],
  ['port', port],
  ['nameServerPort', port],
  ['brokerName', keyCheck('brokerName')],
  ['clusterName', keyCheck('brokerClusterName')],
  ['networkThreads', keyCheck('ringmq.networkThreads')],
  ['topics', isTopicList],
  ['settings', nested(settingChecks)],
  ['storeOptions', nested(storeChecks)],
  ['log', isLog],
]);

function otherPlace(name: string): string | undefined {
  if (Object.hasOwn(OTHER_NAMES, name)) return OTHER_NAMES[name];
  if (settingChecks.has(name)) return 'it belongs into settings';
  if (storeChecks.has(name)) return 'it belongs into storeOptions';
  return optionChecks.has(name) ? 'it is an option beside settings and storeOptions' : whyNot(name);
}

/** A plain copy that holds only what was given. Throws RINGMQ_BAD_OPTION. */
export function checkBrokerOptions(given: unknown): CheckedBrokerOptions {
  const { topics, ...options } = checked<EmbeddedBrokerOptions>(CALL, '', given, optionChecks, otherPlace);
  const { host, settings, storeOptions: store } = options;
  if (host !== undefined && isWildcard(host) && settings?.brokerIP1 === undefined) {
    throw badOption(
      CALL,
      `host: clients cannot connect to ${host}: say in settings.brokerIP1 which address they are told.`,
    );
  }
  checkStore(CALL, options.store === undefined ? { ...TEMPORARY_STORE_OPTIONS, ...store } : store);
  return {
    ...options,
    ...(topics && { topics: Array.from(topics, topicOf) }),
    settings: withoutUndefined(settings),
    storeOptions: withoutUndefined(store),
  };
}

/** What is undefined counts as not given, and must not take a default's place. */
function withoutUndefined<T extends object>(options: T | undefined): T {
  const given = Object.entries(options ?? {}).filter(([, value]) => value !== undefined);
  return Object.fromEntries(given) as T;
}

/** What must hold between options of the store. */
export function checkStore(call: string, options: EmbeddedStoreOptions = {}): void {
  try {
    checkStoreOptions(storeOptions('.', withoutUndefined(options)));
  } catch (error) {
    throw new RingMQError('RINGMQ_BAD_OPTION', `${call}: ${(error as Error).message}`, { cause: error });
  }
}

/** Throws RINGMQ_BAD_OPTION. */
export function checkTopic(name: unknown, options: unknown): TopicOptions {
  isTopicName(name, 'the name', 'createTopic');
  return checked('createTopic', '', options, topicChecks);
}

/** For `openStore`. */
export const checkStoreOption: Check = nested(storeChecks);
