/** Finds messages: by id, by key, by the time at which they were stored. */
import { RequestCode, ResponseCode } from '../../protocol/codes.ts';
import { decodeMessageId } from '../../record/message-id.ts';
import { follow } from './follow.ts';
import { hostText, idOf, keysOf } from './message-text.ts';
import { eachOf } from './progress.ts';
import { type Expression, endsOf, type LocatedMessage, messagesIn, offsetAt } from './queue-reads.ts';
import { type Queue, readableQueues, routeOf, type TopicPart, topicNames } from './routes.ts';
import { type BrokerAt, compare, type Servers } from './servers.ts';

/** Brokers give no more of one key. */
const MOST_OF_KEY = 64;

export interface Window {
  /** Store times, ms since the epoch; both included. */
  since: number;
  until: number;
}

/**
 * A message by the unique id that its producer gave it, or by the id that its broker gave it, which says where it lies.
 * Several where it was sent more than once. `topic`: where to look; without it, everywhere.
 */
export async function findById(
  servers: Servers,
  id: string,
  topic: string | undefined,
): Promise<LocatedMessage[]> {
  const place = decodeMessageId(id);
  if (place !== undefined) {
    const host = hostText(place.host);
    const broker = (await servers.brokers()).find(({ address }) => address === host);
    const found = broker === undefined ? undefined : await viewAt(servers, broker, place.physicalOffset);
    if (found !== undefined) return [found];
  }
  const topics = topic === undefined ? await topicNames(servers) : [topic];
  const found = await eachOf(topics, 'topics', async (name) =>
    queryTopic(servers, (await routeOf(servers, name)) ?? [], name, id, true),
  );
  return oncePerPlace(found.flat().filter((message) => idOf(message) === id));
}

async function viewAt(
  servers: Servers,
  broker: BrokerAt,
  offset: number,
): Promise<LocatedMessage | undefined> {
  const { body } = await servers.ask(broker.address, {
    code: RequestCode.VIEW_MESSAGE_BY_ID,
    fields: { offset },
    to: 'show a message',
    // What lies nowhere is an error to brokers; other ids may look like one that says where.
    accept: [ResponseCode.SYSTEM_ERROR],
  });
  return messagesIn(body, broker.name)[0];
}

export async function findByKey(
  servers: Servers,
  topic: string,
  key: string,
  { since, until }: Window,
): Promise<LocatedMessage[]> {
  const parts = (await routeOf(servers, topic)) ?? [];
  const found = await queryTopic(servers, parts, topic, key, false, since, until);
  // The index knows hashes of keys only.
  return oncePerPlace(found.filter((message) => keysOf(message).includes(key)));
}

/** Asks the brokers of a topic; each gives its newest. `key`: a unique id where `isUnique`. */
export async function queryTopic(
  servers: Servers,
  parts: readonly Pick<TopicPart, 'broker' | 'address'>[],
  topic: string,
  key: string,
  isUnique: boolean,
  since = 0,
  until = Number.MAX_SAFE_INTEGER,
): Promise<LocatedMessage[]> {
  const asked = parts.map(async ({ broker, address }) => {
    const { body } = await servers.ask(address, {
      code: RequestCode.QUERY_MESSAGE,
      fields: {
        topic,
        key,
        maxNum: MOST_OF_KEY,
        beginTimestamp: since,
        endTimestamp: until,
        ...(isUnique ? { _UNIQUE_KEY_QUERY: true } : {}),
      },
      to: `look for ${key} in ${topic}`,
      accept: [ResponseCode.QUERY_NOT_FOUND],
    });
    return messagesIn(body, broker);
  });
  return (await Promise.all(asked)).flat().filter((message) => message.topic === topic);
}

export async function findByTime(
  servers: Servers,
  topic: string,
  { since, until }: Window,
  most: number,
  expression?: Expression,
): Promise<LocatedMessage[]> {
  const queues = readableQueues(topic, (await routeOf(servers, topic)) ?? []);
  const from = new Map<Queue, { from: number; ends: { min: number; max: number } }>();
  await eachOf(queues, 'queues', async (queue) => {
    const ends = await endsOf(servers, queue);
    const [first, behind] = [
      await offsetAt(servers, queue, since, ends),
      await behindTime(servers, queue, until, ends),
    ];
    if (first < behind) from.set(queue, { from: first, ends: { ...ends, max: behind } });
  });
  const found: LocatedMessage[] = [];
  const perQueue = new Map<Queue, number>();
  await follow(servers, from, new AbortController().signal, {
    untilEnd: true,
    ...(expression === undefined ? {} : { expression }),
    // The first of all queues are among the first of each.
    takeOfQueue: (queue) => (perQueue.get(queue) ?? 0) < most,
    take: async (message, queue) => {
      perQueue.set(queue, (perQueue.get(queue) ?? 0) + 1);
      if (message.storeTimestamp >= since && message.storeTimestamp <= until) found.push(message);
      return true;
    },
  });
  return oncePerPlace(found).slice(0, most);
}

/** Offset behind the last message that was stored by then. */
async function behindTime(
  servers: Servers,
  queue: Queue,
  until: number,
  ends: { min: number; max: number },
): Promise<number> {
  return until >= Number.MAX_SAFE_INTEGER ? ends.max : offsetAt(servers, queue, until + 1, ends);
}

/** In the order in which they were stored. */
function oncePerPlace(messages: readonly LocatedMessage[]): LocatedMessage[] {
  const byPlace = new Map<string, LocatedMessage>();
  for (const message of messages)
    byPlace.set(`${hostText(message.storeHost)} ${message.topic} ${message.physicalOffset}`, message);
  return [...byPlace.values()].sort(
    (a, b) => compare(a.storeTimestamp, b.storeTimestamp) || compare(a.physicalOffset, b.physicalOffset),
  );
}
