/** `ringmq dlq`: dead letters of groups: lists, shows and resends them. */
import type { Command } from 'commander';
import { DLQ_PREFIX, deadLetterTopicOf, retryTopicOf } from '../../lib/names.ts';
import { UserError } from '../../lib/user-error.ts';
import type { StoredMessage } from '../../record/decode.ts';
import {
  PROPERTY_DEAD_LETTER_REASON,
  PROPERTY_DLQ_ORIGIN_TOPIC,
  PROPERTY_RETRY_TOPIC,
} from '../../record/properties.ts';
import { type FormFlags, formOf, limitOf, printMessage, withFormOptions } from './consume.ts';
import { Failure } from './failure.ts';
import { findById } from './find.ts';
import { beginnings, follow } from './follow.ts';
import { requireGroup } from './groups.ts';
import { bodyLine, decodeBody, idOf, messageText } from './message-text.ts';
import { examples, online } from './online.ts';
import { counted, note, print, printJson, table } from './output.ts';
import { eachOf, Progress } from './progress.ts';
import { confirm } from './question.ts';
import { onceMore } from './resend.ts';
import { type Queue, readableQueues, requireRoute, routeOf, topicNames, writableQueues } from './routes.ts';
import { send } from './send.ts';
import { compare, type Servers } from './servers.ts';
import { now, requireTime, timeText } from './times.ts';
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
      for (const letter of letters) await printMessage(letter, flags);
      return;
    }
    if (letters.length === 0) return print(`Group ${group} has no dead letters.`);
    await print(
      table(
        ['died', 'id', 'topic', '#tries', 'reason', 'body'],
        letters.map((letter) => rowOf(letter, flags)),
      ),
    );
    if (letters.length === most)
      note(`These are the first ${counted(most, 'dead letter')}: --count gives more.`);
  });
  examples(command, 'dlq list', 'dlq list billing', 'dlq list billing --since 1h --json');
}

const SHORT_LINE = 40;

function rowOf(letter: StoredMessage, flags: FormFlags): (string | number)[] {
  return [
    timeText(letter.storeTimestamp),
    idOf(letter),
    originOf(letter) ?? '-',
    letter.reconsumeTimes,
    letter.properties.get(PROPERTY_DEAD_LETTER_REASON) ?? '-',
    bodyLine(decodeBody(letter), formOf(flags), SHORT_LINE),
  ];
}

