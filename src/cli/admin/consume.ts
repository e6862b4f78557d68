/** `ringmq consume`: prints messages as they come, alone or as a member of a group. */
import type { Command } from 'commander';
import { UserError } from '../../lib/user-error.ts';
import { consumeInGroup } from './consume-in-group.ts';
import { beginnings, follow } from './follow.ts';
import {
  bodyText,
  decodeBody,
  FORMS,
  type Form,
  idOf,
  messageJson,
  messageLine,
  messageText,
} from './message-text.ts';
import { choiceOf, examples, numberOf, type OnlineFlags, online } from './online.ts';
import { note, print, printAsIs, printJson } from './output.ts';
import type { Expression, LocatedMessage } from './queue-reads.ts';
import { readableQueues, requireRoute } from './routes.ts';
import type { Servers } from './servers.ts';
import { untilStopped } from './stopping.ts';
import { now } from './times.ts';

export interface FormFlags {
  as?: string;
  full?: boolean;
  body?: boolean;
}

export interface ReadFlags extends FormFlags {
  since?: string;
  tag?: string;
  sql?: string;
  count?: string;
  untilEnd?: boolean;
}

export interface ConsumeFlags extends ReadFlags {
  group?: string;
}

export function consumeCommand(command: Command): void {
  command
    .argument('<topic>')
    .option(
      '-g, --group <name>',
      'as a member of this group, whose offsets are committed (default: alone, none are)',
    );
  withReadOptions(command);
  online<ConsumeFlags>(command, async (servers, [topic = ''], flags) => {
    if (flags.group === undefined) return tail(servers, topic, flags);
    if (flags.since !== undefined)
      throw new UserError(
        '--since is not possible with --group: a group goes on where it is ("ringmq offset reset" sets that).',
      );
    await consumeInGroup(servers, topic, flags.group, flags);
  });
  examples(
    command,
    'consume orders',
    'consume orders --since 10m --tag new --full',
    'consume orders --since earliest --until-end --json',
    'consume orders --group billing --count 10',
  );
}

export function withReadOptions(command: Command): void {
  command
    .option(
      '--since <time>',
      'earliest, latest, or a time such as 10m (ago) or "2026-01-31 18:30" (default: latest)',
    )
    .option('--tag <tag>', 'only messages with this tag; a || b for several')
    .option(
      '--sql <expression>',
      'only messages whose properties this fits, as "price > 10 AND region = \'eu\'"',
    )
    .option('--count <number>', 'end after so many messages')
    .option('--until-end', 'end when all that is there now has been printed');
  withFormOptions(command);
}

export function withFormOptions(command: Command): void {
  command
    .option('--as <form>', `how bodies are shown: ${FORMS.join(', ')} (default: auto)`)
    .option('--full', 'all that is known of each message, not a line')
    .option('--body', 'bodies only');
}

export function formOf({ as = 'auto' }: FormFlags): Form {
  return choiceOf('--as', as, FORMS);
}

export function expressionOf({ tag, sql }: ReadFlags): Expression | undefined {
  if (tag !== undefined && sql !== undefined)
    throw new UserError('--tag and --sql are two filters: give one of them.');
  if (sql !== undefined) return { text: sql, type: 'SQL92' };
  return tag === undefined ? undefined : { text: tag, type: 'TAG' };
}

export function limitOf({ count }: ReadFlags): number {
  return count === undefined
    ? Number.POSITIVE_INFINITY
    : numberOf('count', count, 1, Number.MAX_SAFE_INTEGER);
}

/** `brokers`: how many have its topic. */
export function printMessage(
  message: LocatedMessage,
  flags: FormFlags & OnlineFlags,
  brokers: number,
): Promise<void> {
  const form = formOf(flags);
  if (flags.json === true) return printJson(messageJson(message, form), 0);
  if (flags.full === true && flags.body !== true) return print(`${messageText(message, form, now())}\n`);
  if (flags.body !== true) return print(messageLine(message, form, brokers));
  const body = decodeBody(message);
  if (body.problem !== undefined) note(`The body of ${idOf(message)} is ${body.problem}.`);
  // For the next program of a pipe a body stays as it was sent.
  return printAsIs(bodyText(body, form, 'as it is'));
}

/** Commits nothing, and disturbs no group. */
export async function tail(servers: Servers, topic: string, flags: ReadFlags & OnlineFlags): Promise<void> {
  formOf(flags);
  const most = limitOf(flags);
  const expression = expressionOf(flags);
  const stopped = untilStopped();
  const parts = await requireRoute(servers, topic);
  const queues = readableQueues(topic, parts);
  const from = await beginnings(servers, queues, flags.since ?? 'latest');
  let printed = 0;
  await follow(servers, from, stopped, {
    ...(expression === undefined ? {} : { expression }),
    untilEnd: flags.untilEnd ?? false,
    take: async (message) => {
      if (printed >= most) return false;
      printed++;
      await printMessage(message, flags, parts.length);
      return printed < most;
    },
  });
}
