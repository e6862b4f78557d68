// The broker goes away in the middle of producing and consuming, cleanly or by kill -9, and comes back on its store.

import * as assert from 'uvu/assert';
import { Consumer, createTopic, introduceGroup, Producer } from './scenarios/actors.ts';
import { java55 } from './support/clients.ts';
import { Ledger } from './support/ledger.ts';
import { stopEverything } from './support/program.ts';
import type { Broker, NameServer } from './support/servers.ts';
import { interopSuite } from './support/suite.ts';
import { type Cluster, startBroker, startNameServer } from './support/target.ts';

const test = interopSuite('restart');
const BEFORE = 1_000;
const AFTER = 500;
/** A client that lost its broker looks for routes every 30 s, rebalances every 20 s. */
const PATIENCE = 90_000;

class Stage implements Cluster {
  readonly nameServer: NameServer;
  broker: Broker;

  constructor(nameServer: NameServer, broker: Broker) {
    this.nameServer = nameServer;
    this.broker = broker;
  }

  static async open(flushDiskType: string): Promise<Stage> {
    const nameServer = await startNameServer();
    return new Stage(nameServer, await startBroker(nameServer, { conf: { flushDiskType } }));
  }

  async reopen(flushDiskType: string): Promise<void> {
    const { port, store } = this.broker;
    this.broker = await startBroker(this.nameServer, { port, store, conf: { flushDiskType } });
  }

  async stop(): Promise<void> {
    await stopEverything();
  }
}

/** Produces across one restart; whatever was acknowledged must come out, before or after. */
async function acrossRestart(stage: Stage, flush: string, goAway: () => Promise<void>): Promise<void> {
  const topic = 'across';
  const group = 'across-group';
  await createTopic(java55, stage, topic);
  await introduceGroup(java55, stage, topic, group);
  const ledger = new Ledger();
  const consumer = new Consumer(java55, stage, { topic, group }, ledger);
  const producer = new Producer(
    java55,
    stage,
    { topic, 'until-stop': true, rate: 1_000, prefix: 'a', timeout: 1_000 },
    ledger,
  );
  const acked = (count: number) => () => (producer.acked.length >= count ? true : undefined);
  await producer.program.waitFor(`${BEFORE} acknowledged`, acked(BEFORE), 30_000);
  await goAway();
  const survived = producer.acked.length;
  await stage.reopen(flush);
  await producer.program.waitFor('sends after the restart', acked(survived + AFTER), PATIENCE);
  assert.is(await producer.program.stop(), 0);
  await consumer.receives(ledger, PATIENCE);
  await consumer.stop();
  ledger.noneLost(); // a send that failed in the middle may have arrived, so strangers are no fault here

  // Consumed before the restart does not mean kept: a fresh reader must find everything in the store.
  const kept = new Ledger();
  for (const key of ledger.sent) kept.send(key);
  const reader = new Consumer(java55, stage, { topic, group: 'across-reader' }, kept);
  await reader.receives(kept, PATIENCE);
  await reader.stop();
  kept.noneLost();
}

test('clean stop in the middle of producing, asynchronous flush', async () => {
  const stage = await Stage.open('ASYNC_FLUSH');
  await acrossRestart(stage, 'ASYNC_FLUSH', () => stage.broker.stop());
  await stage.stop();
});

test('kill -9 in the middle of producing, synchronous flush', async () => {
  const stage = await Stage.open('SYNC_FLUSH');
  await acrossRestart(stage, 'SYNC_FLUSH', () => stage.broker.kill());
  await stage.stop();
});

test('offsets, topics and groups outlive a clean stop', async () => {
  const stage = await Stage.open('ASYNC_FLUSH');
  const topic = 'outlive';
  const group = 'outlive-group';
  const first = new Ledger();
  await new Producer(java55, stage, { topic, count: 100, prefix: 'one', queues: 3 }, first).finish();
  const before = new Consumer(java55, stage, { topic, group }, first);
  await before.receives(first);
  await before.stop();
  await stage.broker.stop();
  await stage.reopen('ASYNC_FLUSH');
  const second = new Ledger();
  await new Producer(java55, stage, { topic, count: 50, prefix: 'two' }, second).finish();
  const after = new Consumer(java55, stage, { topic, group }, second);
  await after.receives(second);
  await after.stop();
  second.exactlyOnce(); // nothing of the first hundred again
  assert.is(
    new Set(after.delivered.map((message) => message.queueId)).size,
    3,
    'the topic kept its three queues',
  );
  await stage.stop();
});

test.run();
