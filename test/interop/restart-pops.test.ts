// The broker goes away, cleanly or by kill -9, while messages are popped, and comes back on its store: what is
// acknowledged stays away, what is not comes again and not before its time, queues in order stay in order.

import * as assert from 'uvu/assert';
import { fullRun } from '../support/random.ts';
import { Consumer, createTopic, Producer } from './scenarios/actors.ts';
import { CLEAN_STOP, type Departure, DepartureStage, KILL } from './scenarios/departures.ts';
import {
  bodies,
  makeGroup,
  makeTopic,
  numbered,
  popUntil,
  put,
  REVIVED_WITHIN,
} from './scenarios/popping.ts';
import { java55 } from './support/clients.ts';
import { Ledger } from './support/ledger.ts';
import { type PoppedMessage, Popper } from './support/pops.ts';
import { interopSuite } from './support/suite.ts';
import { target } from './support/target.ts';

const test = interopSuite('restart with what is popped');
const PATIENCE = 90_000;
/** Longer than a broker is away: the real one takes 15 s to go and as long to come. */
const INVISIBLE = target === 'rocketmq' ? 75_000 : 40_000;

const DEPARTURES: readonly Departure[] = [CLEAN_STOP, KILL];

/** The real broker saves now and then how far a group has popped, and pops again what came after that. */
const maySeeTwice = ({ name }: Departure) => target === 'rocketmq' && name === KILL.name;

async function poppedAcross(departure: Departure): Promise<void> {
  const stage = await DepartureStage.open(departure);
  const topic = 'popped-across';
  const group = 'across';
  let popper = await Popper.open(stage.broker, group);
  await makeTopic(popper.connection, topic, 1);
  await makeGroup(popper.connection, group);
  await put(popper.connection, topic, numbered('m', 20));
  const popTime = Date.now();
  const { messages } = await popper.pop(topic, { maxMsgNums: 12, invisibleTime: INVISIBLE });
  const at = (index: number) => messages[index] as PoppedMessage;
  for (const index of [0, 3, 5]) assert.is((await popper.ack(at(index))).code, 0);
  assert.is((await popper.batchAck({ messages: [at(6), at(7)] })).code, 0);
  const longer = await popper.change(at(1), INVISIBLE + 5_000);
  assert.is(longer.code, 0);
  popper.close();

  await stage.restart();
  popper = await Popper.open(stage.broker, group);
  const open = ['m-1', 'm-2', 'm-4', 'm-8', 'm-9', 'm-10', 'm-11'];
  const rest: PoppedMessage[] = [];
  while (rest.length < 8) rest.push(...(await popper.pop(topic, { pollTime: 2_000 })).messages);
  if (!maySeeTwice(departure)) assert.equal(bodies(rest), numbered('m', 20).slice(12));
  for (const message of rest) await popper.ack(message);
  assert.ok(
    Date.now() < popTime + INVISIBLE,
    'the restart has taken longer than what is popped is invisible',
  );
  // Handles of before still hold.
  assert.is((await popper.ack(at(2))).code, 0);
  assert.is((await popper.ack({ ...at(1), handle: longer.handle })).code, 0);
  const expected = open.filter((body) => body !== 'm-2' && body !== 'm-1');
  const again = new Map<string, number>();
  const until = popTime + INVISIBLE + REVIVED_WITHIN;
  while (again.size < expected.length && Date.now() < until) {
    const answer = await popper.pop(topic, { pollTime: 1_000 });
    for (const message of answer.messages) {
      const body = message.body.toString();
      if (!maySeeTwice(departure)) {
        assert.ok(Date.now() >= popTime + INVISIBLE, `${body} before its time`);
        assert.not.ok(again.has(body), `${body} twice`);
        assert.is(message.reconsumeTimes, 1);
      }
      again.set(body, message.reconsumeTimes);
      assert.is((await popper.ack(message)).code, 0);
    }
  }
  if (maySeeTwice(departure)) for (const body of expected) assert.ok(again.has(body), body);
  else assert.equal([...again.keys()].sort(), expected.sort());
  if (!maySeeTwice(departure))
    assert.equal(bodies((await popper.pop(topic, { pollTime: 5_000 })).messages), []);
  popper.close();
  await stage.stop();
}

