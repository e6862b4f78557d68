/** Where topics are: their queues by broker, and the nearest name for one that there is not. */

import { SYSTEM_TOPIC_PREFIX, WELL_KNOWN_SYSTEM_TOPICS } from '../../lib/names.ts';
import { nameByPrefix, nearestName } from '../../lib/nearest.ts';
import { RequestCode, ResponseCode } from '../../protocol/codes.ts';
import { asArray, asObject, entriesOf, integerOr, textOr } from '../../protocol/json-fields.ts';
import { Failure } from './failure.ts';
import { compare, objectOf, type Servers } from './servers.ts';

export const READABLE = 4;
export const WRITABLE = 2;
const REPLY_TOPIC_END = '_REPLY_TOPIC';

/** A topic's part on one broker. */
export interface TopicPart {
  broker: string;
  /** Of the master, or of the slave with the least id where there is no master. */
  address: string;
  /** Whether `address` is a master's. */
  isMaster: boolean;
  readQueues: number;
  writeQueues: number;
  perm: number;
}

export interface Queue {
  topic: string;
  broker: string;
  address: string;
  queueId: number;
}

/** By broker name; undefined when the name servers know no such topic. */
export async function routeOf(servers: Servers, topic: string): Promise<TopicPart[] | undefined> {
  const { code, body } = await servers.askNameServer({
    code: RequestCode.GET_ROUTEINFO_BY_TOPIC,
    fields: { topic },
    to: `tell where ${topic} is`,
    accept: [ResponseCode.TOPIC_NOT_EXIST],
  });
  if (code !== ResponseCode.SUCCESS) return undefined;
  const route = objectOf(body);
  const addresses = new Map(
    asArray(route['brokerDatas']).map((value) => {
      const data = asObject(value) ?? {};
      const byId = entriesOf(data['brokerAddrs']).map(
        ([id, address]) => [Number(id), String(address)] as const,
      );
      byId.sort(([a], [b]) => a - b);
      return [textOr(data, 'brokerName', ''), byId[0]];
    }),
  );
  const parts = asArray(route['queueDatas']).flatMap((value): TopicPart[] => {
    const data = asObject(value) ?? {};
    const broker = textOr(data, 'brokerName', '');
    const [id, address] = addresses.get(broker) ?? [];
    if (id === undefined || address === undefined) return [];
    return [
      {
        broker,
        address,
        isMaster: id === 0,
        readQueues: integerOr(data, 'readQueueNums', 0),
        writeQueues: integerOr(data, 'writeQueueNums', 0),
        perm: integerOr(data, 'perm', 0),
      },
    ];
  });
  return parts.sort((a, b) => compare(a.broker, b.broker));
}

/** Rejects with a Failure that names the nearest topic that there is. */
export async function requireRoute(servers: Servers, topic: string): Promise<TopicPart[]> {
  const parts = await routeOf(servers, topic);
  if (parts !== undefined && parts.length > 0) return parts;
  throw new Failure(await noTopic(servers, topic));
}

export async function noTopic(servers: Servers, topic: string): Promise<string> {
  const near = nearestOf(topic, await topicNames(servers));
  const hint = near === undefined ? '"ringmq topic list" shows those there are' : `did you mean ${near}?`;
  return `There is no topic ${topic}: ${hint}${near === undefined ? '.' : ''}`;
}

export function nearestOf(given: string, names: Iterable<string>): string | undefined {
  const known = [...names];
  return nearestName(given, known) ?? nameByPrefix(given, known);
}

export async function topicNames(servers: Servers): Promise<string[]> {
  const { body } = await servers.askNameServer({
    code: RequestCode.GET_ALL_TOPIC_LIST_FROM_NAMESERVER,
    to: 'list topics',
  });
  return asArray(objectOf(body)['topicList']).map(String).sort();
}

/** Those of which messages can be read, in the order in which clients share them out. */
export function readableQueues(topic: string, parts: readonly TopicPart[]): Queue[] {
  return parts.flatMap(({ broker, address, readQueues, perm }) =>
    Array.from({ length: (perm & READABLE) !== 0 ? readQueues : 0 }, (_, queueId) => ({
      topic,
      broker,
      address,
      queueId,
    })),
  );
}

export function writableQueues(topic: string, parts: readonly TopicPart[]): Queue[] {
  return parts.flatMap(({ broker, address, isMaster, writeQueues, perm }) =>
    Array.from({ length: isMaster && (perm & WRITABLE) !== 0 ? writeQueues : 0 }, (_, queueId) => ({
      topic,
      broker,
      address,
      queueId,
    })),
  );
}

/** `2`, or `broker-a/2` where there are several brokers. */
export function queueText({ broker, queueId }: Pick<Queue, 'broker' | 'queueId'>, brokers: number): string {
  return brokers > 1 ? `${broker}/${queueId}` : String(queueId);
}

/** Made by brokers for themselves; those that are named after a broker or cluster are known to these alone. */
export function isBrokersTopic(name: string): boolean {
  return (
    WELL_KNOWN_SYSTEM_TOPICS.includes(name) ||
    name.startsWith(SYSTEM_TOPIC_PREFIX) ||
    name.endsWith(REPLY_TOPIC_END)
  );
}
