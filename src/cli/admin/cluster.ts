/** `ringmq cluster`: which brokers there are, what they do, how full their disks are; and a cluster to try. */
import { type Command, Option } from 'commander';
import { RequestCode } from '../../protocol/codes.ts';
import { entriesOf } from '../../protocol/json-fields.ts';
import type { ClusterFlags } from '../cluster/run-cluster.ts';
import { Failure } from './failure.ts';
import { examples, online } from './online.ts';
import { counted, print, printJson, table } from './output.ts';
import { eachOf } from './progress.ts';
import { type BrokerAt, objectOf, type Servers } from './servers.ts';
import { now, spanText } from './times.ts';

export function clusterCommand(command: Command): void {
  online<ClusterFlags>(command, async (servers, _args, { json = false, ...flags }) => {
    if (START_OPTIONS.some(([, , name]) => flags[name] !== undefined)) return start(flags);
    const found = await servers.brokers();
    const brokers = await eachOf(found, 'brokers', (broker) => stateOf(servers, broker));
    if (json) await printJson({ nameServers: servers.nameServers, brokers });
    else await tell(servers, brokers);
    const silent = brokers.filter(({ problem }) => problem !== null);
    if (silent.length > 0) throw new Failure(silent.map(({ problem }) => problem).join('\n'));
  });
  examples(command, 'cluster', 'cluster -n 10.0.0.1:9876 --json', 'cluster start --layout 2m-2s-sync');
  const starting = command.command('start').description('start a cluster on this machine, to try it');
  for (const [flags, description] of START_OPTIONS) {
    starting.option(flags, description);
    command.addOption(new Option(flags, 'as "cluster start" takes it').hideHelp());
  }
  // What both have `cluster` takes, also behind `start`.
  starting.action(() => start(starting.optsWithGlobals<ClusterFlags>()));
  examples(
    starting,
    'cluster start --layout 2m-2s-sync',
    'cluster start --layout 2m-2s-async --dir try --base-port 20000',
    'cluster start --layout 2m --print',
  );
}

/** Also of `ringmq cluster` itself, for those who write `ringmq cluster --layout 2m`. */
const START_OPTIONS: readonly (readonly [flags: string, description: string, name: keyof ClusterFlags])[] = [
  ['--layout <name>', 'single, 2m, 2m-2s-async or 2m-2s-sync', 'layout'],
  ['--dir <directory>', 'where configuration and stores go (default: ringmq-LAYOUT here)', 'dir'],
  [
    '--base-port <number>',
    'port of the name server, brokers above it (default: 9876, brokers from 10911 on)',
    'basePort',
  ],
  ['--print', 'write the configuration files, print them, and start nothing', 'print'],
];

async function start(flags: ClusterFlags): Promise<void> {
  await (await import('../cluster/run-cluster.ts')).startCluster(flags);
}

interface BrokerState extends BrokerAt {
  role: 'master' | 'slave';
  version: string | null;
  upMs: number | null;
  /** Messages a second over the last ten seconds. */
  inPerSecond: number | null;
  outPerSecond: number | null;
  /** Used part of the file system, of 1. */
  diskUsed: number | null;
  /** Why it could not be asked. */
  problem: string | null;
}

async function stateOf(servers: Servers, broker: BrokerAt): Promise<BrokerState> {
  const role = broker.id === 0 ? 'master' : 'slave';
  const unknown = { version: null, upMs: null, inPerSecond: null, outPerSecond: null, diskUsed: null };
  try {
    return {
      ...broker,
      role,
      ...figuresFrom(await runtimeInfo(servers, broker.address), now()),
      problem: null,
    };
  } catch (error) {
    return { ...broker, role, ...unknown, problem: error instanceof Error ? error.message : String(error) };
  }
}

async function runtimeInfo(servers: Servers, address: string): Promise<ReadonlyMap<string, string>> {
  const { body } = await servers.ask(address, {
    code: RequestCode.GET_BROKER_RUNTIME_INFO,
    to: 'tell its figures',
  });
  return figuresIn(body);
}

/** The figures of an answer to GET_BROKER_RUNTIME_INFO, by name. */
export function figuresIn(body: Uint8Array | undefined): ReadonlyMap<string, string> {
  return new Map(entriesOf(objectOf(body)['table']).map(([name, value]) => [name, String(value)]));
}

/** Rates are three numbers in one text: over 10 s, a minute, 10 minutes. */
export function figuresFrom(
  table: ReadonlyMap<string, string>,
  at: number,
): Pick<BrokerState, 'version' | 'upMs' | 'inPerSecond' | 'outPerSecond' | 'diskUsed'> {
  const rate = (name: string) => finite(table.get(name)?.trim().split(' ')[0]);
  const started = finite(table.get('bootTimestamp'));
  return {
    version: table.get('brokerVersionDesc') ?? null,
    upMs: started === null ? null : at - started,
    inPerSecond: rate('putTps'),
    outPerSecond: rate('getTransferredTps'),
    diskUsed: finite(table.get('commitLogDiskRatio')),
  };
}

function finite(text: string | undefined): number | null {
  const value = text === undefined || text === '' ? Number.NaN : Number(text);
  return Number.isFinite(value) ? value : null;
}

async function tell(servers: Servers, brokers: readonly BrokerState[]): Promise<void> {
  const where = servers.nameServers.join(', ');
  if (brokers.length === 0) return print(`No broker is registered at ${where}.`);
  const or = (value: number | null, text: (value: number) => string) => (value === null ? '-' : text(value));
  const rows = brokers.map((broker) => [
    broker.cluster,
    broker.name,
    broker.id === 0 ? 'master' : `slave ${broker.id}`,
    broker.address,
    broker.version ?? '-',
    or(broker.upMs, (ms) => spanText(Math.max(1000, ms))),
    or(broker.inPerSecond, (rate) => rate.toFixed(1)),
    or(broker.outPerSecond, (rate) => rate.toFixed(1)),
    or(broker.diskUsed, (part) => `${Math.round(part * 100)} %`),
  ]);
  const columns = ['cluster', 'broker', 'role', 'address', 'version', '#up', '#in/s', '#out/s', '#disk'];
  await print(table(columns, rows));
  await print(`\n${counted(brokers.length, 'broker')} registered at ${where}.`);
}
