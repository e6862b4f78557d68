// What the pages of rocketmq-dashboard ask, through the same tools jar: the calls of its back end by page.

import { java55 } from '../support/clients.ts';
import { Dialogue } from '../support/dialogue.ts';
import { normalise } from './normalise.ts';
import type { Scene } from './scene.ts';
import type { Transcript } from './session.ts';

export interface Page {
  readonly name: string;
  /** A name of java/line-5.5's Console, and words behind it; `{name}` stands for something of the scene. */
  readonly calls: readonly string[];
  readonly differs?: string;
  readonly unsupported?: string;
}

export const PAGES: readonly Page[] = [
  {
    name: 'Dashboard',
    calls: [
      'examineBrokerClusterInfo',
      'fetchAllTopicList',
      'examineTopicRouteInfo orders',
      'queryTopicConsumeByWho orders',
      'viewBrokerStatsData {broker} TOPIC_PUT_NUMS orders',
      'viewBrokerStatsData {broker} GROUP_GET_NUMS orders@live',
      'viewBrokerStatsData {broker} TOPIC_PUT_NUMS never-sent-to',
    ],
  },
  { name: 'Ops', calls: ['getNameServerAddressList'] },
  {
    name: 'Cluster',
    calls: ['examineBrokerClusterInfo', 'fetchBrokerRuntimeStats {broker}', 'getBrokerConfig {broker}'],
    differs:
      'the configuration has the keys that RingMQ obeys; the figures leave out what it does not measure, and keep ' +
      '`brokerVersion`, which rocketmq-exporter reads',
  },
  {
    name: 'Topic',
    differs: 'RingMQ has the topic of given-up transactions (`TRANS_CHECK_MAX_TIME_TOPIC`) from the start',
    calls: [
      'fetchAllTopicList',
      'getAllTopicConfig {broker}',
      'createAndUpdateTopicConfig {broker} console-topic',
      'examineTopicConfig {broker} console-topic',
      'examineTopicStats orders',
      'examineTopicRouteInfo orders',
      'queryTopicConsumeByWho orders',
      'examineConsumeStats workers orders',
      'send console-topic',
      'getKVConfig ORDER_TOPIC_CONFIG ordered',
      'deleteTopicInBroker {broker} console-topic',
      'deleteTopicInNameServer console-topic',
    ],
  },
  {
    name: 'Consumer',
    differs: 'a group that was deleted stays away; RocketMQ makes it anew unless its offsets are deleted too',
    calls: [
      'getAllSubscriptionGroup {broker}',
      'createAndUpdateSubscriptionGroupConfig {broker} console-group',
      'examineSubscriptionGroupConfig {broker} console-group',
      'examineConsumeStats live',
      'examineConsumeStats console-group',
      'examineConsumerConnectionInfo live',
      'examineConsumerConnectionInfo console-group',
      'getConsumerRunningInfo live {client}',
      'resetOffsetByTimestamp workers orders 0',
      'resetOffsetByTimestampOld workers orders 0',
      'deleteSubscriptionGroup {broker} console-group',
    ],
  },
  {
    name: 'Producer',
    calls: ['examineProducerConnectionInfo live-producer fifo', 'getAllProducerInfo {broker}'],
  },
  {
    name: 'Message',
    calls: [
      'pull orders',
      'queryMessage orders order-0',
      'viewMessage orders {id0}',
      'messageTrackDetail orders {id0}',
      'consumeMessageDirectly live {client} orders {id0}',
    ],
  },
  { name: 'DLQMessage', calls: ['examineTopicRouteInfo %DLQ%workers', 'viewMessage orders {id0}'] },
  { name: 'MessageTrace', calls: ['queryMessageTrace RMQ_SYS_TRACE_TOPIC {id0}'] },
  { name: 'Monitor', calls: ['examineConsumeStats live', 'examineConsumerConnectionInfo live'] },
  {
    name: 'Acl',
    calls: ['listUser {broker}', 'listAcl {broker}'],
    unsupported: 'there are no users and no access rules',
  },
];

export const titleOfCall = (page: Page, call: string): string => `${page.name}: ${call}`;

/** Makes every call; an answer is shown by its shape. */
export async function askAll(scene: Scene): Promise<Transcript> {
  const dialogue = new Dialogue(java55.start('Console', { namesrv: scene.cluster.nameServer.address }));
  const transcript: Transcript = {};
  for (const page of PAGES) {
    for (const call of page.calls) {
      const lines = normalise(await answerTo(dialogue, scene.fill(call)), { args: call }, scene.masked());
      transcript[titleOfCall(page, call)] = [...new Set(lines)];
    }
  }
  await dialogue.end();
  return transcript;
}

async function answerTo(dialogue: Dialogue, call: string): Promise<string> {
  const { result, refused } = await dialogue.either(call);
  if (refused !== undefined) return `refused: ${refused.code} ${refused.message}`;
  return [...shapeOf(result, '')].sort().join('\n');
}

/** Every place of a value with its type; elements of a list share one place. */
export function* shapeOf(value: unknown, place: string): Iterable<string> {
  if (Array.isArray(value)) {
    yield `${place}[]`;
    for (const item of value) yield* shapeOf(item, `${place}[]`);
  } else if (typeof value === 'object' && value !== null) {
    for (const [name, inner] of Object.entries(value)) yield* shapeOf(inner, `${place}.${name}`);
  } else if (typeof value === 'boolean') {
    yield `${place}: ${value}`;
  } else {
    yield `${place}: ${value === null ? 'null' : typeof value}`;
  }
}
