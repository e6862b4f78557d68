/**
 * The layouts of RocketMQ's guides as servers of one machine: which there are, where each listens, and its
 * configuration file. Pure; the files have the names that RocketMQ gives them, and its own brokers take them too.
 */
import { join } from 'node:path';
import { integer } from '../../config/key.ts';
import { nameByPrefix, nearestName } from '../../lib/nearest.ts';
import { UserError } from '../../lib/user-error.ts';
import { formatAddress } from '../../remoting/address.ts';
import type { BrokerRole } from '../../replication/options.ts';

interface Layout {
  masters: readonly string[];
  masterRole: BrokerRole;
  /** Whether each master has a slave. */
  slaves: boolean;
}

const LAYOUTS = {
  single: { masters: ['broker-a'], masterRole: 'ASYNC_MASTER', slaves: false },
  '2m': { masters: ['broker-a', 'broker-b'], masterRole: 'ASYNC_MASTER', slaves: false },
  '2m-2s-async': { masters: ['broker-a', 'broker-b'], masterRole: 'ASYNC_MASTER', slaves: true },
  '2m-2s-sync': { masters: ['broker-a', 'broker-b'], masterRole: 'SYNC_MASTER', slaves: true },
} as const satisfies Readonly<Record<string, Layout>>;

export type LayoutName = keyof typeof LAYOUTS;
export const LAYOUT_NAMES = Object.keys(LAYOUTS) as LayoutName[];

const HOST = '127.0.0.1';
const NAME_SERVER_PORT = 9876;
const FIRST_BROKER_PORT = 10_911;
/** From one server's port to the next one's: a broker uses its port, the second one below it and the one above. */
const STEP = 10;
/** The ports of four brokers fit above it. */
const LAST_BASE_PORT = 65_000;

/** Keys by which the servers of a layout find each other: a file that is there already must have the same. */
export const FIXED_KEYS: ReadonlySet<string> = new Set([
  'listenPort',
  'bindAddress',
  'brokerClusterName',
  'brokerName',
  'brokerId',
  'brokerRole',
  'haListenPort',
  'brokerIP1',
  'namesrvAddr',
  'storePathRootDir',
  'storePathCommitLog',
]);

export interface PlannedServer {
  /** `namesrv`, `broker-a`, `broker-a-s`. */
  readonly name: string;
  readonly kind: 'name server' | 'master' | 'slave';
  /** Where clients go. */
  readonly address: string;
  /** All that it listens on. */
  readonly ports: readonly number[];
  /** Path of its configuration. */
  readonly file: string;
  readonly keys: ReadonlyMap<string, string>;
}

export interface ClusterPlan {
  readonly layout: LayoutName;
  readonly directory: string;
  /** The name server first, then each master with its slave behind it. */
  readonly servers: readonly PlannedServer[];
}

/** The layout of that name; throws a UserError with the nearest one. */
export function layoutNamed(given: string | undefined): LayoutName {
  const found = LAYOUT_NAMES.find((name) => name === given?.toLowerCase());
  if (found !== undefined) return found;
  const all = LAYOUT_NAMES.join(', ');
  if (given === undefined) throw new UserError(`Which layout? Give --layout: ${all}.`);
  const near = nearestName(given, LAYOUT_NAMES) ?? nameByPrefix(given, LAYOUT_NAMES);
  const hint = near === undefined ? `give ${all}.` : `did you mean ${near}? There are ${all}.`;
  throw new UserError(`--layout ${given} is not possible: ${hint}`);
}

/** The port of the name server, above which the brokers are; undefined = RocketMQ's own ports. */
export function basePortFrom(given: string | undefined): number | undefined {
  if (given === undefined) return undefined;
  const { parse, allowed } = integer(1, LAST_BASE_PORT);
  const port = parse(given);
  if (typeof port === 'number') return port;
  throw new UserError(`--base-port ${given} is not possible: give ${allowed}.`);
}

/** `directory`: absolute. */
export function clusterPlan(layout: LayoutName, directory: string, basePort?: number): ClusterPlan {
  const { masters, masterRole, slaves }: Layout = LAYOUTS[layout];
  const nameServerPort = basePort ?? NAME_SERVER_PORT;
  const firstPort = basePort === undefined ? FIRST_BROKER_PORT : basePort + STEP;
  const nameServer = nameServerOf(directory, nameServerPort);
  const members = masters.flatMap((brokerName): Member[] => {
    const master: Member = { brokerName, brokerId: 0, role: masterRole };
    return slaves ? [master, { brokerName, brokerId: 1, role: 'SLAVE' }] : [master];
  });
  const brokers = members.map((member, index) =>
    brokerOf(member, directory, firstPort + index * STEP, nameServer.address),
  );
  return { layout, directory, servers: [nameServer, ...brokers] };
}

function nameServerOf(directory: string, port: number): PlannedServer {
  return {
    name: 'namesrv',
    kind: 'name server',
    address: formatAddress(HOST, port),
    ports: [port],
    file: join(directory, 'namesrv.properties'),
    keys: new Map([
      ['listenPort', String(port)],
      ['bindAddress', HOST],
      ['kvConfigPath', join(directory, 'kvConfig.json')],
    ]),
  };
}

interface Member {
  brokerName: string;
  brokerId: number;
  role: BrokerRole;
}

function brokerOf(
  { brokerName, brokerId, role }: Member,
  directory: string,
  port: number,
  nameServer: string,
): PlannedServer {
  const isSlave = role === 'SLAVE';
  const name = isSlave ? `${brokerName}-s` : brokerName;
  const store = join(directory, 'store', name);
  const keys = new Map([
    ['brokerClusterName', 'DefaultCluster'],
    ['brokerName', brokerName],
    ['brokerId', String(brokerId)],
    ['brokerRole', role],
  ]);
  // RocketMQ's default of 1 waits for nobody.
  if (role === 'SYNC_MASTER') keys.set('inSyncReplicas', '2');
  // RocketMQ's default is false.
  if (isSlave) keys.set('slaveReadEnable', 'true');
  keys.set('flushDiskType', 'ASYNC_FLUSH');
  keys.set('listenPort', String(port));
  keys.set('haListenPort', String(port + 1));
  keys.set('brokerIP1', HOST);
  keys.set('namesrvAddr', nameServer);
  keys.set('storePathRootDir', store);
  // RocketMQ's is ~/store/commitlog, whatever storePathRootDir says.
  keys.set('storePathCommitLog', join(store, 'commitlog'));
  return {
    name,
    kind: isSlave ? 'slave' : 'master',
    address: formatAddress(HOST, port),
    ports: [port, port - 2, port + 1],
    file: join(directory, `${name}.properties`),
    keys,
  };
}
