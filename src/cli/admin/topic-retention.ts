/** `ringmq topic retention`: how long messages stay. That is a matter of the broker, which this says. */
import type { Command } from 'commander';
import { RequestCode } from '../../protocol/codes.ts';
import { configOf } from './config.ts';
import { examples, online } from './online.ts';
import { print, printJson, table } from './output.ts';
import { eachOf } from './progress.ts';
import { endsOf, numberIn } from './queue-reads.ts';
import { type Queue, readableQueues, requireRoute } from './routes.ts';
import type { Servers } from './servers.ts';
import { now, spanText, timeText } from './times.ts';

const KEYS = ['fileReservedTime', 'deleteWhen', 'diskMaxUsedSpaceRatio'];
const HONESTLY =
  'A topic cannot have a retention of its own, by time or size: the messages of all topics lie in one log of their\n' +
  'broker, whose files expire as a whole. "ringmq config set fileReservedTime HOURS" sets it for all topics of a broker.';

export function addRetention(topic: Command): void {
  const command = topic
    .command('retention')
    .description('how long the messages of a topic stay, and how old its first ones are')
    .argument('<topic>');
  online(command, async (servers, [name = ''], { json = false }) => {
    const parts = await requireRoute(servers, name);
    const masters = (await servers.masters()).filter((broker) =>
      parts.some((part) => part.broker === broker.name),
    );
    const queues = readableQueues(name, parts);
    const brokers = await eachOf(masters, 'brokers', async (broker) => {
      const config = await configOf(servers, broker);
      const times = await eachOf(
        queues.filter((queue) => queue.broker === broker.name),
        'queues',
        (queue) => firstStored(servers, queue),
      );
      const stored = times.filter((time) => time > 0);
      const values = Object.fromEntries(KEYS.map((key) => [key, config.get(key) ?? '-']));
      return { broker: broker.name, ...values, oldest: stored.length === 0 ? 0 : Math.min(...stored) };
    });
    if (json)
      return printJson({
        topic: name,
        ownRetention: false,
        brokers: brokers.map(({ oldest, ...rest }) => ({
          ...rest,
          oldest: oldest === 0 ? null : new Date(oldest).toISOString(),
        })),
      });
    const rows = brokers.map(({ broker, oldest, ...values }) => [
      broker,
      ...KEYS.map((key) => String((values as Record<string, string>)[key])),
      oldest === 0 ? 'no message' : `${timeText(oldest)} (${spanText(now() - oldest)} ago)`,
    ]);
    await print(
      table(['broker', '#hours kept', '#deleted at hour', '#or above % of disk', 'oldest message'], rows),
    );
    await print(`\n${HONESTLY}`);
  });
  examples(command, 'topic retention orders');
}

/** Store time of the first message of a queue; 0 or less when there is none. */
async function firstStored(servers: Servers, queue: Queue): Promise<number> {
  const { min, max } = await endsOf(servers, queue);
  if (min >= max) return 0;
  const answer = await servers.ask(queue.address, {
    code: RequestCode.GET_EARLIEST_MSG_STORETIME,
    fields: { topic: queue.topic, queueId: queue.queueId },
    to: `tell the age of ${queue.topic}`,
  });
  return numberIn(answer, 'timestamp', 0);
}
