/**
 * `ringmq topic purge`: nobody is to get the messages of a topic any more. RingMQ's brokers have a request for that.
 * RocketMQ's protocol has none, so where a broker does not know ours the groups go on at the end, which the command
 * says; or the topic is deleted and made again, after which it shows none of them.
 */
import type { Command } from 'commander';
import { Failure } from './failure.ts';
import { skipAll } from './offset.ts';
import { examples, online } from './online.ts';
import { counted, print, printJson, table } from './output.ts';
import { type BrokerPurge, messagesOf, purgeAll, purgesOf } from './purge-requests.ts';
import { confirm } from './question.ts';
import { readableQueues, requireRoute, type TopicPart } from './routes.ts';
import type { Servers } from './servers.ts';
import { topicConfig, writeTopicConfig } from './topic-configs.ts';
import { deleteTopic } from './topic-delete.ts';
import { groupsOf, messageCount } from './topic-facts.ts';

interface Flags {
  recreate?: boolean;
  yes?: boolean;
  json?: boolean;
}

export function addPurge(topic: Command): void {
  const command = topic
    .command('purge')
    .description('let nobody get the messages of a topic any more')
    .argument('<topic>')
    .option(
      '--recreate',
      'delete the topic and make it again: its queues then begin at 0, without any message',
    )
    .option('--yes', 'do not ask');
  online<Flags>(command, async (servers, [name = ''], flags) => {
    const parts = await requireRoute(servers, name);
    if (flags.recreate) await recreate(servers, name, parts, flags);
    else await purge(servers, name, parts, flags);
  });
  examples(command, 'topic purge orders', 'topic purge orders --recreate --yes');
  command.addHelpText(
    'after',
    '\nThe messages that the topic has are found and delivered no more, and its offsets count on. What waits elsewhere' +
      '\nstill comes: delayed messages that are not due, open transactions, retries. A RocketMQ broker cannot purge:' +
      '\nthere the groups that consume the topic go on behind its last message, and the messages can still be found.',
  );
}

async function purge(
  servers: Servers,
  name: string,
  parts: readonly TopicPart[],
  flags: Flags,
): Promise<void> {
  const { yes, json = false } = flags;
  const plan = await purgesOf(servers, name, parts);
  const able = plan.filter(({ queues }) => queues !== undefined);
  const unable = parts.filter(({ broker }) => !able.some((other) => other.broker === broker));
  if (!json && messagesOf(able) > 0) await print(planTable(able));
  const groups = unable.length === 0 ? [] : await groupsOf(servers, name, addressesOf(unable));
  const sentences = able.length === 0 ? [] : [willPurge(name, able)];
  if (unable.length > 0) {
    const messages = await messageCount(servers, readableQueues(name, unable));
    sentences.push(willSkip(name, unable, messages, groups));
  }
  await confirm(sentences.join(' '), yes);
  const purged = await purgeAll(servers, name, able);
  const skipped = await skipAll(servers, name, groups);
  if (json) {
    const brokers = purged.map(({ broker, queues = [] }) => ({
      broker,
      queues: queues.map(({ queueId, ...range }) => ({ queue: queueId, ...range })),
    }));
    const cannot = unable.map(({ broker }) => broker);
    const found = { topic: name, messages: messagesOf(purged), recreated: false, brokers, cannot };
    return printJson({ ...found, skipped: Object.fromEntries(skipped) });
  }
  for (const [group, count] of skipped) await print(`${group} skips ${counted(count, 'message')}.`);
  if (able.length > 0) await print(`Purged ${name}: ${counted(messagesOf(purged), 'message')}.`);
  if (unable.length > 0)
    await print(`Not purged on ${namesOf(unable)}: the messages there can still be found.`);
}

function planTable(plan: readonly BrokerPurge[]): string {
  const rows = plan.flatMap(({ broker, queues = [] }) =>
    queues
      .filter(({ messages }) => messages > 0)
      .map(({ queueId, minOffset, maxOffset, messages }) => [
        plan.length > 1 ? `${broker}/${queueId}` : queueId,
        `${minOffset}-${maxOffset}`,
        messages,
      ]),
  );
  return table(['queue', 'holds', '#messages'], rows);
}

function willPurge(name: string, plan: readonly BrokerPurge[]): string {
  const queues = plan.flatMap((broker) => broker.queues ?? []).filter(({ messages }) => messages > 0).length;
  const where = queues === 0 ? '' : ` in ${counted(queues, 'queue')}`;
  return `Topic ${name} is going to be purged of ${counted(messagesOf(plan), 'message')}${where}: nobody gets or finds them any more, and its offsets count on.`;
}

function willSkip(
  name: string,
  unable: readonly TopicPart[],
  messages: number,
  groups: readonly string[],
): string {
  const who =
    groups.length === 0
      ? 'No group consumes it, so nothing changes there'
      : `${counted(groups.length, 'group')} (${groups.join(', ')}) will skip what they have not consumed`;
  return `${namesOf(unable)} cannot purge, as RocketMQ's protocol has no request for that, and has ${counted(messages, 'message')} of ${name}. ${who}; the messages stay until the log expires (--recreate takes them out of the queues).`;
}

const addressesOf = (parts: readonly TopicPart[]) => parts.map(({ address }) => address);

function namesOf(parts: readonly TopicPart[]): string {
  return `${parts.length === 1 ? 'Broker' : 'Each of the brokers'} ${parts.map(({ broker }) => broker).join(', ')}`;
}

async function recreate(
  servers: Servers,
  name: string,
  parts: readonly TopicPart[],
  { yes, json = false }: Flags,
): Promise<void> {
  const messages = await messageCount(servers, readableQueues(name, parts));
  await confirm(
    `Topic ${name} is going to be deleted with its ${counted(messages, 'message')} and made again: its queues begin at 0, its groups lose their offsets, and sends fail for a moment.`,
    yes,
  );
  await makeAgain(servers, name, parts);
  if (json)
    return printJson({ topic: name, messages, recreated: true, brokers: [], cannot: [], skipped: {} });
  await print(`Made ${name} again, without messages.`);
}

async function makeAgain(servers: Servers, name: string, parts: readonly TopicPart[]): Promise<void> {
  const masters = parts.filter(({ isMaster }) => isMaster);
  const configs = await Promise.all(
    masters.map(async ({ address, broker }) => {
      const config = await topicConfig(servers, address, name);
      if (config === undefined)
        throw new Failure(`Broker ${broker} has no topic ${name} any more: nothing was done.`);
      return { address, config };
    }),
  );
  await deleteTopic(servers, name, masters);
  for (const { address, config } of configs) {
    const attributes = Object.entries(config.attributes).map(([key, value]) => `+${key}=${value}`);
    await writeTopicConfig(servers, address, config, attributes.join(','));
  }
}
