/** One topic's configuration and its JSON form (config/topics.json and requests 17, 18, 21, 103, 351). */
import { MAX_QUEUES_PER_TOPIC } from '../lib/limits.ts';
import {
  asObject,
  booleanOr,
  enumOr,
  INT32,
  integerWithin,
  type Range,
  rangeProblem,
  textIn,
  textMapIn,
} from '../protocol/json-fields.ts';
import { type RocketJson, WrittenJson } from '../protocol/rocketmq-json.ts';

export const PERM_INHERIT = 1;
export const PERM_WRITE = 2;
export const PERM_READ = 4;
export const PERM_READ_WRITE = PERM_READ | PERM_WRITE;

/** Bits of `topicSysFlag`. */
export const TOPIC_UNIT = 1;
export const TOPIC_UNIT_SUB = 2;

const DEFAULT_QUEUES = 16;
/** Containers around an entry of a table: the whole and the table. */
const TABLE_DEPTH = 2;
const FILTER_TYPES = ['SINGLE_TAG', 'MULTI_TAG'];

/** Tables replace a config, they never change one, so it may be kept and compared. */
export interface TopicConfig {
  readonly topicName: string;
  readonly readQueueNums: number;
  readonly writeQueueNums: number;
  /** PERM_* bits. */
  readonly perm: number;
  readonly topicFilterType: string;
  readonly topicSysFlag: number;
  readonly order: boolean;
  /** Plain names in tables; in a request's config with a sign before each name. */
  readonly attributes: ReadonlyMap<string, string>;
}

export function newTopicConfig(
  topicName: string,
  queues: number = DEFAULT_QUEUES,
  perm: number = PERM_READ_WRITE,
): TopicConfig {
  return {
    topicName,
    readQueueNums: queues,
    writeQueueNums: queues,
    perm,
    topicFilterType: 'SINGLE_TAG',
    topicSysFlag: 0,
    order: false,
    attributes: new Map(),
  };
}

const QUEUES: Range = { least: 0, most: MAX_QUEUES_PER_TOPIC, limit: 'MAX_QUEUES_PER_TOPIC' };
const PERMISSIONS: Range = { least: 0, most: PERM_INHERIT | PERM_READ_WRITE };

/** What is wrong with the numbers of a configuration, undefined when they can be used. */
export function topicConfigProblem(config: TopicConfig): string | undefined {
  for (const name of ['readQueueNums', 'writeQueueNums'] as const) {
    if (config[name] < QUEUES.least || config[name] > QUEUES.most) {
      return rangeProblem(name, String(config[name]), QUEUES);
    }
  }
  const { perm } = config;
  const allowed = perm >= PERMISSIONS.least && perm <= PERMISSIONS.most;
  return allowed ? undefined : rangeProblem('perm', String(perm), PERMISSIONS);
}

/**
 * Undefined when the value is no object or names no topic. Absent members take their defaults; a number that cannot be
 * used throws a ProtocolError that says what is allowed.
 */
export function topicConfigFromJson(value: RocketJson | undefined): TopicConfig | undefined {
  const object = asObject(value);
  const topicName = object === undefined ? undefined : textIn(object, 'topicName');
  if (object === undefined || topicName === undefined) return undefined;
  return {
    topicName,
    readQueueNums: integerWithin(object, 'readQueueNums', QUEUES, DEFAULT_QUEUES),
    writeQueueNums: integerWithin(object, 'writeQueueNums', QUEUES, DEFAULT_QUEUES),
    perm: integerWithin(object, 'perm', PERMISSIONS, PERM_READ_WRITE),
    topicFilterType: enumOr(object, 'topicFilterType', FILTER_TYPES, 'SINGLE_TAG'),
    topicSysFlag: integerWithin(object, 'topicSysFlag', INT32, 0),
    order: booleanOr(object, 'order', false),
    attributes: textMapIn(object, 'attributes'),
  };
}

/** `attributes` is always there, `{}` when empty: the dashboard calls methods on it. */
export function topicConfigToJson(config: TopicConfig): Record<string, unknown> {
  return { ...config, attributes: new Map(config.attributes) };
}

const written = new WeakMap<TopicConfig, WrittenJson>();

/** The same as a member of `topicConfigTable`, written once as long as the configuration stays. */
export function topicConfigText(config: TopicConfig): WrittenJson {
  let text = written.get(config);
  if (text === undefined) {
    text = new WrittenJson(topicConfigToJson(config), TABLE_DEPTH);
    written.set(config, text);
  }
  return text;
}

export function sameTopicConfig(a: TopicConfig, b: TopicConfig): boolean {
  return (
    a.topicName === b.topicName &&
    a.readQueueNums === b.readQueueNums &&
    a.writeQueueNums === b.writeQueueNums &&
    a.perm === b.perm &&
    a.topicFilterType === b.topicFilterType &&
    a.topicSysFlag === b.topicSysFlag &&
    a.order === b.order &&
    sameTexts(a.attributes, b.attributes)
  );
}

function sameTexts(a: ReadonlyMap<string, string>, b: ReadonlyMap<string, string>): boolean {
  if (a.size !== b.size) return false;
  for (const [name, value] of a) if (b.get(name) !== value) return false;
  return true;
}

/**
 * How Java prints a TopicConfig; clients get it inside the remark of a refused queue id.
 * `TopicConfig [topicName=t, readQueueNums=4, ...]`
 */
export function describeTopicConfig(config: TopicConfig): string {
  const attributes = [...config.attributes].map(([name, value]) => `${name}=${value}`).join(', ');
  return (
    `TopicConfig [topicName=${config.topicName}, readQueueNums=${config.readQueueNums}, ` +
    `writeQueueNums=${config.writeQueueNums}, perm=${permissionText(config.perm)}, ` +
    `topicFilterType=${config.topicFilterType}, topicSysFlag=${config.topicSysFlag}, order=${config.order}, ` +
    `attributes={${attributes}}]`
  );
}

function permissionText(perm: number): string {
  const read = (perm & PERM_READ) !== 0 ? 'R' : '-';
  const write = (perm & PERM_WRITE) !== 0 ? 'W' : '-';
  return read + write + ((perm & PERM_INHERIT) !== 0 ? 'X' : '-');
}
