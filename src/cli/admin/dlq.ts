/** `ringmq dlq`: dead letters of groups: lists, shows and resends them. */
import type { Command } from 'commander';
import { DLQ_PREFIX } from '../../lib/names.ts';
import { PROPERTY_DEAD_LETTER_REASON } from '../../record/properties.ts';
import { type FormFlags, formOf, limitOf, printMessage, withFormOptions } from './consume.ts';
import { lettersById, lettersOf, originOf } from './dead-letters.ts';
import { addResend } from './dlq-resend.ts';
import { bodyLine, decodeBody, idOf, messageText } from './message-text.ts';
import { examples, online } from './online.ts';
import { counted, note, print, printJson, table } from './output.ts';
import { eachOf } from './progress.ts';
import type { LocatedMessage } from './queue-reads.ts';
import { readableQueues, routeOf, topicNames } from './routes.ts';
import type { Servers } from './servers.ts';
import { now, timeText } from './times.ts';
import { messageCount } from './topic-facts.ts';

const DEFAULT_LIMIT = '100';

export function dlqCommands(dlq: Command): void {
  addList(dlq);
  addShow(dlq);
  addResend(dlq);
}

interface ListFlags extends FormFlags {
  since?: string;
  count?: string;
}

function addList(dlq: Command): void {
  const command = dlq
    .command('list')
    .description('list the dead letters of a group, or how many each group has')
    .argument('[group]')
    .option('--since <time>', 'dead then or later: 10m (ago), "2026-01-31 18:30"')
    .option('--count <number>', `the first so many (default: ${DEFAULT_LIMIT})`);
  withFormOptions(command);
  online<ListFlags>(command, async (servers, [group], flags) => {
    formOf(flags);
    if (group === undefined) return listGroups(servers, flags.json);
    const most = limitOf({ count: flags.count ?? DEFAULT_LIMIT });
    const letters = await lettersOf(servers, group, flags.since ?? 'earliest', most);
    if (flags.json === true || flags.full === true || flags.body === true) {
      for (const letter of letters) await printMessage(letter, flags, 1);
      return;
    }
    if (letters.length === 0) return print(`Group ${group} has no dead letters.`);
    await print(
      table(
        ['died', 'id', 'topic', '#tries', 'reason', 'body'],
        letters.map((letter) => rowOf(letter, group, flags)),
      ),
    );
    if (letters.length === most)
      note(`These are the first ${counted(most, 'dead letter')}: --count gives more.`);
  });
  examples(command, 'dlq list', 'dlq list billing', 'dlq list billing --since 1h --json');
}

const SHORT_LINE = 40;

function rowOf(letter: LocatedMessage, group: string, flags: FormFlags): (string | number)[] {
  return [
    timeText(letter.storeTimestamp),
    idOf(letter),
    originOf(letter, group) ?? '-',
    letter.reconsumeTimes,
    letter.properties.get(PROPERTY_DEAD_LETTER_REASON) ?? '-',
    bodyLine(decodeBody(letter), formOf(flags), SHORT_LINE),
  ];
}

async function listGroups(servers: Servers, json = false): Promise<void> {
  const topics = (await topicNames(servers)).filter((name) => name.startsWith(DLQ_PREFIX));
  const groups = await eachOf(topics, 'groups', async (topic) => {
    const queues = readableQueues(topic, (await routeOf(servers, topic)) ?? []);
    return { group: topic.slice(DLQ_PREFIX.length), deadLetters: await messageCount(servers, queues) };
  });
  if (json) return printJson(groups);
  if (groups.length === 0) return print('No group has a dead letter.');
  await print(
    table(
      ['group', '#dead letters'],
      groups.map(({ group, deadLetters }) => [group, deadLetters]),
    ),
  );
}

function addShow(dlq: Command): void {
  const command = dlq.command('show').description('show a dead letter').argument('<group>').argument('<id>');
  withFormOptions(command);
  online<FormFlags>(command, async (servers, [group = '', id = ''], flags) => {
    const form = formOf(flags);
    const [letter] = await lettersById(servers, group, [id]);
    if (letter === undefined) return;
    if (flags.json === true || flags.body === true) return printMessage(letter, flags, 1);
    await print(messageText(letter, form, now()));
  });
  examples(command, 'dlq show billing 7F00000152E1CC5B4DD58C32AFFB0000');
}
