/** One consumer group's configuration and its JSON form (config/subscriptionGroup.json, requests 200, 201, 352). */
import type { RocketJson } from '../protocol/rocketmq-json.ts';
import { asObject, booleanOr, integerOr, textIn, textMapIn } from './json-fields.ts';

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
  /** Pop's redelivery times and declared subscriptions: kept as they came, this broker does not look inside. */
  readonly groupRetryPolicy: RocketJson;
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
    groupRetryPolicy: { type: 'CUSTOMIZED' },
    subscriptionDataSet: undefined,
    attributes: new Map(),
  };
}

/** Undefined when the value is no object; absent members take their defaults (an absent name becomes empty). */
export function groupConfigFromJson(value: RocketJson | undefined): GroupConfig | undefined {
  const object = asObject(value);
  if (object === undefined) return undefined;
  const base = newGroupConfig(textIn(object, 'groupName') ?? '');
  return {
    groupName: base.groupName,
    consumeEnable: booleanOr(object, 'consumeEnable', base.consumeEnable),
    consumeFromMinEnable: booleanOr(object, 'consumeFromMinEnable', base.consumeFromMinEnable),
    consumeBroadcastEnable: booleanOr(object, 'consumeBroadcastEnable', base.consumeBroadcastEnable),
    consumeMessageOrderly: booleanOr(object, 'consumeMessageOrderly', base.consumeMessageOrderly),
    retryQueueNums: integerOr(object, 'retryQueueNums', base.retryQueueNums),
    retryMaxTimes: integerOr(object, 'retryMaxTimes', base.retryMaxTimes),
    brokerId: integerOr(object, 'brokerId', base.brokerId),
    whichBrokerWhenConsumeSlowly: integerOr(
      object,
      'whichBrokerWhenConsumeSlowly',
      base.whichBrokerWhenConsumeSlowly,
    ),
    notifyConsumerIdsChangedEnable: booleanOr(
      object,
      'notifyConsumerIdsChangedEnable',
      base.notifyConsumerIdsChangedEnable,
    ),
    groupSysFlag: integerOr(object, 'groupSysFlag', base.groupSysFlag),
    consumeTimeoutMinute: integerOr(object, 'consumeTimeoutMinute', base.consumeTimeoutMinute),
    groupRetryPolicy: asObject(object['groupRetryPolicy']) ?? base.groupRetryPolicy,
    subscriptionDataSet: object['subscriptionDataSet'],
    attributes: textMapIn(object, 'attributes'),
  };
}

export function groupConfigToJson(config: GroupConfig): Record<string, unknown> {
  return { ...config, attributes: new Map(config.attributes) };
}
