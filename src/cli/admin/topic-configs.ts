/** Configurations of topics, as brokers keep them. */
import { RequestCode, ResponseCode } from '../../protocol/codes.ts';
import { asObject, entriesOf, integerOr, textOr } from '../../protocol/json-fields.ts';
import type { RocketJson } from '../../protocol/rocketmq-json.ts';
import { type BrokerAt, objectOf, type Servers } from './servers.ts';

export const TOPIC_TYPES = [
  'NORMAL',
  'FIFO',
  'DELAY',
  'TRANSACTION',
  'PRIORITY',
  'LITE',
  'MIXED',
  'UNSPECIFIED',
] as const;
export type TopicType = (typeof TOPIC_TYPES)[number];

export interface TopicConfig {
  name: string;
  readQueues: number;
  writeQueues: number;
  perm: number;
  order: boolean;
  type: TopicType;
  attributes: Record<string, string>;
  sysFlag: number;
}

const MESSAGE_TYPE = 'message.type';

export async function allTopicConfigs(servers: Servers, broker: BrokerAt): Promise<TopicConfig[]> {
  const { body } = await servers.ask(broker.address, {
    code: RequestCode.GET_ALL_TOPIC_CONFIG,
    to: 'list topics',
  });
  return entriesOf(objectOf(body)['topicConfigTable']).map(([name, value]) => configFrom(name, value));
}

/** Undefined when the broker has no such topic. */
export async function topicConfig(
  servers: Servers,
  address: string,
  topic: string,
): Promise<TopicConfig | undefined> {
  const { code, body } = await servers.ask(address, {
    code: RequestCode.GET_TOPIC_CONFIG,
    fields: { topic },
    to: `tell of topic ${topic}`,
    accept: [ResponseCode.TOPIC_NOT_EXIST],
  });
  return code === ResponseCode.SUCCESS ? configFrom(topic, objectOf(body)) : undefined;
}

function configFrom(name: string, value: RocketJson): TopicConfig {
  const config = asObject(value) ?? {};
  const attributes = Object.fromEntries(
    entriesOf(config['attributes']).map(([key, text]) => [key, String(text)]),
  );
  const type = TOPIC_TYPES.find((known) => known === attributes[MESSAGE_TYPE]?.toUpperCase());
  return {
    name,
    readQueues: integerOr(config, 'readQueueNums', 0),
    writeQueues: integerOr(config, 'writeQueueNums', 0),
    perm: integerOr(config, 'perm', 0),
    order: textOr(config, 'order', 'false') === 'true',
    type: type ?? 'NORMAL',
    attributes,
    sysFlag: integerOr(config, 'topicSysFlag', 0),
  };
}

export async function writeTopicConfig(
  servers: Servers,
  address: string,
  config: TopicConfig,
  attributes: string,
): Promise<void> {
  await servers.ask(address, {
    code: RequestCode.UPDATE_AND_CREATE_TOPIC,
    fields: {
      topic: config.name,
      defaultTopic: 'TBW102',
      readQueueNums: config.readQueues,
      writeQueueNums: config.writeQueues,
      perm: config.perm,
      topicFilterType: 'SINGLE_TAG',
      topicSysFlag: config.sysFlag,
      order: config.order,
      attributes,
    },
    to: `write topic ${config.name}`,
  });
}
