/** How far a group is behind: in messages, and in time by the store times of messages. */
import { RequestCode, ResponseCode } from '../../protocol/codes.ts';
import { asObject, integerOr, textOr } from '../../protocol/json-fields.ts';
import type { RocketJson, RocketJsonObject } from '../../protocol/rocketmq-json.ts';
import { Refused } from './failure.ts';
import { eachOf } from './progress.ts';
import { numberIn, pull } from './queue-reads.ts';
import { type BrokerAt, compare, objectOf, type Servers } from './servers.ts';

/** Where a group is in a queue. */
export interface Standing {
  topic: string;
  broker: string;
  address: string;
  queueId: number;
  /** Undefined when the group has committed nothing here. */
  committed: number | undefined;
  /** First offset that still exists, and the one that the next message will have. */
  min: number;
  max: number;
  /** Store time of the last message of the queue, and of the last one that was consumed; 0 where there is none. */
  lastStored: number;
  lastConsumed: number;
}

export interface QueueLag extends Standing {
  /** Messages that the group has not consumed. */
  lag: number;
  /** Age of the first of these; undefined when there is none, or it cannot be read. */
  waitsMs: number | undefined;
  /** By how much it was stored before the last message of the queue. */
  behindLastMs: number | undefined;
}

type Place = Pick<Standing, 'topic' | 'queueId'>;

/** Of all topics of the group, or one. Sorted. */
export async function standingsOf(servers: Servers, group: string, topic?: string): Promise<Standing[]> {
  const found: Standing[] = [];
  const brokers = await servers.masters();
  for (const broker of brokers) found.push(...(await standingsOn(servers, broker, group, topic)));
  // Unasked a broker tells of topics only in which the group has committed something there.
  if (topic === undefined && brokers.length > 1)
    for (const { broker, topic: untold } of untoldTopics(brokers, found))
      found.push(...(await standingsOn(servers, broker, group, untold)));
  return found.sort(
    (a, b) => compare(a.topic, b.topic) || compare(a.broker, b.broker) || compare(a.queueId, b.queueId),
  );
}

/** Topics of which some broker has told, and this one has not. */
function untoldTopics(
  brokers: readonly BrokerAt[],
  found: readonly Standing[],
): { broker: BrokerAt; topic: string }[] {
  const topics = new Set(found.map(({ topic }) => topic));
  const told = new Set(found.map(({ broker, topic }) => `${broker} ${topic}`));
  return brokers.flatMap((broker) =>
    [...topics].filter((topic) => !told.has(`${broker.name} ${topic}`)).map((topic) => ({ broker, topic })),
  );
}

export async function lagOf(
  servers: Servers,
  group: string,
  at: number,
  topic?: string,
): Promise<QueueLag[]> {
  const standings = await standingsOf(servers, group, topic);
  return eachOf(standings, 'queues', async (standing) => {
    const first = nextOffset(standing) < standing.max ? await storeTimeOfNext(servers, standing) : undefined;
    return { ...standing, lag: messagesBehind(standing), ...timesBehind(standing, first, at) };
  });
}

/** Where the group goes on: messages before the first one have expired. */
export function nextOffset({ committed, min }: Pick<Standing, 'committed' | 'min'>): number {
  return Math.max(committed ?? min, min);
}

export function messagesBehind(standing: Pick<Standing, 'committed' | 'min' | 'max'>): number {
  return Math.max(0, standing.max - nextOffset(standing));
}

/** `first`: store time of the first message that is not consumed. Times are 0 at least, as clocks differ. */
export function timesBehind(
  { lastStored }: Pick<Standing, 'lastStored'>,
  first: number | undefined,
  at: number,
): Pick<QueueLag, 'waitsMs' | 'behindLastMs'> {
  if (first === undefined) return { waitsMs: undefined, behindLastMs: undefined };
  return { waitsMs: Math.max(0, at - first), behindLastMs: Math.max(0, lastStored - first) };
}

async function storeTimeOfNext(servers: Servers, standing: Standing): Promise<number | undefined> {
  try {
    const { messages } = await pull(servers, standing, { offset: nextOffset(standing), count: 1 });
    return messages[0]?.storeTimestamp;
  } catch (error) {
    // A topic that may not be read.
    if (error instanceof Refused) return undefined;
    throw error;
  }
}

async function standingsOn(
  servers: Servers,
  broker: BrokerAt,
  group: string,
  topic: string | undefined,
): Promise<Standing[]> {
  const { address, name } = broker;
  const stats = await servers.ask(address, {
    code: RequestCode.GET_CONSUME_STATS,
    fields: { consumerGroup: group, ...(topic === undefined ? {} : { topic }) },
    to: `tell where group ${group} is`,
    accept: [ResponseCode.TOPIC_NOT_EXIST],
  });
  const rows = placesIn(objectOf(stats.body)['offsetTable']);
  const topics = [...new Set(rows.map(([place]) => place.topic))];
  const ends = new Map<string, Map<number, Ends>>();
  for (const each of topics) ends.set(each, await endsIn(servers, address, each));
  return eachOf(rows, 'queues', async ([place, row]) => {
    const consumed = integerOr(row, 'consumerOffset', 0);
    // Brokers say 0 where nothing is committed.
    const committed = consumed > 0 ? consumed : await committedOffset(servers, address, group, place);
    const end = ends.get(place.topic)?.get(place.queueId);
    const max = end?.max ?? integerOr(row, 'brokerOffset', 0);
    const lastConsumed = integerOr(row, 'lastTimestamp', 0);
    return { ...place, broker: name, address, committed, min: 0, lastStored: 0, ...end, max, lastConsumed };
  });
}

type Ends = Pick<Standing, 'min' | 'max' | 'lastStored'>;

async function endsIn(servers: Servers, address: string, topic: string): Promise<Map<number, Ends>> {
  const { body } = await servers.ask(address, {
    code: RequestCode.GET_TOPIC_STATS_INFO,
    fields: { topic },
    to: `tell the ends of ${topic}`,
    accept: [ResponseCode.TOPIC_NOT_EXIST],
  });
  return new Map(
    placesIn(objectOf(body)['offsetTable']).map(([{ queueId }, row]) => {
      const [min, max] = [integerOr(row, 'minOffset', 0), integerOr(row, 'maxOffset', 0)];
      return [queueId, { min, max, lastStored: integerOr(row, 'lastUpdateTimestamp', 0) }];
    }),
  );
}

export async function committedOffset(
  servers: Servers,
  address: string,
  group: string,
  { topic, queueId }: Place,
): Promise<number | undefined> {
  const answer = await servers.ask(address, {
    code: RequestCode.QUERY_CONSUMER_OFFSET,
    fields: { consumerGroup: group, topic, queueId, setZeroIfNotFound: false },
    to: `tell where group ${group} is`,
    accept: [ResponseCode.QUERY_NOT_FOUND],
  });
  return answer.code === ResponseCode.SUCCESS ? numberIn(answer, 'offset', 0) : undefined;
}

/** Entries of a table whose keys are queues. */
function placesIn(value: RocketJson | undefined): [Place, RocketJsonObject][] {
  if (!(value instanceof Map)) return [];
  return [...value].map(([key, entry]) => {
    const queue = asObject(key) ?? {};
    const place = { topic: textOr(queue, 'topic', ''), queueId: integerOr(queue, 'queueId', 0) };
    return [place, asObject(entry) ?? {}];
  });
}
