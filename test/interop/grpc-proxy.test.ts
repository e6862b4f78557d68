// RocketMQ's own gRPC proxy 5.5.0 in front of the broker, and the official gRPC clients for Java and Node.js behind it:
// all message types, push and simple consumers.

import * as assert from 'uvu/assert';
import { fullRun } from '../support/random.ts';
import {
  deadLetters,
  delay,
  fifo,
  fifoOneByOne,
  filters,
  invisible,
  normal,
  priority,
  transactions,
} from './scenarios/grpc.ts';
import { GrpcClients, type Scene, Stage } from './scenarios/grpc-actors.ts';
import { bothProtocols, type Company, renewal, sharing, vanishing } from './scenarios/grpc-members.ts';
import { delaysAreKept, misfits, transactionsEnd, typesAreStored } from './scenarios/grpc-sending.ts';
import { CHECK_CONF } from './scenarios/transacting.ts';
import { type GrpcKit, javaGrpc, nodeGrpc } from './support/grpc-clients.ts';
import { type GrpcProxy, startGrpcProxy } from './support/grpc-proxy.ts';
import { interopSuite } from './support/suite.ts';
import { type Cluster, startCluster } from './support/target.ts';

const CONF = { ...CHECK_CONF, enablePropertyFilter: true, recallMessageEnable: true };

let cluster: Cluster;
let proxy: GrpcProxy;
const clients = new Map<GrpcKit, GrpcClients>();

const test = interopSuite("RocketMQ's gRPC proxy", async () => {
  cluster = await startCluster({ conf: CONF });
  // Clients say every 10 s that they live, and a killed one is missed the sooner. Not where it need not be: a
  // client that was forgotten on a busy machine gets errors from then on.
  proxy = await startGrpcProxy(cluster.nameServer.address, fullRun ? { channelExpiredTimeout: 25_000 } : {});
  return {
    async stop() {
      await proxy.stop();
      await cluster.stop();
    },
  };
});

function scene(kit: GrpcKit): Scene {
  const one = clients.get(kit) ?? new GrpcClients(kit, proxy);
  clients.set(kit, one);
  return { clients: one, stage: new Stage(cluster), cluster };
}

type Scenario = readonly [what: string, run: (scene: Scene) => Promise<void>];

const SENDING: readonly Scenario[] = [
  ['messages of all types are stored as their type wants it', typesAreStored],
  ['delayed messages come at their time, recalled ones never', delaysAreKept],
  ['transactions are ended, and asked for where they are left', transactionsEnd],
  ['messages that do not fit their topic are refused', misfits],
];

const CONSUMING: readonly Scenario[] = [
  ['push and simple consumers get every message once, and whole', normal],
  ['message groups keep their order, also over messages that fail', fifo],
  ['a simple consumer of message groups gets one after the other', fifoOneByOne],
  ['delayed messages are consumed', delay],
  ['messages of transactions are consumed', transactions],
  ['messages with priorities are consumed', priority],
  ['what is not acknowledged comes again, at the time that was asked for', invisible],
  ['tags and SQL expressions', filters],
  ['messages that always fail end in the dead-letter queue', deadLetters],
];

/** Rarer ones, for the full run. */
const company = (): Company => ({ cluster, proxy, join: (kit) => new GrpcClients(kit, proxy) });
const KITS = [javaGrpc, nodeGrpc];
const MEMBERS: readonly (readonly [what: string, run: () => Promise<void>])[] = [
  ['members of both clients share the messages of a group', () => sharing(company(), KITS)],
  ['a message that takes long stays with who has it', () => renewal(company(), KITS)],
  ...KITS.flatMap((kit): [string, () => Promise<void>][] => [
    [`${kit.name}: what a killed member held goes to another`, () => vanishing(company(), kit)],
    [`${kit.name} and clients of the broker read each other's messages`, () => bothProtocols(company(), kit)],
  ]),
];

const scenarios = [...SENDING, ...CONSUMING];

/** At the same time, as both clients mostly wait. */
async function both(run: (scene: Scene) => Promise<void>): Promise<void> {
  const ends = await Promise.allSettled(KITS.map((kit) => run(scene(kit))));
  for (const [index, end] of ends.entries()) {
    if (end.status === 'fulfilled') continue;
    if (end.reason instanceof Error) end.reason.message = `${KITS[index]?.name}: ${end.reason.message}`;
    throw end.reason;
  }
}

for (const [what, run] of scenarios) test(what, () => both(run));

if (fullRun) for (const [what, run] of MEMBERS) test(what, run);

test('the programs end', async () => {
  for (const one of clients.values()) await one.end();
  assert.is(clients.size, 2);
});

test.run();
