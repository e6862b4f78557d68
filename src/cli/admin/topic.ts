/** `ringmq topic`: lists, shows, makes, changes and deletes topics. */
import type { Command } from 'commander';
import {
  DLQ_PREFIX,
  RETRY_PREFIX,
  SYSTEM_TOPIC_PREFIX,
  topicNameProblem,
  WELL_KNOWN_SYSTEM_TOPICS,
} from '../../lib/names.ts';
import { UserError } from '../../lib/user-error.ts';
import { RequestCode } from '../../protocol/codes.ts';
import { asArray } from '../../protocol/json-fields.ts';
import { Failure } from './failure.ts';
import { choiceOf, examples, numberOf, onEach, online, tellWritten } from './online.ts';
import { counted, listing, print, printJson, table } from './output.ts';
import { eachOf } from './progress.ts';
import { confirm } from './question.ts';
import { endsOf } from './queue-reads.ts';
import { noTopic, queueText, READABLE, readableQueues, requireRoute, WRITABLE } from './routes.ts';
import { compare, objectOf, type Servers } from './servers.ts';
import {
  allTopicConfigs,
  TOPIC_TYPES,
  type TopicConfig,
  topicConfig,
  writeTopicConfig,
} from './topic-configs.ts';
import { deleteTopic } from './topic-delete.ts';
import { groupsOf, messageCount } from './topic-facts.ts';
import { addPurge } from './topic-purge.ts';
import { addRetention } from './topic-retention.ts';

const MAX_QUEUES = 1_000_000;
const DEFAULT_QUEUES = 8;
const PERMS: Readonly<Record<string, number>> = {
  rw: READABLE | WRITABLE,
  r: READABLE,
  w: WRITABLE,
  none: 0,
};

export function topicCommands(topic: Command): void {
  addList(topic);
  addShow(topic);
  addCreate(topic);
  addChange(topic);
  addDelete(topic);
  addPurge(topic);
  addRetention(topic);
}

function addList(topic: Command): void {
  const command = topic
    .command('list')
    .description('list topics')
    .option('--all', 'those of brokers and groups too');
  online<{ all?: boolean }>(command, async (servers, _args, { all = false, json = false }) => {
    const rows = await allTopics(servers);
    const shown = rows.filter(({ name, isOwn }) => all || (!isOwn && !isDerived(name)));
    if (json)
      return printJson(
        shown.map(({ isOwn: _isOwn, others, ...first }) => ({ ...first, differing: others.length > 0 })),
      );
    if (shown.length === 0) return print('There is no topic yet: "ringmq topic create NAME" makes one.');
    const columns = ['topic', 'type', '#queues', 'may', 'brokers'];
    await print(
      table(
        columns,
        shown.map((row) => [row.name, ...configTexts([row, ...row.others]), row.brokers.join(' ')]),
      ),
    );
  });
  examples(command, 'topic list', 'topic list --all --json');
}

interface ListedTopic extends TopicConfig {
  brokers: string[];
  /** As brokers have it that do not have it like the first. */
  others: TopicConfig[];
  /** Made by brokers for themselves. */
  isOwn: boolean;
}

/** Of all masters. */
async function allTopics(servers: Servers): Promise<ListedTopic[]> {
  const topics = new Map<string, ListedTopic>();
  for (const broker of await servers.masters()) {
    const own = await ownTopics(servers, broker.address);
    for (const config of await allTopicConfigs(servers, broker)) {
      const known = topics.get(config.name);
      if (known === undefined) {
        const isOwn = own.has(config.name);
        topics.set(config.name, { ...config, brokers: [broker.name], others: [], isOwn });
        continue;
      }
      known.brokers.push(broker.name);
      if (configTexts([config]).join() !== configTexts([known]).join()) known.others.push(config);
    }
  }
  return [...topics.values()].sort((a, b) => compare(a.name, b.name));
}

