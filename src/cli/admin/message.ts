/** `ringmq message`: finds messages and shows them decoded, follows them live, sends them once more. */
import type { Command } from 'commander';
import { UserError } from '../../lib/user-error.ts';
import {
  expressionOf,
  type FormFlags,
  formOf,
  limitOf,
  printMessage,
  type ReadFlags,
  tail,
  withFormOptions,
  withReadOptions,
} from './consume.ts';
import { Failure } from './failure.ts';
import { findById, findByKey, findByTime, type Window } from './find.ts';
import { idOf, messageJson, messageLine, messageText } from './message-text.ts';
import { examples, type OnlineFlags, online } from './online.ts';
import { counted, note, print, printJson } from './output.ts';
import { confirm } from './question.ts';
import type { LocatedMessage } from './queue-reads.ts';
import { nearestQueue, onceMore } from './resend.ts';
import { type Queue, queueText, requireRoute, writableQueues } from './routes.ts';
import { send } from './send.ts';
import type { Servers } from './servers.ts';
import { now, requireTime } from './times.ts';

const DEFAULT_LIMIT = '100';

export function messageCommands(message: Command): void {
  addFind(message);
  addShow(message);
  addTail(message);
  addResend(message);
}

interface FindFlags extends FormFlags {
  key?: string;
  since?: string;
  until?: string;
  tag?: string;
  sql?: string;
  count?: string;
}

function addFind(message: Command): void {
  const command = message
    .command('find')
    .description('find messages by key or by the time at which they were stored')
    .argument('<topic>')
    .option('--key <key>', 'by this key')
    .option('--since <time>', 'stored then or later: 10m (ago), 18:30, "2026-01-31 18:30"')
    .option('--until <time>', 'stored then or before')
    .option('--tag <tag>', 'by time: only messages with this tag; a || b for several')
    .option('--sql <expression>', 'by time: only messages whose properties this fits')
    .option('--count <number>', `the first so many (default: ${DEFAULT_LIMIT})`);
  withFormOptions(command);
  online<FindFlags>(command, async (servers, [topic = ''], flags) => {
    const { key, since, until } = flags;
    if (key === undefined && since === undefined && until === undefined)
      throw new UserError('Say what to look for: give --key, or a time by --since or --until.');
    if (key !== undefined && (flags.tag ?? flags.sql) !== undefined)
      throw new UserError('--tag and --sql filter messages by time: leave them out beside --key.');
    formOf(flags);
    const window: Window = {
      since: since === undefined ? 0 : requireTime(since, `--since ${since}`),
      until: until === undefined ? Number.MAX_SAFE_INTEGER : requireTime(until, `--until ${until}`),
    };
    const most = limitOf({ count: flags.count ?? DEFAULT_LIMIT });
    const expression = expressionOf(flags);
    const brokers = (await requireRoute(servers, topic)).length;
    const found =
      key === undefined
        ? await findByTime(servers, topic, window, most, expression)
        : (await findByKey(servers, topic, key, window)).slice(0, most);
    if (found.length === 0) throw new Failure(nothingFound(topic, key));
    for (const each of found) await printMessage(each, flags, brokers);
    if (found.length === most) note(`These are the first ${counted(most, 'message')}: --count gives more.`);
  });
  examples(
    command,
    'message find orders --key 4711',
    'message find orders --since "2026-01-31 18:30" --until "2026-01-31 18:35" --json',
    'message find orders --since 10m --tag new --full',
  );
}

function nothingFound(topic: string, key: string | undefined): string {
  return key === undefined
    ? `${topic} has no message of that time.`
    : `${topic} has no message with the key ${key}: keys are told apart by upper and lower case, and messages without a key are found by time (--since).`;
}

function addShow(message: Command): void {
  const command = message
    .command('show')
    .description('show a message by its unique id or offset id')
    .argument('<id>')
    .argument('[topic]', 'where it is; without it all topics are asked');
  withFormOptions(command);
  online<FormFlags>(command, async (servers, [id = '', topic], flags) => {
    const form = formOf(flags);
    const found = await requireMessages(servers, id, topic);
    for (const [i, each] of found.entries()) {
      if (flags.body === true) await printMessage(each, flags, 1);
      else if (flags.json === true) await printJson(messageJson(each, form));
      else await print(`${i > 0 ? '\n' : ''}${messageText(each, form, now())}`);
    }
  });
  examples(
    command,
    'message show 7F00000152E1CC5B4DD58C32AFFB0000 orders',
    'message show 7F0000010000894F00000000000000E9 --as hex',
  );
}

async function requireMessages(
  servers: Servers,
  id: string,
  topic: string | undefined,
): Promise<LocatedMessage[]> {
  if (topic !== undefined) await requireRoute(servers, topic);
  // Clients write them in capitals; somebody may have copied one from elsewhere.
  for (const each of new Set([id, id.toUpperCase()])) {
    const found = await findById(servers, each, topic);
    if (found.length > 0) return found;
  }
  const where = topic === undefined ? 'No topic' : topic;
  throw new Failure(
    `${where} has ${topic === undefined ? 'a' : 'no'} message ${id}: it may have expired, or its index has.`,
  );
}

function addTail(message: Command): void {
  const command = message.command('tail').description('print messages as they come').argument('<topic>');
  withReadOptions(command);
  online<ReadFlags>(command, (servers, [topic = ''], flags) => tail(servers, topic, flags));
  examples(command, 'message tail orders', 'message tail orders --tag new --full');
}

interface ResendFlags {
  into?: string;
  yes?: boolean;
}

function addResend(message: Command): void {
  const command = message
    .command('resend')
    .description('send a message once more: every group of the topic gets it again')
    .argument('<id>')
    .argument('[topic]', 'where it is; without it all topics are asked')
    .option('--into <topic>', 'into another topic')
    .option('--yes', 'do not ask');
  online<ResendFlags>(command, async (servers, [id = '', topic], flags) => {
    const [message] = await requireMessages(servers, id, topic);
    if (message === undefined) return;
    const into = flags.into ?? message.topic;
    const parts = await requireRoute(servers, into);
    const queues = writableQueues(into, parts);
    if (queues.length === 0)
      throw new Failure(`Nobody may send to ${into}: "ringmq topic change ${into} --perm rw" allows it.`);
    if (flags.json !== true) note(messageLine(message, 'auto', parts.length));
    await confirm(
      `This message is going to be sent to ${into} once more; all groups that consume ${into} get it.`,
      flags.yes,
    );
    await resendTo(servers, queues, message, parts.length, flags);
  });
  examples(
    command,
    'message resend 7F00000152E1CC5B4DD58C32AFFB0000 orders',
    'message resend 7F00000152E1CC5B4DD58C32AFFB0000 orders --into orders-test --yes',
  );
}

async function resendTo(
  servers: Servers,
  queues: readonly Queue[],
  message: LocatedMessage,
  brokers: number,
  { json = false }: OnlineFlags,
): Promise<void> {
  const sent = await send(servers, nearestQueue(queues, message), onceMore(message, {}, false));
  const { topic, broker, queueId } = sent.queue;
  if (json)
    return printJson({ topic, broker, queue: queueId, offset: sent.offset, id: sent.id, of: idOf(message) });
  await print(
    `Sent ${sent.id} to ${topic}, queue ${queueText(sent.queue, brokers)} at offset ${sent.offset}.`,
  );
}
