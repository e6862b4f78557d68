/**
 * `ringmq topic purge`: nobody is to get the messages of a topic any more. The protocol has no such request, and the
 * messages of all topics share one log. So the groups go on at the end; or the topic is deleted and made again, after
 * which it shows none of them.
 */
import type { Command } from 'commander';
import { Failure } from './failure.ts';
import { skipAll } from './offset.ts';
import { examples, online } from './online.ts';
import { counted, print, printJson } from './output.ts';
import { confirm } from './question.ts';
import { readableQueues, requireRoute, type TopicPart } from './routes.ts';
import type { Servers } from './servers.ts';
import { topicConfig, writeTopicConfig } from './topic-configs.ts';
import { deleteTopic } from './topic-delete.ts';
import { groupsOf, messageCount } from './topic-facts.ts';

export function addPurge(topic: Command): void {
  const command = topic
    .command('purge')
    .description('let no group get the messages of a topic any more')
    .argument('<topic>')
    .option(
      '--recreate',
      'delete the topic and make it again: its queues then begin at 0, without any message',
    )
    .option('--yes', 'do not ask');
  online<{ recreate?: boolean; yes?: boolean }>(command, async (servers, [name = ''], flags) => {
    const parts = await requireRoute(servers, name);
    const messages = await messageCount(servers, readableQueues(name, parts));
    const addresses = parts.map(({ address }) => address);
    const groups = await groupsOf(servers, name, addresses);
    const { recreate = false, yes, json = false } = flags;
    await confirm(recreate ? willRecreate(name, messages) : willSkip(name, messages, groups), yes);
    if (recreate) await recreateTopic(servers, name, parts);
    const skipped = recreate ? new Map<string, number>() : await skipAll(servers, name, groups);
    if (json)
      return printJson({ topic: name, messages, recreated: recreate, skipped: Object.fromEntries(skipped) });
    for (const [group, count] of skipped) await print(`${group} skips ${counted(count, 'message')}.`);
    await print(recreate ? `Made ${name} again, without messages.` : `Purged ${name}.`);
  });
  examples(command, 'topic purge orders', 'topic purge orders --recreate --yes');
  command.addHelpText(
    'after',
    '\nWithout --recreate the groups that consume the topic go on behind its last message. The messages stay in the' +
      '\nlog until that expires: they can be found, and new groups may begin with them.',
  );
}

function willSkip(name: string, messages: number, groups: readonly string[]): string {
  const who =
    groups.length === 0
      ? 'No group consumes it, so nothing changes'
      : `${counted(groups.length, 'group')} (${groups.join(', ')}) will skip what they have not consumed`;
  return `Topic ${name} has ${counted(messages, 'message')}. ${who}; the messages stay in the log until that expires (--recreate takes them out of the queues).`;
}

function willRecreate(name: string, messages: number): string {
  return `Topic ${name} is going to be deleted with its ${counted(messages, 'message')} and made again: its queues begin at 0, its groups lose their offsets, and sends fail for a moment.`;
}

async function recreateTopic(servers: Servers, name: string, parts: readonly TopicPart[]): Promise<void> {
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
