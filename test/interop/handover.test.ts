// One store, two brokers in turn: what one wrote and closed, the other opens and serves, down to indexes and offsets.
// With INTEROP_TARGET=rocketmq both are real ones, which checks the test itself.

import * as assert from 'uvu/assert';
import {
  allIntact,
  Consumer,
  type Delivered,
  introduceGroup,
  Producer,
  type Sent,
} from './scenarios/actors.ts';
import { java55 } from './support/clients.ts';
import { Dialogue } from './support/dialogue.ts';
import { Ledger } from './support/ledger.ts';
import { temporaryFolder } from './support/paths.ts';
import { stopEverything } from './support/program.ts';
import { startRealBroker, startRealNameServer } from './support/real-rocketmq.ts';
import type { Broker, BrokerOptions, NameServer } from './support/servers.ts';
import { interopSuite } from './support/suite.ts';
import { type Cluster, startBroker, target } from './support/target.ts';

const test = interopSuite('store hand-over');
const TOPIC = 'handed-over';
const GROUP = 'handed-over-group';

type Start = (nameServer: NameServer, options: BrokerOptions) => Promise<Broker>;

const real: Start = (nameServer, options) => startRealBroker(nameServer.address, options);
const ours: Start = (nameServer, options) => startBroker(nameServer, options);

interface Stand {
  readonly topic: string;
  readonly queueId: number;
  readonly consumer: number;
}

interface Written {
  readonly consumed: Ledger;
  readonly waiting: Ledger;
  readonly sent: readonly Sent[];
  /** Where the group stood when the writer stopped, by queue. */
  readonly committed: ReadonlyMap<number, number>;
}

async function handOver(first: Start, second: Start): Promise<void> {
  const nameServer = await startRealNameServer();
  const store = temporaryFolder('handover');
  const writer = await first(nameServer, { store });
  const written = await write({ nameServer, broker: writer, stop: () => writer.stop() });
  await writer.stop();
  const reader = await second(nameServer, { store, port: writer.port });
  await check({ nameServer, broker: reader, stop: () => reader.stop() }, written);
  if (second !== real) await reader.stop(); // a real one takes 10 s for it, and shows nothing more
  await stopEverything();
}

/** Consumed messages, unconsumed ones, large and compressed ones, delayed ones that are still waiting. */
async function write(cluster: Cluster): Promise<Written> {
  const [consumed, waiting] = [new Ledger(), new Ledger()];
  const args = { topic: TOPIC, tags: 'A,B' };
  const before = new Producer(
    java55,
    cluster,
    { ...args, modes: 'async,batch', count: 400, prefix: 'c' },
    consumed,
  );
  const sent = [...(await before.finish())];
  await introduceGroup(java55, cluster, TOPIC, GROUP);
  const consumer = new Consumer(java55, cluster, { topic: TOPIC, group: GROUP }, consumed);
  await consumer.receives(consumed);
  await consumer.stop();
  consumed.exactlyOnce();
  const first = sent.slice();
  for (const more of [
    { ...args, modes: 'sync', count: 100, prefix: 'w' },
    { ...args, modes: 'sync', count: 2, body: 200_000, prefix: 'big' },
    { ...args, modes: 'sync', count: 2, body: 200_000, 'random-body': true, prefix: 'random' },
    { ...args, modes: 'sync', count: 5, 'delay-level': 6, prefix: 'delayed' },
  ]) {
    const acked = await new Producer(java55, cluster, more, waiting).finish();
    if (more.prefix !== 'delayed') sent.push(...acked);
  }
  const committed = await committedOffsets(cluster);
  // RocketMQ hands a client's last commits to threads that may overtake each other, so some may be delivered again.
  const again = first.filter((message) => message.queueOffset >= (committed.get(message.queueId) ?? 0));
  assert.ok(again.length < first.length / 4, `${again.length} of ${first.length} are not committed`);
  for (const message of again) waiting.send(message.key);
  return { consumed, waiting, sent, committed };
}

async function committedOffsets(cluster: Cluster): Promise<Map<number, number>> {
  const args = { namesrv: cluster.nameServer.address, 'broker-address': cluster.broker.address };
  const dialogue = new Dialogue(java55.start('Admin', args));
  const rows = (await dialogue.ask(`consume-stats ${GROUP}`)) as Stand[];
  await dialogue.end();
  return new Map(rows.filter((row) => row.topic === TOPIC).map((row) => [row.queueId, row.consumer]));
}

async function check(cluster: Cluster, written: Written): Promise<void> {
  const dialogue = new Dialogue(java55.start('Query', { namesrv: cluster.nameServer.address }));
  const samples = written.sent.filter((_, index) => index % 97 === 0 || index === written.sent.length - 1);
  for (const sample of samples) {
    for (const question of [
      `key ${TOPIC} ${sample.key}`,
      `unique ${TOPIC} ${sample.msgId}`,
      `offset-id ${TOPIC} ${sample.offsetMsgId}`,
    ]) {
      const [found] = (await dialogue.ask(question)) as Delivered[];
      assert.is(found?.key, sample.key, question);
      assert.is(found?.queueOffset, sample.queueOffset, question);
      assert.ok(found?.intact, question);
    }
  }
  await dialogue.end();

  // The group goes on where it stood: the waiting ones come, the committed ones do not.
  assert.equal(await committedOffsets(cluster), written.committed);
  const consumer = new Consumer(java55, cluster, { topic: TOPIC, group: GROUP }, written.waiting);
  await consumer.receives(written.waiting);
  await consumer.stop();
  written.waiting.exactlyOnce();
  allIntact(consumer.delivered);

  // A new group gets everything, in its old place.
  const everything = new Ledger();
  for (const key of [...written.consumed.sent, ...written.waiting.sent]) everything.send(key);
  const reader = new Consumer(java55, cluster, { topic: TOPIC, group: 'reads-all' }, everything);
  await reader.receives(everything);
  await reader.stop();
  everything.exactlyOnce();
  allIntact(reader.delivered);
  const place = new Map(
    reader.delivered.map((message) => [message.key, `${message.queueId}@${message.queueOffset}`]),
  );
  for (const sent of written.sent)
    assert.is(place.get(sent.key), `${sent.queueId}@${sent.queueOffset}`, sent.key);

  // And the store can be written on.
  const more = new Ledger();
  await new Producer(java55, cluster, { topic: TOPIC, count: 50, prefix: 'more', tags: 'A' }, more).finish();
  const last = new Consumer(java55, cluster, { topic: TOPIC, group: GROUP }, more);
  await last.receives(more);
  await last.stop();
  more.exactlyOnce();
}

if (target === 'rocketmq') {
  test('real to real', () => handOver(real, real));
} else {
  test('what RingMQ wrote, a real broker serves', () => handOver(ours, real));
  test('what a real broker wrote, RingMQ serves', () => handOver(real, ours));
}

test.run();