async function ownTopics(servers: Servers, address: string): Promise<Set<string>> {
  const { body } = await servers.ask(address, {
    code: RequestCode.GET_SYSTEM_TOPIC_LIST_FROM_BROKER,
    to: 'list its own topics',
  });
  return new Set([...asArray(objectOf(body)['topicList']).map(String), ...WELL_KNOWN_SYSTEM_TOPICS]);
}

function isDerived(name: string): boolean {
  return [RETRY_PREFIX, DLQ_PREFIX, SYSTEM_TOPIC_PREFIX].some((prefix) => name.startsWith(prefix));
}

/** Type, queues and rights; all that there are, where brokers differ. */
function configTexts(configs: readonly TopicConfig[]): [string, string, string] {
  const all = (text: (config: TopicConfig) => string) => [...new Set(configs.map(text))].join(', ');
  return [all(({ type }) => type), all(queuesText), all(({ perm }) => permText(perm))];
}

function queuesText({ readQueues, writeQueues }: TopicConfig): string {
  return readQueues === writeQueues ? String(readQueues) : `${readQueues} to read, ${writeQueues} to write`;
}

function permText(perm: number): string {
  const words = [(perm & READABLE) !== 0 && 'read', (perm & WRITABLE) !== 0 && 'write'].filter(Boolean);
  return words.length === 0 ? 'nothing' : words.join('+');
}

function addShow(topic: Command): void {
  const command = topic
    .command('show')
    .description("show a topic's configuration, queues and groups")
    .argument('<topic>');
  online(command, async (servers, [name = ''], { json = false }) => {
    const parts = await requireRoute(servers, name);
    const configs = await eachOf(parts, 'brokers', async ({ broker, address }) => ({
      broker,
      config: await topicConfig(servers, address, name),
    }));
    const queues = await eachOf(readableQueues(name, parts), 'queues', async (queue) => ({
      queue,
      ...(await endsOf(servers, queue)),
    }));
    const groups = await groupsOf(
      servers,
      name,
      parts.map(({ address }) => address),
    );
    if (json)
      return printJson({
        topic: name,
        configs: configs.map(({ broker, config }) => ({ broker, ...config })),
        queues: queues.map(({ queue, min, max }) => ({
          broker: queue.broker,
          queue: queue.queueId,
          min,
          max,
        })),
        groups,
      });
    const told = configs.flatMap(({ config }) => (config === undefined ? [] : [config]));
    const [type, , may] = configTexts(told);
    const messages = queues.reduce((sum, { min, max }) => sum + max - min, 0);
    await print(
      listing([
        ['topic', name],
        ['type', type],
        ['may', may],
        ['brokers', parts.map(({ broker, address }) => `${broker} (${address})`).join(', ')],
        ['groups', groups.join(' ') || 'none'],
        ['messages', messages],
        ...attributeRows(told),
      ]),
    );
    const rows = queues.map(({ queue, min, max }) => [queueText(queue, parts.length), min, max, max - min]);
    await print(`\n${table(['queue', '#first', '#end', '#messages'], rows)}`);
  });
  examples(command, 'topic show orders');
}

function attributeRows(configs: readonly TopicConfig[]): (readonly [string, string])[] {
  const values = new Map<string, Set<string>>();
  for (const { attributes } of configs)
    for (const [key, value] of Object.entries(attributes))
      values.set(key, (values.get(key) ?? new Set()).add(value));
  return [...values].map(([key, all]) => [`attribute ${key}`, [...all].join(', ')] as const);
}

interface ConfigFlags {
  queues?: string;
  type?: string;
  perm?: string;
  on?: string;
}

function withConfigOptions(command: Command): Command {
  return command
    .option('--queues <number>', `queues on each broker (default for a new topic: ${DEFAULT_QUEUES})`)
    .option('--type <type>', `type of its messages: ${TOPIC_TYPES.join(', ')}`)
    .option('--perm <perm>', 'what clients may do: rw, r, w, none')
    .option('--on <name>', 'only on this cluster or broker (default: on all)');
}

