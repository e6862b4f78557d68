/**
 * The settings of a name server that `mqadmin getNamesrvConfig` shows and `updateNamesrvConfig` changes, under
 * RocketMQ's names and with its defaults. They hold until the process ends.
 */
import type { LogLevel } from '../lib/log.ts';
import { nearestName } from '../lib/nearest.ts';
import { quote } from '../lib/quote.ts';

export interface NameServerConfig {
  /** Route answers carry the ORDER_TOPIC_CONFIG entry of their topic. */
  orderMessageEnable: boolean;
  /** Registrations are answered with all of ORDER_TOPIC_CONFIG. */
  returnOrderTopicConfigToBroker: boolean;
  /** Without a master, show the slave that acts for it in its place. */
  supportActingMaster: boolean;
  /** Allows the list of all topics. */
  enableAllTopicList: boolean;
  /** Allows lists of topics by cluster and unit. */
  enableTopicList: boolean;
  /** A full registration deletes the topics that it does not name. Cannot work with incremental registration. */
  deleteTopicWithBrokerRegistration: boolean;
  /** Refuses routes for a while after the start, until the brokers have had time to register. */
  needWaitForService: boolean;
  waitSecondsForService: number;
  /** Lines from this level on are written; `''` = as the environment says. */
  'ringmq.logLevel': LogLevel | '';
  /** Who changes something has a line in the log, at any level. */
  'ringmq.auditLog': boolean;
}

export function defaultConfig(): NameServerConfig {
  return {
    orderMessageEnable: false,
    returnOrderTopicConfigToBroker: true,
    supportActingMaster: false,
    enableAllTopicList: true,
    enableTopicList: true,
    deleteTopicWithBrokerRegistration: false,
    needWaitForService: false,
    waitSecondsForService: 45,
    'ringmq.logLevel': '',
    'ringmq.auditLog': true,
  };
}

const LEVELS: readonly (LogLevel | '')[] = ['error', 'warn', 'info', ''];

/** RocketMQ's own list: whoever could change paths could write files anywhere. */
const blackList: ReadonlySet<string> = new Set([
  'configBlackList',
  'configStorePath',
  'kvConfigPath',
  'rocketmqHome',
]);

export type ConfigUpdate =
  | { outcome: 'updated' }
  | { outcome: 'blackListed' }
  | { outcome: 'refused'; reason: string };

/** All of the update or nothing. */
export function updateConfig(
  config: NameServerConfig,
  properties: ReadonlyMap<string, string>,
): ConfigUpdate {
  if ([...properties.keys()].some((key) => blackList.has(key))) return { outcome: 'blackListed' };
  const changed: NameServerConfig = { ...config };
  for (const [key, value] of properties) {
    const reason = assignSetting(changed, key, value.trim());
    if (reason !== undefined) return { outcome: 'refused', reason };
  }
  Object.assign(config, changed);
  return { outcome: 'updated' };
}

/** Lines of `key=value`, sorted. */
export function formatConfig(config: NameServerConfig): string {
  const lines = Object.entries(config).map(([key, value]) => `${key}=${value}\n`);
  return lines.sort().join('');
}

/** What is wrong, or undefined when the setting has been taken over. */
function assignSetting(config: NameServerConfig, key: string, value: string): string | undefined {
  if (!Object.hasOwn(config, key)) {
    const nearest = nearestName(key, Object.keys(config));
    const ask = nearest === undefined ? '' : `, did you mean ${nearest}?`;
    return `unknown setting ${quote(key)}${ask}; supported are ${Object.keys(config).join(', ')}`;
  }
  if (key === 'waitSecondsForService') {
    if (!/^\d{1,9}$/.test(value)) return `${key} takes a number of seconds, not ${quote(value)}`;
    config.waitSecondsForService = Number(value);
    return undefined;
  }
  if (key === 'ringmq.logLevel') {
    const level = LEVELS.find((one) => one === value.toLowerCase());
    if (level === undefined) return `${key} takes error, warn, info or nothing, not ${quote(value)}`;
    config[key] = level;
    return undefined;
  }
  if (value !== 'true' && value !== 'false') return `${key} takes true or false, not ${quote(value)}`;
  Object.assign(config, { [key]: value === 'true' });
  return undefined;
}
