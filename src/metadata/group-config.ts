/** One consumer group's configuration and its JSON form (config/subscriptionGroup.json, requests 200, 201, 352). */
import { MAX_GROUP_EXTRAS, MAX_QUEUES_PER_TOPIC } from '../lib/limits.ts';
import { limitError } from '../protocol/errors.ts';
import {
  asObject,
  booleanOr,
  INT32,
  integerWithin,
  type Range,
  textIn,
  textMapIn,
} from '../protocol/json-fields.ts';
import { type RocketJson, WrittenJson, writeRocketJson } from '../protocol/rocketmq-json.ts';
import { RetryPolicy } from './retry-policy.ts';

/** Containers around an entry of a table: the whole and the table. */
const TABLE_DEPTH = 2;

/** Tables replace a config, they never change one. */
export interface GroupConfig {
  readonly groupName: string;
  readonly consumeEnable: boolean;
  readonly consumeFromMinEnable: boolean;
  readonly consumeBroadcastEnable: boolean;
  readonly consumeMessageOrderly: boolean;
  readonly retryQueueNums: number;
  /** Redeliveries before the dead letter queue. */
  readonly retryMaxTimes: number;
  /** Broker to read from: 0 the master. */
  readonly brokerId: number;
  readonly whichBrokerWhenConsumeSlowly: number;
  readonly notifyConsumerIdsChangedEnable: boolean;
  readonly groupSysFlag: number;
  readonly consumeTimeoutMinute: number;
  readonly groupRetryPolicy: RetryPolicy;
  /** Declared subscriptions: kept as they came, this broker does not look inside. */
  readonly subscriptionDataSet: RocketJson | undefined;
  /** Plain names in the table; in a request's config with a sign before each name. */
  readonly attributes: ReadonlyMap<string, string>;
}

export function newGroupConfig(groupName: string, consumeBroadcastEnable = true): GroupConfig {
  return {
    groupName,
    consumeEnable: true,
    consumeFromMinEnable: true,
    consumeBroadcastEnable,
    consumeMessageOrderly: false,
    retryQueueNums: 1,
    retryMaxTimes: 16,
    brokerId: 0,
    whichBrokerWhenConsumeSlowly: 1,
    notifyConsumerIdsChangedEnable: true,
    groupSysFlag: 0,
    consumeTimeoutMinute: 15,
    groupRetryPolicy: RetryPolicy.byLevels,
    subscriptionDataSet: undefined,
    attributes: new Map(),
  };
}

const QUEUES: Range = { least: 0, most: MAX_QUEUES_PER_TOPIC, limit: 'MAX_QUEUES_PER_TOPIC' };
/** A long in RocketMQ, and a small number in fact. */
const BROKER_ID: Range = { least: 0, most: Number.MAX_SAFE_INTEGER };

/**
 * Undefined when the value is no object; absent members take their defaults (an absent name becomes empty). A number
 * or retry policy that cannot be used, or more extras than MAX_GROUP_EXTRAS, throws a ProtocolError that says what is
 * allowed.
 */
export function groupConfigFromJson(value: RocketJson | undefined): GroupConfig | undefined {
  const object = asObject(value);
  if (object === undefined) return undefined;
  const base = newGroupConfig(textIn(object, 'groupName') ?? '');
  checkExtras(object['groupRetryPolicy'], object['subscriptionDataSet']);
  return {
    groupName: base.groupName,
    consumeEnable: booleanOr(object, 'consumeEnable', base.consumeEnable),
    consumeFromMinEnable: booleanOr(object, 'consumeFromMinEnable', base.consumeFromMinEnable),
    consumeBroadcastEnable: booleanOr(object, 'consumeBroadcastEnable', base.consumeBroadcastEnable),
    consumeMessageOrderly: booleanOr(object, 'consumeMessageOrderly', base.consumeMessageOrderly),
    retryQueueNums: integerWithin(object, 'retryQueueNums', QUEUES, base.retryQueueNums),
    retryMaxTimes: integerWithin(object, 'retryMaxTimes', INT32, base.retryMaxTimes),
    brokerId: integerWithin(object, 'brokerId', BROKER_ID, base.brokerId),
    whichBrokerWhenConsumeSlowly: integerWithin(
      object,
      'whichBrokerWhenConsumeSlowly',
      BROKER_ID,
      base.whichBrokerWhenConsumeSlowly,
    ),
    notifyConsumerIdsChangedEnable: booleanOr(
      object,
      'notifyConsumerIdsChangedEnable',
      base.notifyConsumerIdsChangedEnable,
    ),
    groupSysFlag: integerWithin(object, 'groupSysFlag', INT32, base.groupSysFlag),
    consumeTimeoutMinute: integerWithin(object, 'consumeTimeoutMinute', INT32, base.consumeTimeoutMinute),
    groupRetryPolicy: RetryPolicy.fromJson(object['groupRetryPolicy']),
    subscriptionDataSet: object['subscriptionDataSet'],
    attributes: textMapIn(object, 'attributes'),
  };
}

export function groupConfigToJson(config: GroupConfig): Record<string, unknown> {
  const { groupRetryPolicy, attributes } = config;
  return { ...config, groupRetryPolicy: groupRetryPolicy.json, attributes: new Map(attributes) };
}

const written = new WeakMap<GroupConfig, WrittenJson>();

/** The same as a member of `subscriptionGroupTable`, written once as long as the configuration stays. */
export function groupConfigText(config: GroupConfig): WrittenJson {
  let text = written.get(config);
  if (text === undefined) {
    text = new WrittenJson(groupConfigToJson(config), TABLE_DEPTH);
    written.set(config, text);
  }
  return text;
}

/** They are kept as they came, and written with every change of any group. */
function checkExtras(...extras: (RocketJson | undefined)[]): void {
  let length = 0;
  for (const extra of extras) length += writeRocketJson(extra ?? null).length;
  if (length > MAX_GROUP_EXTRAS) {
    throw limitError('characters of retry policy and subscriptions', MAX_GROUP_EXTRAS, 'MAX_GROUP_EXTRAS');
  }
}
