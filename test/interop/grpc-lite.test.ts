// Lite topics through RocketMQ's own gRPC proxy 5.5.0, with the push consumer that the official gRPC client
// for Java has for them.

import * as assert from 'uvu/assert';
import { GrpcClients, type Scene, Stage } from './scenarios/grpc-actors.ts';
import { failures, inOrder, subscriptions, successors } from './scenarios/grpc-lite.ts';
import { LITE_CONF } from './scenarios/lite.ts';
import { javaGrpc } from './support/grpc-clients.ts';
import { type GrpcProxy, startGrpcProxy } from './support/grpc-proxy.ts';
import { interopSuite } from './support/suite.ts';
import { type Cluster, startCluster } from './support/target.ts';

let cluster: Cluster;
let proxy: GrpcProxy;
let clients: GrpcClients | undefined;

const test = interopSuite("lite topics through RocketMQ's gRPC proxy", async () => {
  cluster = await startCluster({ conf: LITE_CONF });
  // What is not taken comes again when this is over: the client's request to have it sooner names no lite topic.
  const conf = { defaultInvisibleTimeMills: 6_000, renewAheadTimeMillis: 2_000 };
  proxy = await startGrpcProxy(cluster.nameServer.address, conf);
  return {
    async stop() {
      await proxy.stop();
      await cluster.stop();
    },
  };
});

function scene(): Scene {
  clients ??= new GrpcClients(javaGrpc, proxy);
  return { clients, stage: new Stage(cluster), cluster };
}

test('two lite topics keep their order each, also over messages that fail', () => inOrder(scene()));

test('lite topics are left and taken up again, where they were or at the beginning', () =>
  subscriptions(scene()));

// At the same time, as both wait for what is not taken to come again.
test('messages that fail come again, and a consumer that takes the place of another misses nothing', async () => {
  await Promise.all([failures(scene()), successors(scene())]);
});

test('the program ends', async () => {
  await clients?.end();
  assert.ok(clients);
});

test.run();