/** The topic to which it was sent. */
function originOf({ properties }: StoredMessage): string | undefined {
  return properties.get(PROPERTY_DLQ_ORIGIN_TOPIC) ?? properties.get(PROPERTY_RETRY_TOPIC);
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

/** In the order in which they died. */
async function lettersOf(
  servers: Servers,
  group: string,
  since: string,
  most: number,
): Promise<StoredMessage[]> {
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
  const letters: StoredMessage[] = [];
  await follow(servers, await beginnings(servers, queues, since), new AbortController().signal, {
    untilEnd: true,
    take: async (letter) => {
      letters.push(letter);
      progress.tell(() => `${letters.length} dead letters read`);
      return letters.length < most;
    },
  });
  progress.end();
  return letters.sort((a, b) => compare(a.storeTimestamp, b.storeTimestamp));
}

function addShow(dlq: Command): void {
  const command = dlq.command('show').description('show a dead letter').argument('<group>').argument('<id>');
  withFormOptions(command);
  online<FormFlags>(command, async (servers, [group = '', id = ''], flags) => {
    const form = formOf(flags);
    const [letter] = await lettersById(servers, group, [id]);
    if (letter === undefined) return;
    if (flags.json === true || flags.body === true) return printMessage(letter, flags);
    await print(messageText(letter, form, now()));
  });
  examples(command, 'dlq show billing 7F00000152E1CC5B4DD58C32AFFB0000');
}

/** Rejects with a Failure when one of them is not there. */
async function lettersById(
  servers: Servers,
  group: string,
  ids: readonly string[],
): Promise<StoredMessage[]> {
  const topic = deadLetterTopicOf(group);
  if ((await routeOf(servers, topic)) === undefined) {
    await requireGroup(servers, group);
    throw new Failure(`Group ${group} has no dead letters.`);
  }
  return eachOf(ids, 'dead letters', async (id) => {
    const found = (await findById(servers, id, topic)).find((message) => message.topic === topic);
    if (found !== undefined) return found;
    throw new Failure(
      `Group ${group} has no dead letter ${id}: "ringmq dlq list ${group}" shows those there are.`,
    );
  });
}

interface ResendFlags {
  all?: boolean;
  since?: string;
  origin?: boolean;
  yes?: boolean;
}

interface Outcome {
  id: string;
  ok: boolean;
  topic: string;
  result: string;
}

function addResend(dlq: Command): void {
  const command = dlq
    .command('resend')
    .description('give dead letters to their group again')
    .argument('<group>')
    .argument('[id...]')
    .option('--all', 'all of them')
    .option('--since <time>', 'with --all: those that died then or later')
    .option(
      '--origin',
      'send them to the topic they came from: every group of it gets them, not only this one',
    )
    .option('--yes', 'do not ask');
  online<ResendFlags>(command, async (servers, [group = '', ...ids], flags) => {
    const { all = false, since, origin = false, json = false } = flags;
    if (all === ids.length > 0) throw new UserError('Say which: give the ids of dead letters, or --all.');
    if (since !== undefined && !all) throw new UserError('--since is for --all: leave it out beside ids.');
    const letters = all
      ? await lettersOf(servers, group, since ?? 'earliest', Number.POSITIVE_INFINITY)
      : await lettersById(servers, group, ids);
    if (letters.length === 0)
      throw new Failure(`Group ${group} has no dead letters${since === undefined ? '' : ' of that time'}.`);
    const who = origin
      ? 'all groups of the topics they came from get them'
      : `group ${group} gets them again, and no other group`;
    await confirm(
      `${counted(letters.length, 'dead letter')} of ${group} will be sent once more: ${who}. They stay in the dead-letter queue too, until the log expires.`,
      flags.yes,
    );
    const outcomes = await resendAll(servers, group, letters, origin);
    if (json) await printJson(outcomes);
    else for (const { id, result } of outcomes) await print(`${id}  ${result}`);
    const failed = outcomes.filter(({ ok }) => !ok).length;
    if (failed > 0)
      throw new Failure(
        `${failed} of ${counted(outcomes.length, 'dead letter')} could not be sent; what came of each stands above.`,
      );
    if (!json) await print(`\nSent ${counted(outcomes.length, 'dead letter')}.`);
  });
  examples(
    command,
    'dlq resend billing 7F00000152E1CC5B4DD58C32AFFB0000',
    'dlq resend billing --all --since 1h',
    'dlq resend billing --all --origin --yes',
  );
}

function resendAll(
  servers: Servers,
  group: string,
  letters: readonly StoredMessage[],
  origin: boolean,
): Promise<Outcome[]> {
  const targets = new Map<string, Promise<Queue[]>>();
  const target = (topic: string) => {
    const known = targets.get(topic) ?? queuesFor(servers, group, topic);
    targets.set(topic, known);
    return known;
  };
  return eachOf(letters, 'dead letters', async (letter) => {
    const from = originOf(letter);
    const topic = origin ? (from ?? '') : retryTopicOf(group);
    const id = idOf(letter);
    if (topic === '')
      return { id, ok: false, topic, result: 'not sent: it does not say from which topic it came' };
    try {
      // A consumer gives it out under the topic from which it came.
      const extra = !origin && from !== undefined ? { [PROPERTY_RETRY_TOPIC]: from } : {};
      const queues = await target(topic);
      const queue = queues[letter.queueId % queues.length] as Queue;
      const sent = await send(servers, queue, onceMore(letter, extra, true));
      return {
        id,
        ok: true,
        topic,
        result: `sent to ${topic}, queue ${sent.queue.queueId} at offset ${sent.offset}`,
      };
    } catch (error) {
      return {
        id,
        ok: false,
        topic,
        result: `not sent: ${error instanceof Error ? error.message : String(error)}`,
      };
    }
  });
}

/** A group's retry topic is made by the first message that is sent to it: by any master, as far as nobody has it. */
async function queuesFor(servers: Servers, group: string, topic: string): Promise<Queue[]> {
  const retryTopic = retryTopicOf(group);
  const parts = topic === retryTopic ? await routeOf(servers, topic) : await requireRoute(servers, topic);
  const queues = writableQueues(topic, parts ?? []);
  if (queues.length > 0) return queues;
  if (topic !== retryTopic) throw new Failure(`nobody may send to ${topic}`);
  return (await servers.masters()).map(({ name, address }) => ({ topic, broker: name, address, queueId: 0 }));
}
