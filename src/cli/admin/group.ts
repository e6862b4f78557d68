/** `ringmq group`: lists, shows, makes, changes and deletes groups of consumers. */
import type { Command } from 'commander';
import { groupNameProblem, isSystemGroup } from '../../lib/names.ts';
import { UserError } from '../../lib/user-error.ts';
import { RequestCode } from '../../protocol/codes.ts';
import { Failure } from './failure.ts';
import {
  allGroupConfigs,
  allMembersOf,
  type GroupConfig,
  membersOf,
  noGroup,
  OWN_GROUPS,
  writeGroup,
} from './groups.ts';
import { lagOf } from './lag.ts';
import { choiceOf, examples, numberOf, onEach, online, tellWritten } from './online.ts';
import { counted, listing, print, printJson, table } from './output.ts';
import { eachOf } from './progress.ts';
import { confirm } from './question.ts';
import { compare, type Servers } from './servers.ts';
import { now, spanText } from './times.ts';

const SWITCH = ['on', 'off'] as const;
const DEFAULT_RETRIES = 16;
export function groupCommands(group: Command): void {
  addList(group);
  addShow(group);
  addCreate(group);
  addChange(group);
  addDelete(group);
}

interface ListedGroup {
  config: GroupConfig;
  brokers: string[];
}

async function allGroups(servers: Servers): Promise<ListedGroup[]> {
  const groups = new Map<string, ListedGroup>();
  for (const broker of await servers.masters()) {
    for (const config of await allGroupConfigs(servers, broker)) {
      const known = groups.get(config.name);
      if (known !== undefined) known.brokers.push(broker.name);
      else groups.set(config.name, { config, brokers: [broker.name] });
    }
  }
  return [...groups.values()].sort((a, b) => compare(a.config.name, b.config.name));
}

function addList(group: Command): void {
  const command = group
    .command('list')
    .description('list groups and how many members are online')
    .option('--all', 'those of brokers and tools too');
  online<{ all?: boolean }>(command, async (servers, _args, { all = false, json = false }) => {
    const isOwn = ({ config: { name } }: ListedGroup) => OWN_GROUPS.has(name) || isSystemGroup(name);
    const groups = (await allGroups(servers)).filter((each) => all || !isOwn(each));
    const listed = await eachOf(groups, 'groups', async ({ config, brokers }) => {
      const members = await allMembersOf(servers, config.name);
      const { name, mayConsume, isOrderly, retries } = config;
      return { name, members: members.length, retries, orderly: isOrderly, mayConsume, brokers };
    });
    if (json) return printJson(listed);
    if (listed.length === 0)
      return print(
        'There is no group yet: the first consumer of a group makes it, or "ringmq group create NAME".',
      );
    const rows = listed.map((each) => [
      each.name,
      each.members,
      each.retries,
      each.orderly ? 'in order' : 'at once',
      each.mayConsume ? 'yes' : 'no',
      each.brokers.join(' '),
    ]);
    await print(table(['group', '#online', '#retries', 'consumes', 'may consume', 'brokers'], rows));
  });
  examples(command, 'group list', 'group list --json');
}

function addShow(group: Command): void {
  const command = group
    .command('show')
    .description("show a group's configuration, members, topics and lag")
    .argument('<group>');
  online(command, async (servers, [name = ''], { json = false }) => {
    const found = (await allGroups(servers)).find(({ config }) => config.name === name);
    if (found === undefined) throw await noGroup(servers, name);
    const members = await allMembersOf(servers, name);
    const subscriptions = new Map<string, string>();
    for (const { address } of await servers.masters())
      for (const [topic, text] of (await membersOf(servers, address, name)).subscriptions)
        subscriptions.set(topic, text);
    const lags = await lagOf(servers, name, now());
    const topics = [...new Set([...lags.map(({ topic }) => topic), ...subscriptions.keys()])]
      .sort()
      .map((topic) => {
        const own = lags.filter((lag) => lag.topic === topic);
        return {
          topic,
          subscription: subscriptions.get(topic) ?? null,
          lag: own.reduce((sum, { lag }) => sum + lag, 0),
          waitsMs: Math.max(0, ...own.map(({ waitsMs = 0 }) => waitsMs)),
        };
      });
    const { config, brokers } = found;
    if (json) return printJson({ group: name, config: config.raw, brokers, members, topics });
    await print(
      listing([
        ['group', name],
        ['may consume', config.mayConsume ? 'yes' : 'no'],
        ['consumes', config.isOrderly ? 'in order' : 'at once'],
        ['retries', config.retries],
        ['brokers', brokers.join(' ')],
      ]),
    );
    if (topics.length > 0) {
      const rows = topics.map(({ topic, subscription, lag, waitsMs }) => [
        topic,
        subscription ?? '-',
        lag,
        lag === 0 ? '-' : spanText(waitsMs),
      ]);
      await print(`\n${table(['topic', 'subscribed to', '#lag', '#waits'], rows)}`);
    }
    if (members.length === 0) return print('\nNo member is online.');
    await print(
      `\n${table(
        ['member', 'address', 'language'],
        members.map(({ clientId, address, language }) => [clientId, address, language]),
      )}`,
    );
  });
  examples(command, 'group show billing');
}

