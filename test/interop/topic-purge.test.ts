// A topic is purged by `ringmq topic purge`, and the real Java client and mqadmin see it so, also after the broker has
// been away. RocketMQ cannot purge: there the command says so, and its messages stay.

import * as assert from 'uvu/assert';
import { Consumer, Producer } from './scenarios/actors.ts';
import { CLEAN_STOP, type Departure, DepartureStage, KILL } from './scenarios/departures.ts';
import { java55 } from './support/clients.ts';
import { CommandLine } from './support/command-line.ts';
import { Ledger } from './support/ledger.ts';
import { MqAdmin } from './support/mqadmin.ts';
import { interopSuite } from './support/suite.ts';
import { target } from './support/target.ts';

const test = interopSuite('purge of a topic');
const TOPIC = 'purged';
const OLD = 100;
const NEW = 10;
/** A Java client whose offset has moved lets go of the queue for 10 s, and takes it up with its next rebalance. */
const PATIENCE = 90_000;

class Tool extends MqAdmin {
  readonly #broker: string;

  constructor({ nameServer, broker }: DepartureStage) {
    super(nameServer.address);
    this.#broker = broker.name;
  }

  /** First offset and end of each queue, as `topicStatus` prints them. */
  async ranges(): Promise<[number, number][]> {
    const rows = (await this.run('topicStatus', '-t', TOPIC)).matchAll(
      new RegExp(`^${this.#broker}\\s+\\d+\\s+(\\d+)\\s+(\\d+)`, 'gm'),
    );
    return [...rows].map(([, min, max]) => [Number(min), Number(max)]);
  }
}

const sum = (numbers: readonly number[]) => numbers.reduce((total, number) => total + number, 0);

async function send(stage: DepartureStage, prefix: string, count: number, ledger: Ledger) {
  return new Producer(java55, stage, { topic: TOPIC, prefix, count }, ledger).finish();
}

/** The group gets all of the ledger, each message once, and nothing else. */
async function getsOnly(stage: DepartureStage, group: string, expected: Ledger): Promise<void> {
  const got = new Ledger();
  for (const key of expected.sent) got.send(key);
  const consumer = new Consumer(java55, stage, { topic: TOPIC, group }, got);
  await consumer.receives(got, PATIENCE);
  await consumer.stop();
  got.exactlyOnce();
}

async function purgedAcross(departure: Departure): Promise<void> {
  const stage = await DepartureStage.open(departure);
  const ringmq = new CommandLine(stage);
  await ringmq.topic(TOPIC, '--queues', '2');
  const before = new Ledger();
  const [first] = await send(stage, 'old', OLD / 2, before);
  await getsOnly(stage, 'early', before);
  await send(stage, 'older', OLD / 2, before);
  const tool = new Tool(stage);
  assert.equal([sum((await tool.ranges()).map(([, max]) => max)), (await tool.ranges())[0]?.[0]], [OLD, 0]);
  const byKey = () => tool.run('queryMsgByKey', '-t', TOPIC, '-k', 'old-0');
  const byId = () => tool.run('queryMsgById', '-t', TOPIC, '-i', first?.offsetMsgId ?? '');
  assert.match(await byKey(), new RegExp(first?.msgId ?? 'none'));
  assert.match(await byId(), /old-0/);

  assert.match(await ringmq.does(['topic', 'purge', TOPIC, '--yes']), /^Purged purged: 100 messages\.$/m);
  const purged = await tool.ranges();
  for (const [min, max] of purged) assert.is(min, max);
  assert.is(sum(purged.map(([min]) => min)), OLD);
  assert.not.match(await byKey(), new RegExp(first?.msgId ?? 'none'));
  assert.not.match(await byId(), /old-0/);

  const after = new Ledger();
  await send(stage, 'new', NEW, after);
  await getsOnly(stage, 'fresh', after);
  await getsOnly(stage, 'early', after);

  await stage.restart();
  const reopened = await tool.ranges();
  assert.equal(
    reopened.map(([min]) => min),
    purged.map(([min]) => min),
  );
  assert.is(sum(reopened.map(([, max]) => max)), OLD + NEW);
  await getsOnly(stage, 'fresh-again', after);
  await tool.end();
  await stage.stop();
}

if (target === 'ringmq') {
  for (const departure of [CLEAN_STOP, KILL]) {
    test(`a purged topic has only what is sent afterwards, also after ${departure.name}`, () =>
      purgedAcross(departure));
  }
} else {
  test('a broker that cannot purge keeps its messages, and the command says so', async () => {
    const stage = await DepartureStage.open(CLEAN_STOP);
    const ringmq = new CommandLine(stage);
    await ringmq.topic(TOPIC, '--queues', '2');
    await send(stage, 'old', NEW, new Ledger());
    await ringmq.fails(['topic', 'purge', TOPIC], 2, /cannot purge, as RocketMQ's protocol has no request/);
    assert.match(await ringmq.does(['topic', 'purge', TOPIC, '--yes']), /^Not purged on Broker /m);
    const tool = new Tool(stage);
    for (const [min] of await tool.ranges()) assert.is(min, 0);
    await tool.end();
    await stage.stop();
  });
}

test.run();
