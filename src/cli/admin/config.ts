/** `ringmq config`: reads and changes the configuration of running brokers. */
import type { Command } from 'commander';
import { formatJavaProperties, parseJavaProperties } from '../../lib/java-properties.ts';
import { RequestCode } from '../../protocol/codes.ts';
import { riskOf, unitOf } from './config-risks.ts';
import { Failure } from './failure.ts';
import { examples, onEach, online } from './online.ts';
import { listing, print, printJson } from './output.ts';
import { confirm } from './question.ts';
import { nearestOf } from './routes.ts';
import type { BrokerAt, Servers } from './servers.ts';

export function configCommands(config: Command): void {
  addGet(config);
  addSet(config);
}

function addGet(config: Command): void {
  const command = config
    .command('get')
    .description('print the configuration of running brokers, or some keys of it')
    .argument('[key...]')
    .option('--on <name>', 'only of this cluster or broker (default: of all)');
  online<{ on?: string }>(command, async (servers, keys, { on, json = false }) => {
    const brokers = await servers.masters(on);
    const found: Record<string, Record<string, string>> = {};
    for (const broker of brokers) {
      const all = await configOf(servers, broker);
      for (const key of keys) requireKey(broker, all, key);
      const wanted = [...all].filter(([key]) => keys.length === 0 || keys.includes(key)).sort();
      found[broker.name] = Object.fromEntries(wanted);
    }
    if (json) return printJson(found);
    for (const [broker, values] of Object.entries(found)) {
      if (brokers.length > 1) await print(`${broker}:`);
      await print(
        listing(
          Object.entries(values).map(([key, value]) => [key, value || '(empty)'] as const),
          brokers.length > 1 ? '  ' : '',
        ),
      );
    }
  });
  examples(
    command,
    'config get',
    'config get fileReservedTime flushDiskType',
    'config get --on broker-a --json',
  );
}

export async function configOf(servers: Servers, broker: BrokerAt): Promise<Map<string, string>> {
  const { body } = await servers.ask(broker.address, {
    code: RequestCode.GET_BROKER_CONFIG,
    to: 'tell its configuration',
  });
  return parseJavaProperties(Buffer.from(body ?? []).toString('utf8'));
}

function requireKey(broker: BrokerAt, all: ReadonlyMap<string, string>, key: string): void {
  if (all.has(key)) return;
  const near = nearestOf(key, all.keys());
  const hint = near === undefined ? '"ringmq config get" shows those it has.' : `did you mean ${near}?`;
  throw new Failure(`Broker ${broker.name} has no key ${key}: ${hint}`);
}

interface Change {
  broker: BrokerAt;
  from: string;
}

function addSet(config: Command): void {
  const command = config
    .command('set')
    .description('change a key of running brokers; asks before messages are lost or clients refused')
    .argument('<key>')
    .argument('<value>')
    .option('--on <name>', 'only of this cluster or broker (default: of all)')
    .option('--yes', 'do not ask');
  online<{ on?: string; yes?: boolean }>(command, async (servers, [key = '', value = ''], flags) => {
    const { on, yes, json = false } = flags;
    const brokers = await servers.masters(on);
    const changes = await changesOf(servers, brokers, key, value);
    const unit = unitOf(key);
    if (!json) for (const { broker, from } of changes) await print(planLine(broker, key, from, value, unit));
    const risks = new Set(changes.map(({ from }) => riskOf(key, from, value)).filter(Boolean));
    if (risks.size > 0)
      await confirm(`With ${key} at ${valueText(value, unit)} ${[...risks].join('; ')}.`, yes);
    const made = await makeChanges(servers, changes, key, value);
    if (json) await printJson(made.map((change) => ({ ...change, unit: unit ?? null })));
    else await print(doneText(brokers, changes, key, value, unit));
    const other = made.find(({ to }) => to !== value);
    if (other !== undefined)
      throw new Failure(
        `Broker ${other.broker} has taken the change and shows ${other.to || 'nothing'} for ${key}, not ${value}: it does not take this value, or not while it runs.`,
      );
  });
  examples(command, 'config set fileReservedTime 48', 'config set fileReservedTime 48 --on broker-a --yes');
}

/** Those brokers whose value is another; rejects with a Failure when one does not have the key. */
async function changesOf(
  servers: Servers,
  brokers: readonly BrokerAt[],
  key: string,
  value: string,
): Promise<Change[]> {
  const changes: Change[] = [];
  for (const broker of brokers) {
    const all = await configOf(servers, broker);
    requireKey(broker, all, key);
    const from = all.get(key) ?? '';
    if (from !== value) changes.push({ broker, from });
  }
  return changes;
}

async function makeChanges(
  servers: Servers,
  changes: readonly Change[],
  key: string,
  value: string,
): Promise<{ broker: string; key: string; from: string; to: string }[]> {
  const made: { broker: string; key: string; from: string; to: string }[] = [];
  await onEach(
    changes.map(({ broker }) => broker),
    `Set ${key}`,
    async (broker) => {
      await servers.ask(broker.address, {
        code: RequestCode.UPDATE_BROKER_CONFIG,
        body: Buffer.from(formatJavaProperties([[key, value]])),
        to: `set ${key} to ${value}`,
      });
      const to = (await configOf(servers, broker)).get(key) ?? '';
      const from = changes.find((change) => change.broker === broker)?.from ?? '';
      made.push({ broker: broker.name, key, from, to });
    },
  );
  return made;
}

function valueText(value: string, unit: string | undefined): string {
  if (value === '') return '(empty)';
  return unit === undefined ? value : `${value} ${unit}`;
}

function planLine(
  { name }: BrokerAt,
  key: string,
  from: string,
  to: string,
  unit: string | undefined,
): string {
  return `${name}: ${key} ${valueText(from, unit)} -> ${valueText(to, unit)}`;
}

function doneText(
  brokers: readonly BrokerAt[],
  changes: readonly Change[],
  key: string,
  value: string,
  unit: string | undefined,
): string {
  if (changes.length > 0) return `Set ${key} on ${changes.map(({ broker }) => broker.name).join(', ')}.`;
  const where = brokers.map(({ name }) => name).join(', ');
  return `Nothing was done: ${key} is ${valueText(value, unit)} already on ${where}.`;
}