interface ConfigFlags {
  retries?: string;
  orderly?: string;
  consume?: string;
  on?: string;
}

function withConfigOptions(command: Command): Command {
  return command
    .option(
      '--retries <number>',
      `how often a message that fails is given again before it is a dead letter (default for a new group: ${DEFAULT_RETRIES})`,
    )
    .option('--orderly <on|off>', 'whether it consumes in order: read by gRPC clients and by pops')
    .option('--consume <on|off>', 'whether it may consume')
    .option('--on <name>', 'only on this cluster or broker (default: on all)');
}

function addCreate(group: Command): void {
  const command = withConfigOptions(group.command('create').description('make a group').argument('<group>'));
  online<ConfigFlags>(command, async (servers, [name = ''], flags) => {
    const problem = groupNameProblem(name);
    if (problem !== undefined) throw new UserError(problem);
    const masters = await servers.masters(flags.on);
    for (const broker of masters) {
      const groups = await allGroupConfigs(servers, broker);
      if (groups.some((known) => known.name === name))
        throw new Failure(
          `Broker ${broker.name} has a group ${name} already: "ringmq group change ${name}" changes it.`,
        );
    }
    const fresh: GroupConfig = {
      name,
      mayConsume: true,
      isOrderly: false,
      retries: DEFAULT_RETRIES,
      raw: {},
    };
    await onEach(masters, `Made group ${name}`, ({ address }) => write(servers, address, fresh, flags));
    await tellWritten(
      'Made',
      'group',
      name,
      masters.map((broker) => broker.name),
      flags.json,
    );
  });
  examples(command, 'group create billing', 'group create billing --retries 3');
}

function addChange(group: Command): void {
  const command = withConfigOptions(
    group.command('change').description('change a group').argument('<group>'),
  );
  online<ConfigFlags>(command, async (servers, [name = ''], flags) => {
    if (flags.retries === undefined && flags.orderly === undefined && flags.consume === undefined)
      throw new UserError('Nothing is to be changed: give --retries, --orderly or --consume.');
    const changed: string[] = [];
    await onEach(await servers.masters(flags.on), `Changed group ${name}`, async (broker) => {
      const config = (await allGroupConfigs(servers, broker)).find((known) => known.name === name);
      if (config === undefined) return false;
      await write(servers, broker.address, config, flags);
      return changed.push(broker.name);
    });
    if (changed.length === 0) throw await noGroup(servers, name);
    await tellWritten('Changed', 'group', name, changed, flags.json);
  });
  examples(command, 'group change billing --retries 3', 'group change billing --consume off');
}

/** What this command does not know of the group stays as it is. */
async function write(
  servers: Servers,
  address: string,
  config: GroupConfig,
  flags: ConfigFlags,
): Promise<void> {
  const { retries, orderly, consume } = flags;
  // No attribute is to change.
  const { attributes: _attributes, ...raw } = config.raw;
  await writeGroup(servers, address, config.name, {
    ...raw,
    retryMaxTimes: retries === undefined ? config.retries : numberOf('retries', retries, 0, 2 ** 31 - 1),
    consumeMessageOrderly: isOn('orderly', orderly) ?? config.isOrderly,
    consumeEnable: isOn('consume', consume) ?? config.mayConsume,
  });
}

function isOn(name: string, text: string | undefined): boolean | undefined {
  return text === undefined ? undefined : choiceOf(`--${name}`, text, SWITCH) === 'on';
}

function addDelete(group: Command): void {
  const command = group
    .command('delete')
    .description('delete a group and where it is in its topics')
    .argument('<group>')
    .option('--yes', 'do not ask');
  online<{ yes?: boolean }>(command, async (servers, [name = ''], { yes, json = false }) => {
    const found = (await allGroups(servers)).find(({ config }) => config.name === name);
    if (found === undefined) throw await noGroup(servers, name);
    const members = await allMembersOf(servers, name);
    const online =
      members.length === 0
        ? ''
        : ` Its ${counted(members.length, 'member')} online may make it again, without its offsets.`;
    await confirm(
      `Group ${name} and its offsets are going to be deleted on ${found.brokers.join(', ')}.${online}`,
      yes,
    );
    for (const broker of (await servers.masters()).filter((each) => found.brokers.includes(each.name)))
      await servers.ask(broker.address, {
        code: RequestCode.DELETE_SUBSCRIPTIONGROUP,
        fields: { groupName: name, cleanOffset: true },
        to: `delete group ${name}`,
      });
    await (json ? printJson({ group: name, brokers: found.brokers }) : print(`Deleted group ${name}.`));
  });
  examples(command, 'group delete billing', 'group delete billing --yes');
}
