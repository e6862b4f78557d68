/** Dead letters of a group as they lie in its dead-letter queues, one on each broker. */
import { deadLetterTopicOf, popRetryTopicOf, popRetryTopicV2Of } from '../../lib/names.ts';
import { PROPERTY_DLQ_ORIGIN_TOPIC, PROPERTY_RETRY_TOPIC } from '../../record/properties.ts';
import { Failure } from './failure.ts';
import { findById } from './find.ts';
import { beginnings, follow } from './follow.ts';
import { requireGroup } from './groups.ts';
import { eachOf, Progress } from './progress.ts';
import type { LocatedMessage } from './queue-reads.ts';
import { PROPERTY_FIRST_POP } from './resend.ts';
import { type Queue, readableQueues, routeOf } from './routes.ts';
import { compare, type Servers } from './servers.ts';
import { requireTime } from './times.ts';

/** In the order in which they died, the first `most`. */
export async function lettersOf(
  servers: Servers,
  group: string,
  since: string,
  most: number,
): Promise<LocatedMessage[]> {
  const topic = deadLetterTopicOf(group);
  if (since !== 'earliest') requireTime(since, `--since ${since}`);
  const parts = await routeOf(servers, topic);
  if (parts === undefined) {
    await requireGroup(servers, group);
    return [];
  }
  const queues = readableQueues(topic, parts);
  if (queues.length === 0)
    throw new Failure(`${topic} may not be read: "ringmq topic change ${topic} --perm rw" allows it.`);
  const progress = new Progress();
  const letters: LocatedMessage[] = [];
  const perQueue = new Map<Queue, number>();
  await follow(servers, await beginnings(servers, queues, since), new AbortController().signal, {
    untilEnd: true,
    // The first of all queues are among the first of each.
    takeOfQueue: (queue) => (perQueue.get(queue) ?? 0) < most,
    take: async (letter, queue) => {
      perQueue.set(queue, (perQueue.get(queue) ?? 0) + 1);
      letters.push(letter);
      progress.tell(() => `${letters.length} dead letters read`);
      return true;
    },
  });
  progress.end();
  return letters.sort((a, b) => compare(a.storeTimestamp, b.storeTimestamp)).slice(0, most);
}

/** Rejects with a Failure when one of them is not there. */
export async function lettersById(
  servers: Servers,
  group: string,
  ids: readonly string[],
): Promise<LocatedMessage[]> {
  const topic = deadLetterTopicOf(group);
  if ((await routeOf(servers, topic)) === undefined) {
    await requireGroup(servers, group);
    throw new Failure(`Group ${group} has no dead letters.`);
  }
  return eachOf([...new Set(ids)], 'dead letters', async (id) => {
    const found = (await findById(servers, id, topic)).find((message) => message.topic === topic);
    if (found !== undefined) return found;
    throw new Failure(
      `Group ${group} has no dead letter ${id}: "ringmq dlq list ${group}" shows those there are.`,
    );
  });
}

/** The topic to which it was sent; what was popped from a retry topic may name that one. */
export function originOf(
  { properties }: Pick<LocatedMessage, 'properties'>,
  group: string,
): string | undefined {
  const named = properties.get(PROPERTY_DLQ_ORIGIN_TOPIC) ?? properties.get(PROPERTY_RETRY_TOPIC);
  const prefix = popRetryTopicsOf('', group).find((each) => named?.startsWith(each));
  return prefix === undefined ? named : named?.slice(prefix.length);
}

/** The topics from which the group may have popped it once more; none where it was not popped. */
export function popRetryTopicsFor(
  letter: Pick<LocatedMessage, 'properties'>,
  group: string,
): readonly string[] {
  const origin = originOf(letter, group);
  const wasPopped = letter.properties.has(PROPERTY_FIRST_POP);
  return origin === undefined || !wasPopped ? [] : popRetryTopicsOf(origin, group);
}

/** A broker has one of the two, by its `enableRetryTopicV2`. */
export function popRetryTopicsOf(topic: string, group: string): readonly string[] {
  return [popRetryTopicOf(topic, group), popRetryTopicV2Of(topic, group)];
}
