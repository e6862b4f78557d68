// The broker goes away, cleanly or by kill -9, while half messages are open and timed messages wait, and comes back on
// its store: nothing acknowledged is lost, what was rolled back or recalled stays so.

import { setTimeout as sleep } from 'node:timers/promises';
import * as assert from 'uvu/assert';
import { Consumer, createTopic, type Delivered } from './scenarios/actors.ts';
import { notEarly, type TimedSent, Timer } from './scenarios/timers.ts';
import { CHECK_CONF, settled, Transactor } from './scenarios/transacting.ts';
import { java55 } from './support/clients.ts';
import { Ledger } from './support/ledger.ts';
import { stopEverything } from './support/program.ts';
import type { Broker, Conf, NameServer } from './support/servers.ts';
import { interopSuite } from './support/suite.ts';
import { type Cluster, startBroker, startNameServer } from './support/target.ts';

const test = interopSuite('restart with what is not yet due');
/** The real broker counts the checks of its last seconds, when its clients are gone already, and of its first ones. */
const conf = { ...CHECK_CONF, transactionCheckMax: 100, recallMessageEnable: true };
/** Longer than an op batch: the ends of transactions are in the log. */
const WRITTEN = 1_500;

interface Departure {
  readonly name: string;
  readonly flushDiskType: string;
  leave(broker: Broker): Promise<void>;
}

const CLEAN: Departure = {
  name: 'a clean stop',
  flushDiskType: 'ASYNC_FLUSH',
  leave: (broker) => broker.stop(),
};
const KILL: Departure = { name: 'kill -9', flushDiskType: 'SYNC_FLUSH', leave: (broker) => broker.kill() };

class Stage implements Cluster {
  readonly nameServer: NameServer;
  readonly #conf: Conf;
  broker: Broker;

  private constructor(nameServer: NameServer, broker: Broker, settings: Conf) {
    this.nameServer = nameServer;
    this.broker = broker;
    this.#conf = settings;
  }

  static async open(flushDiskType: string): Promise<Stage> {
    const nameServer = await startNameServer();
    const settings = { ...conf, flushDiskType };
    return new Stage(nameServer, await startBroker(nameServer, { conf: settings }), settings);
  }

  async reopen(): Promise<void> {
    const { port, store } = this.broker;
    this.broker = await startBroker(this.nameServer, { port, store, conf: this.#conf });
  }

  async stop(): Promise<void> {
    await stopEverything();
  }
}

/** A reader that nobody disturbed: what it gets is what lies in the topic. */
async function read(stage: Stage, topic: string, ledger: Ledger): Promise<readonly Delivered[]> {
  const reader = new Consumer(java55, stage, { topic, group: `${topic}-reader` }, ledger);
  await reader.receives(ledger);
  await settled(stage.broker);
  await sleep(WRITTEN); // what came twice has come by now
  await reader.stop();
  return reader.delivered;
}

async function transactionsAcross(departure: Departure, wait: number): Promise<Ledger> {
  const stage = await Stage.open(departure.flushDiskType);
  const topic = 'open-transactions';
  const group = 'open-transactions-producer';
  await createTopic(java55, stage, topic);
  const ledger = new Ledger();
  ledger.send(`first-of-${topic}-0`);
  const before = new Transactor(java55, stage, { group });
  for (let number = 0; number < 5; number++) {
    for (const [prefix, local, checks] of [
      ['committed', 'commit', 'commit'],
      ['rolled-back', 'rollback', 'rollback'],
      ['to-commit', 'unknown', 'commit'],
      ['to-roll-back', 'unknown', 'rollback'],
    ] as const) {
      const { key } = await before.send({ topic, prefix, number, local, checks });
      if (checks === 'commit') ledger.send(key);
    }
  }
  assert.is(before.checks.length, 0, 'the broker leaves before the first check');
  await sleep(wait);
  await departure.leave(stage.broker);
  const askedBefore = before.checks.length;
  await before.program.kill();
  await stage.reopen();
  const after = new Transactor(java55, stage, { group });
  ledger.send((await after.plain({ topic, prefix: 'after' })).key);
  await read(stage, topic, ledger);
  ledger.noneLost();
  ledger.atLeastOnce(); // which also names what was rolled back and came
  const asked = after.checks.map(({ key }) => key);
  if (askedBefore === 0)
    for (const key of ['to-commit-0', 'to-roll-back-4']) assert.ok(asked.includes(key), `${key} was checked`);
  await after.end();
  await stage.stop();
  return ledger;
}

test('transactions, a clean stop', async () => {
  (await transactionsAcross(CLEAN, 0)).exactlyOnce();
});
test('transactions, kill -9 when the ends are in the log', async () => {
  (await transactionsAcross(KILL, WRITTEN)).exactlyOnce();
});
test('transactions, kill -9 at once', async () => {
  await transactionsAcross(KILL, 0); // ends that were only in memory are asked for again
});

async function timersAcross(departure: Departure): Promise<void> {
  const stage = await Stage.open(departure.flushDiskType);
  const topic = 'open-timers';
  await createTopic(java55, stage, topic);
  const ledger = new Ledger();
  ledger.send(`first-of-${topic}-0`);
  const timer = new Timer(java55, stage);
  const start = Date.now();
  const sent: TimedSent[] = [];
  // Some are due before the stop, some while nobody is there (a real broker is away for 5 to 20 s), some afterwards.
  for (const [number, seconds] of [1, 4, 5, 6, 8, 10, 15, 20, 30, 35].entries())
    sent.push(await timer.send({ topic, prefix: 'kept', number, 'deliver-ms': start + seconds * 1_000 }));
  for (const [number, seconds] of [6, 30].entries()) {
    const one = await timer.send({
      topic,
      prefix: 'recalled',
      number,
      'deliver-ms': start + seconds * 1_000,
    });
    await timer.recall(topic, one.recallHandle);
  }
  for (const { key } of sent) ledger.send(key);
  await sleep(Math.max(0, start + 3_000 - Date.now()));
  await departure.leave(stage.broker);
  await timer.end();
  await stage.reopen();
  const delivered = await read(stage, topic, ledger);
  ledger.atLeastOnce(); // which also names what was recalled and came
  // What was delivered since the last checkpoint comes again after a kill.
  if (departure === CLEAN) ledger.exactlyOnce();
  for (const message of delivered) notEarly(message, sent.find(({ key }) => key === message.key)?.due ?? 0);
  await stage.stop();
}

for (const departure of [CLEAN, KILL]) test(`timers, ${departure.name}`, () => timersAcross(departure));

test.run();
