/** Who consumes a topic, and how many messages it has. */
import { RequestCode } from '../../protocol/codes.ts';
import { asArray } from '../../protocol/json-fields.ts';
import { eachOf } from './progress.ts';
import { endsOf } from './queue-reads.ts';
import type { Queue } from './routes.ts';
import { objectOf, type Servers } from './servers.ts';

/** Groups that have committed an offset in it, or have a member that is subscribed to it. */
export async function groupsOf(
  servers: Servers,
  topic: string,
  addresses: readonly string[],
): Promise<string[]> {
  const groups = new Set<string>();
  for (const address of addresses) {
    const { body } = await servers.ask(address, {
      code: RequestCode.QUERY_TOPIC_CONSUME_BY_WHO,
      fields: { topic },
      to: `tell who consumes ${topic}`,
    });
    for (const group of asArray(objectOf(body)['groupList'])) groups.add(String(group));
  }
  return [...groups].sort();
}

export async function messageCount(servers: Servers, queues: readonly Queue[]): Promise<number> {
  const ends = await eachOf(queues, 'queues', (queue) => endsOf(servers, queue));
  return ends.reduce((sum, { min, max }) => sum + max - min, 0);
}