async function inOrderAcross(departure: Departure): Promise<void> {
  const stage = await DepartureStage.open(departure);
  const topic = 'in-order-across';
  const group = 'orderly-across';
  let popper = await Popper.open(stage.broker, group);
  await makeTopic(popper.connection, topic, 1);
  await makeGroup(popper.connection, group, { consumeMessageOrderly: true });
  await put(popper.connection, topic, numbered('m', 6));
  const ordered = { order: 'true', maxMsgNums: 3, invisibleTime: INVISIBLE };
  const popTime = Date.now();
  const { messages } = await popper.pop(topic, ordered);
  assert.equal(bodies(messages), numbered('m', 3));
  assert.is((await popper.ack(messages[0] as PoppedMessage)).code, 0);
  popper.close();

  await stage.restart();
  popper = await Popper.open(stage.broker, group);
  const blocked = await popper.pop(topic, ordered);
  assert.ok(
    Date.now() < popTime + INVISIBLE,
    'the restart has taken longer than what is popped is invisible',
  );
  if (maySeeTwice(departure)) return stage.stop();
  assert.equal(bodies(blocked.messages), [], 'the queue still waits');
  const again = await popUntil(popper, topic, 'm-1', ordered, INVISIBLE + REVIVED_WITHIN);
  assert.is(again.queueOffset, 1);
  assert.ok(Date.now() >= popTime + INVISIBLE);
  popper.close();
  await stage.stop();
}

/** Members pop under traffic while the broker goes and comes back. */
async function consumedAcross(departure: Departure): Promise<void> {
  const stage = await DepartureStage.open(departure);
  const topic = 'consumed-across';
  const connection = await Popper.open(stage.broker, 'any');
  await makeTopic(connection.connection, topic, 4);
  await makeGroup(connection.connection, `${topic}-group`);
  const body = { topic, consumerGroup: `${topic}-group`, mode: 'POP', popShareQueueNum: 0 };
  const set = { code: 401, body: Buffer.from(JSON.stringify(body)) };
  assert.is((await connection.connection.request(set)).code, 0);
  connection.close();
  await createTopic(java55, stage, topic);
  const ledger = new Ledger();
  const args = { topic, group: `${topic}-group`, 'broker-assigns': true, 'pop-invisible': 10_000 };
  const consumers = ['one', 'two'].map(
    (instance) => new Consumer(java55, stage, { ...args, instance }, ledger),
  );
  await Promise.all(consumers.map((consumer) => consumer.holds(1)));
  const traffic = { topic, 'until-stop': true, rate: 500, prefix: 'a', timeout: 1_000 };
  const producer = new Producer(java55, stage, traffic, ledger);
  const acked = (count: number) => () => (producer.acked.length >= count ? true : undefined);
  await producer.program.waitFor('1,000 acknowledged', acked(1_000), 30_000);
  await stage.restart();
  const survived = producer.acked.length;
  await producer.program.waitFor('sends after the restart', acked(survived + 300), PATIENCE);
  assert.is(await producer.program.stop(), 0);
  await Promise.any(consumers.map((consumer) => consumer.receives(ledger, PATIENCE)));
  for (const consumer of consumers) await consumer.stop();
  ledger.noneLost(); // a send that failed in the middle may have arrived
  await stage.stop();
}

// A kill is the harder one: the other is for the full run.
for (const departure of fullRun ? DEPARTURES : DEPARTURES.slice(1)) {
  test(`popped messages, ${departure.name}`, () => poppedAcross(departure));
  test(`popped in order, ${departure.name}`, () => inOrderAcross(departure));
  if (fullRun) test(`popped by Java consumers, ${departure.name}`, () => consumedAcross(departure));
}

test.run();
