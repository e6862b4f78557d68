// SQL filters of groups go along with a store, both ways: either broker reads the other's consumerFilter.json.

import * as assert from 'uvu/assert';
import { fullRun } from '../support/random.ts';
import { Consumer, createTopic, introduceGroup, Producer } from './scenarios/actors.ts';
import { java55 } from './support/clients.ts';
import { temporaryFolder } from './support/paths.ts';
import { stopEverything } from './support/program.ts';
import { RawConnection } from './support/raw.ts';
import { startRealBroker, startRealNameServer } from './support/real-rocketmq.ts';
import type { Broker, BrokerOptions, NameServer } from './support/servers.ts';
import { interopSuite } from './support/suite.ts';
import { type Cluster, startBroker, target } from './support/target.ts';

const test = interopSuite('hand-over of SQL filters');
const TOPIC = 'filtered';
const GROUP = 'filtered-group';
const SQL = "a BETWEEN 3 AND 9 AND b = 'x'";
const QUERY_CONSUME_QUEUE = 321;

type Start = (nameServer: NameServer, options: BrokerOptions) => Promise<Broker>;

const real: Start = (nameServer, options) => startRealBroker(nameServer.address, options);
const ours: Start = (nameServer, options) => startBroker(nameServer, options);

interface FilterData {
  readonly expression: string;
  readonly expressionType: string;
  /** Ms since 1970. */
  readonly bornTime: number;
  readonly bloomFilterData: { readonly bitNum: number; readonly bitPos: readonly number[] };
}

/** What the broker knows of the group's filter, which both tell only while a consumer is online. */
async function filterWhileOnline(cluster: Cluster): Promise<FilterData> {
  const consumer = new Consumer(java55, cluster, { topic: TOPIC, group: GROUP, sql: SQL });
  await consumer.holds(4);
  const raw = await RawConnection.open(cluster.broker.address);
  const ext = { topic: TOPIC, queueId: 0, index: 0, count: 1, consumerGroup: GROUP };
  const { code, remark, body } = await raw.request({ code: QUERY_CONSUME_QUEUE, ext });
  assert.is(code, 0, remark);
  raw.end();
  await consumer.stop();
  return JSON.parse((JSON.parse(body.toString()) as { filterData: string }).filterData) as FilterData;
}

async function handOver(first: Start, second: Start): Promise<void> {
  const nameServer = await startRealNameServer();
  const options = { store: temporaryFolder('handover-filters'), conf: { enablePropertyFilter: true } };
  const writer = await first(nameServer, options);
  const clusterOf = (broker: Broker): Cluster => ({ nameServer, broker, stop: () => broker.stop() });
  await createTopic(java55, clusterOf(writer), TOPIC);
  await introduceGroup(java55, clusterOf(writer), TOPIC, GROUP);
  // RocketMQ tells nothing of a queue without messages.
  await new Producer(java55, clusterOf(writer), { topic: TOPIC, count: 40, prefix: 'f' }).finish();
  const written = await filterWhileOnline(clusterOf(writer));
  await writer.stop();
  const reader = await second(nameServer, { ...options, port: writer.port });
  const read = await filterWhileOnline(clusterOf(reader));
  // A broker that has not understood the file would have met the filter for the first time now.
  for (const key of ['expression', 'expressionType', 'bornTime', 'bloomFilterData'] as const)
    assert.equal(read[key], written[key], key);
  assert.is(read.expression, SQL);
  assert.ok(read.bornTime > 0 && read.bloomFilterData.bitPos.length > 0, JSON.stringify(read));
  if (second !== real) await reader.stop();
  await stopEverything();
}

if (target === 'rocketmq') {
  test('real to real', () => handOver(real, real));
} else {
  // Real brokers take long to start and stop: one way is enough for every run.
  if (fullRun) test('what RingMQ wrote, a real broker goes on with', () => handOver(ours, real));
  test('what a real broker wrote, RingMQ goes on with', () => handOver(real, ours));
}
test.run();
