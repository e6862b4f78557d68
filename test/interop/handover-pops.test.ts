// A store in which messages are popped goes from one broker to the other: what is acknowledged stays away, what is open
// comes again when its time is over, handles still hold, queues in order still wait. With INTEROP_TARGET=rocketmq both
// are real ones, which checks the test itself.

import * as assert from 'uvu/assert';
import { fullRun } from '../support/random.ts';
import { bodies, makeGroup, makeTopic, numbered, put, REVIVED_WITHIN } from './scenarios/popping.ts';
import { temporaryFolder } from './support/paths.ts';
import { type PoppedMessage, Popper } from './support/pops.ts';
import { stopEverything } from './support/program.ts';
import { startRealBroker, startRealNameServer } from './support/real-rocketmq.ts';
import { startRingBroker } from './support/ringmq.ts';
import type { Broker } from './support/servers.ts';
import { interopSuite } from './support/suite.ts';
import { target } from './support/target.ts';

const test = interopSuite('hand-over of pops');
const TOPIC = 'handed-over-pops';
const ORDERED = 'handed-over-orders';
const GROUP = 'handed-over-poppers';
/** Longer than a real broker takes to stop and another to start. */
const INVISIBLE = target === 'rocketmq' ? 75_000 : 50_000;

type Start = typeof startRealBroker;

interface Open {
  readonly popTime: number;
  readonly messages: readonly PoppedMessage[];
  readonly longer: PoppedMessage;
  readonly retried: PoppedMessage;
  readonly ordered: readonly PoppedMessage[];
}

async function fill(broker: Broker): Promise<Open> {
  const popper = await Popper.open(broker, GROUP);
  const { connection } = popper;
  for (const topic of [TOPIC, ORDERED]) await makeTopic(connection, topic, 1);
  await makeGroup(connection, GROUP);
  await put(connection, TOPIC, ['again']);
  await put(connection, ORDERED, numbered('o', 5));
  // One is in the retry topic, popped from there, and open.
  const first = await popper.pop(TOPIC, { invisibleTime: INVISIBLE });
  await popper.change(first.messages[0] as PoppedMessage, 1_000);
  let retried: PoppedMessage | undefined;
  for (const end = Date.now() + REVIVED_WITHIN; retried === undefined && Date.now() < end; )
    [retried] = (await popper.pop(TOPIC, { pollTime: 2_000, invisibleTime: INVISIBLE })).messages;
  assert.ok(retried, 'a retried one');
  await put(connection, TOPIC, numbered('m', 12));
  const popTime = Date.now();
  const { messages } = await popper.pop(TOPIC, { maxMsgNums: 8, invisibleTime: INVISIBLE });
  const at = (index: number) => messages[index] as PoppedMessage;
  assert.is((await popper.ack(at(0))).code, 0);
  assert.is((await popper.batchAck({ messages: [at(2), at(3)] })).code, 0);
  const { code, handle } = await popper.change(at(4), INVISIBLE);
  assert.is(code, 0);
  const ordered = await popper.pop(ORDERED, { order: 'true', maxMsgNums: 3, invisibleTime: INVISIBLE });
  assert.is((await popper.ack(ordered.messages[0] as PoppedMessage)).code, 0);
  popper.close();
  return { popTime, messages, longer: { ...at(4), handle }, retried, ordered: ordered.messages };
}

async function check(broker: Broker, open: Open): Promise<void> {
  const popper = await Popper.open(broker, GROUP);
  const { popTime, messages } = open;
  const fresh = await popper.pop(TOPIC, { pollTime: 5_000 });
  assert.ok(Date.now() < popTime + INVISIBLE, 'the change of hands has taken too long');
  assert.equal(bodies(fresh.messages), numbered('m', 12).slice(8), 'what nobody has popped yet');
  for (const message of fresh.messages) assert.is((await popper.ack(message)).code, 0);
  // The queue in order waits for the two that are open, whose handles still hold.
  assert.equal(bodies((await popper.pop(ORDERED, { order: 'true' })).messages), []);
  for (const message of open.ordered.slice(1)) assert.is((await popper.ack(message)).code, 0);
  assert.equal(bodies((await popper.pop(ORDERED, { order: 'true' })).messages), ['o-3', 'o-4']);
  assert.is((await popper.ack(messages[1] as PoppedMessage)).code, 0);
  assert.is((await popper.ack(open.longer)).code, 0);

  const again = new Map<string, number>();
  const until = popTime + INVISIBLE + REVIVED_WITHIN + 10_000;
  while (again.size < 4 && Date.now() < until) {
    for (const message of (await popper.pop(TOPIC, { pollTime: 2_000 })).messages) {
      assert.not.ok(again.has(message.body.toString()), `${message.body} twice`);
      again.set(message.body.toString(), message.reconsumeTimes);
      assert.is((await popper.ack(message)).code, 0);
    }
  }
  assert.equal([...again].sort(), [
    ['again', 2],
    ['m-5', 1],
    ['m-6', 1],
    ['m-7', 1],
  ]);
  assert.equal(bodies((await popper.pop(TOPIC, { pollTime: 5_000 })).messages), []);
  popper.close();
}

async function handOver(from: Start, to: Start): Promise<void> {
  const nameServer = await startRealNameServer();
  const store = temporaryFolder('handover-pops');
  const first = await from(nameServer.address, { store });
  const open = await fill(first);
  await first.stop();
  const second = await to(nameServer.address, { store, port: first.port });
  await check(second, open);
  await stopEverything();
}

if (target === 'rocketmq') {
  test('from a real broker to a real broker', () => handOver(startRealBroker, startRealBroker));
} else {
  test('from RocketMQ to RingMQ', () => handOver(startRealBroker, startRingBroker));
  // Two minutes each: one way is enough for every run.
  if (fullRun) test('from RingMQ to RocketMQ', () => handOver(startRingBroker, startRealBroker));
}

test.run();
