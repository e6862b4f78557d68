/** `ringmq config`: reads and changes the configuration of running brokers. */
import type { Command } from 'commander';
import { formatJavaProperties, parseJavaProperties } from '../../lib/java-properties.ts';
import { RequestCode } from '../../protocol/codes.ts';
import { Failure } from './failure.ts';
import { examples, online } from './online.ts';
import { listing, print, printJson } from './output.ts';
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

function addSet(config: Command): void {
  const command = config
    .command('set')
    .description('change a key of running brokers')
    .argument('<key>')
    .argument('<value>')
    .option('--on <name>', 'only of this cluster or broker (default: of all)');
  online<{ on?: string }>(command, async (servers, [key = '', value = ''], { on, json = false }) => {
    const brokers = await servers.masters(on);
    const before = new Map<string, string>();
    for (const broker of brokers) {
      const all = await configOf(servers, broker);
      requireKey(broker, all, key);
      before.set(broker.name, all.get(key) ?? '');
    }
    const changes: { broker: string; key: string; from: string; to: string }[] = [];
    for (const broker of brokers) {
      await servers.ask(broker.address, {
        code: RequestCode.UPDATE_BROKER_CONFIG,
        body: Buffer.from(formatJavaProperties([[key, value]])),
        to: `set ${key} to ${value}`,
      });
      const to = (await configOf(servers, broker)).get(key) ?? '';
      changes.push({ broker: broker.name, key, from: before.get(broker.name) ?? '', to });
    }
    if (json) await printJson(changes);
    else
      for (const { broker, from, to } of changes)
        await print(`${broker}: ${key} was ${from || '(empty)'}, is ${to || '(empty)'} now.`);
    const other = changes.find(({ to }) => to !== value);
    if (other !== undefined)
      throw new Failure(
        `Broker ${other.broker} has taken the change and shows ${other.to || 'nothing'} for ${key}, not ${value}: it does not take this value, or not while it runs.`,
      );
  });
  examples(command, 'config set fileReservedTime 48', 'config set fileReservedTime 48 --on broker-a');
}
