// A store with lite topics goes from one broker to the other: their queues, numbers and the offsets of their groups.
// With INTEROP_TARGET=rocketmq both are real ones, which checks the test itself.

import * as assert from 'uvu/assert';
import { fullRun } from '../support/random.ts';
import {
  acked,
  added,
  bodiesOf,
  consumed,
  makeLiteGroup,
  makeParent,
  nothingComes,
  placesIn,
  putLite,
} from './scenarios/lite.ts';
import { numbered } from './scenarios/popping.ts';
import { LiteClient } from './support/lite.ts';
import { temporaryFolder } from './support/paths.ts';
import { stopEverything } from './support/program.ts';
import { startRealBroker, startRealNameServer } from './support/real-rocketmq.ts';
import { startRingBroker } from './support/ringmq.ts';
import type { Broker } from './support/servers.ts';
import { interopSuite } from './support/suite.ts';
import { target } from './support/target.ts';

const test = interopSuite('hand-over of lite topics');
const TOPIC = 'handed-over-parent';
const GROUP = 'handed-over-lites';
/** RocketMQ needs them; RingMQ takes no notice. */
const CONF = { enableLmq: true, enableMultiDispatch: true };

type Start = typeof startRealBroker;

const open = (broker: Broker) => LiteClient.open(broker, { topic: TOPIC, group: GROUP });

async function fill(broker: Broker): Promise<void> {
  const client = await open(broker);
  await makeParent(client.connection, TOPIC, 2);
  await makeLiteGroup(client.connection, GROUP, TOPIC);
  await added(client, 'a', 'b', 'c');
  await putLite(client, 'a', numbered('a', 4));
  const { messages } = await client.next({ maxMsgNum: 2 });
  assert.equal(bodiesOf({ messages }), ['a-0', 'a-1']);
  await acked(client, ...messages);
  await putLite(client, 'b', numbered('b', 2), 1);
  client.close();
}

async function check(broker: Broker): Promise<void> {
  const client = await open(broker);
  await putLite(client, 'a', ['a-4'], 1);
  await putLite(client, 'c', ['c-0']);
  await added(client, 'a', 'b', 'c');
  const bodies = await consumed(client, 6);
  for (const [lite, wanted] of Object.entries({ a: ['a-2', 'a-3', 'a-4'], b: ['b-0', 'b-1'], c: ['c-0'] }))
    assert.equal(
      bodies.filter((body) => body.startsWith(lite)),
      wanted,
    );
  await nothingComes(client);
  const places = await placesIn(client.connection, TOPIC, 2);
  assert.equal((places.get('a') ?? []).map(({ place }) => place).sort(), [0, 1, 2, 3, 4]);
  client.close();
}

async function handOver(from: Start, to: Start): Promise<void> {
  const nameServer = await startRealNameServer();
  const store = temporaryFolder('handover-lite');
  const first = await from(nameServer.address, { store, conf: CONF });
  await fill(first);
  await first.stop();
  const second = await to(nameServer.address, { store, port: first.port, conf: CONF });
  await check(second);
  await stopEverything();
}

if (target === 'rocketmq') {
  test('from a real broker to a real broker', () => handOver(startRealBroker, startRealBroker));
} else {
  test('from RocketMQ to RingMQ', () => handOver(startRealBroker, startRingBroker));
  // Real brokers take long to start and stop: one way is enough for every run.
  if (fullRun) test('from RingMQ to RocketMQ', () => handOver(startRingBroker, startRealBroker));
}

test.run();