function addCreate(topic: Command): void {
  const command = withConfigOptions(topic.command('create').description('make a topic').argument('<topic>'));
  online<ConfigFlags>(command, async (servers, [name = ''], flags) => {
    requireName(name);
    const masters = await servers.masters(flags.on);
    for (const { name: broker, address } of masters) {
      if ((await topicConfig(servers, address, name)) !== undefined)
        throw new Failure(
          `Broker ${broker} has a topic ${name} already: "ringmq topic change ${name}" changes it.`,
        );
    }
    const fresh: TopicConfig = {
      name,
      readQueues: DEFAULT_QUEUES,
      writeQueues: DEFAULT_QUEUES,
      perm: READABLE | WRITABLE,
      order: false,
      type: 'NORMAL',
      attributes: {},
      sysFlag: 0,
    };
    await onEach(masters, `Made topic ${name}`, ({ address }) => write(servers, address, fresh, flags));
    await tellWritten(
      'Made',
      'topic',
      name,
      masters.map((broker) => broker.name),
      flags.json,
    );
  });
  examples(command, 'topic create orders', 'topic create orders --queues 16 --type FIFO');
}

function addChange(topic: Command): void {
  const command = withConfigOptions(
    topic.command('change').description('change a topic').argument('<topic>'),
  );
  online<ConfigFlags>(command, async (servers, [name = ''], flags) => {
    if (flags.queues === undefined && flags.type === undefined && flags.perm === undefined)
      throw new UserError('Nothing is to be changed: give --queues, --type or --perm.');
    const changed: string[] = [];
    await onEach(await servers.masters(flags.on), `Changed topic ${name}`, async (broker) => {
      const config = await topicConfig(servers, broker.address, name);
      if (config === undefined) return false;
      await write(servers, broker.address, config, flags);
      return changed.push(broker.name);
    });
    if (changed.length === 0) throw new Failure(await noTopic(servers, name));
    await tellWritten('Changed', 'topic', name, changed, flags.json);
  });
  examples(command, 'topic change orders --queues 16', 'topic change orders --perm r');
}

async function write(
  servers: Servers,
  address: string,
  config: TopicConfig,
  flags: ConfigFlags,
): Promise<void> {
  const { queues, type, perm } = flags;
  const count = queues === undefined ? undefined : numberOf('queues', queues, 1, MAX_QUEUES);
  const may = perm === undefined ? undefined : PERMS[choiceOf('--perm', perm, Object.keys(PERMS))];
  const changed = {
    ...config,
    ...(count === undefined ? {} : { readQueues: count, writeQueues: count }),
    ...(may === undefined ? {} : { perm: (config.perm & ~(READABLE | WRITABLE)) | may }),
  };
  const attributes = type === undefined ? '' : `+message.type=${choiceOf('--type', type, TOPIC_TYPES)}`;
  await writeTopicConfig(servers, address, changed, attributes);
}

function requireName(name: string): void {
  const problem = topicNameProblem(name);
  if (problem !== undefined) throw new UserError(`${problem.replace(/\.$/, '')}.`);
}

function addDelete(topic: Command): void {
  const command = topic
    .command('delete')
    .description('delete a topic with all its messages')
    .argument('<topic>')
    .option('--yes', 'do not ask');
  online<{ yes?: boolean }>(command, async (servers, [name = ''], { yes, json = false }) => {
    const parts = await requireRoute(servers, name);
    const queues = readableQueues(name, parts);
    const messages = await messageCount(servers, queues);
    const where = parts.map(({ broker }) => broker).join(', ');
    await confirm(
      `Topic ${name} and its ${counted(messages, 'message')} are going to be deleted on ${where}; that cannot be taken back.`,
      yes,
    );
    await deleteTopic(servers, name, parts);
    await (json ? printJson({ topic: name, messages }) : print(`Deleted topic ${name}.`));
  });
  examples(command, 'topic delete orders', 'topic delete orders --yes');
}
