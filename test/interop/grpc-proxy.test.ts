// RocketMQ's own gRPC proxy 5.5.0 in front of the broker, and the official gRPC clients for Java and Node.js behind it:
// all message types, push and simple consumers.

import * as assert from 'uvu/assert';
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
import { delaysAreKept, misfits, transactionsEnd, typesAreStored } from './scenarios/grpc-sending.ts';
import { CHECK_CONF } from './scenarios/transacting.ts';
import { type GrpcKit, javaGrpc, nodeGrpc } from './support/grpc-clients.ts';
import { type GrpcProxy, startGrpcProxy } from './support/grpc-proxy.ts';
import { interopSuite } from './support/suite.ts';
import { type Cluster, startCluster, target } from './support/target.ts';

const CONF = { ...CHECK_CONF, enablePropertyFilter: true, recallMessageEnable: true };

let cluster: Cluster;
let proxy: GrpcProxy;
const clients = new Map<GrpcKit, GrpcClients>();

const test = interopSuite("RocketMQ's gRPC proxy", async () => {
  cluster = await startCluster({ conf: CONF });
  proxy = await startGrpcProxy(cluster.nameServer.address);
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

/** RingMQ does not know pop yet, by which the proxy consumes. */
const scenarios = target === 'rocketmq' ? [...SENDING, ...CONSUMING] : SENDING;

for (const kit of [javaGrpc, nodeGrpc]) {
  for (const [what, run] of scenarios) test(`${kit.name}: ${what}`, () => run(scene(kit)));
}

test('the programs end', async () => {
  for (const one of clients.values()) await one.end();
  assert.is(clients.size, 2);
});

test.run();
