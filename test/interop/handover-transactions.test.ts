// One store, two brokers in turn, with transactions in every state: what is open when it changes hands is checked by
// the other broker and ends as its producer says, what has ended stays so, and what was given up can be resumed.
// With INTEROP_TARGET=rocketmq both are real ones, which checks the test itself.

import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import * as assert from 'uvu/assert';
import { fullRun } from '../support/random.ts';
import { Consumer, createTopic } from './scenarios/actors.ts';
import { CHECK_CONF, dispatched, MAX_TIME_TOPIC, settled, Transactor } from './scenarios/transacting.ts';
import { java55 } from './support/clients.ts';
import { Ledger } from './support/ledger.ts';
import { repository, temporaryFolder } from './support/paths.ts';
import { stopEverything } from './support/program.ts';
import { type Check, COMMIT, type Half, RawProducer, ROLLBACK } from './support/raw-producer.ts';
import { startRealBroker, startRealNameServer } from './support/real-rocketmq.ts';
import { readQueue } from './support/records.ts';
import type { Broker, BrokerOptions, NameServer } from './support/servers.ts';
import { interopSuite } from './support/suite.ts';
import { type Cluster, startBroker, target } from './support/target.ts';

const test = interopSuite('hand-over of transactions');
const TOPIC = 'handed-over-ends';
const GROUP = 'handed-over-producers';
const JAVA_TOPIC = 'handed-over-java';
const JAVA_GROUP = 'handed-over-java-producers';

const FEW_CHECKS = { ...CHECK_CONF, transactionCheckMax: 2 };
/** The real broker goes on checking while it stops, when its clients are gone, and before they are back. */
const MANY_CHECKS = { ...CHECK_CONF, transactionCheckMax: 200 };
const CHECKED = 60_000;
/** Longer than the ends of transactions are gathered. */
const WRITTEN = 1_500;
const IMMUNE_SECONDS = 600;

const UPDATE_BROKER_CONFIG = 25;
const RESUME_CHECK = 323;

type Start = (nameServer: NameServer, options: BrokerOptions) => Promise<Broker>;

const real: Start = (nameServer, options) => startRealBroker(nameServer.address, options);
const ours: Start = (nameServer, options) => startBroker(nameServer, options);

interface Written {
  readonly committed: Half;
  readonly committedAfterCheck: Half;
  readonly rolledBack: Half;
  readonly resumed: Half;
  readonly givenUp: Half;
  readonly immune: Half;
  readonly checked: Half;
  readonly checkedAndNamedFirst: Half;
  readonly freshCommit: Half;
  readonly freshRollback: Half;
}

async function handOver(first: Start, second: Start): Promise<void> {
  const nameServer = await startRealNameServer();
  const store = temporaryFolder('handover');
  const writer = await first(nameServer, { store, conf: FEW_CHECKS });
  const written = await write({ nameServer, broker: writer, stop: () => writer.stop() });
  await writer.stop();
  soundStore(store);
  const reader = await second(nameServer, { store, port: writer.port, conf: MANY_CHECKS });
  const cluster = { nameServer, broker: reader, stop: () => reader.stop() };
  await endWhatIsOpen(cluster, written, second === ours && target === 'ringmq');
  await javaGoesOn(cluster);
  if (second === ours && target === 'ringmq') {
    await reader.stop();
    soundStore(store);
  }
  await stopEverything();
}

/** Our own look at the files, whoever wrote them. */
function soundStore(store: string): void {
  const args = [join(repository, 'dist', 'src', 'cli', 'main.js'), 'log', 'check', store];
  const { status, stdout } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  assert.is(status, 0, stdout);
}

async function write(cluster: Cluster): Promise<Written> {
  const raw = await RawProducer.open(cluster.broker.address, GROUP);
  const [resumed, givenUp] = [await raw.half(TOPIC), await raw.half(TOPIC)];
  for (const half of [resumed, givenUp]) await raw.check(half, FEW_CHECKS.transactionCheckMax, CHECKED);
  await settled(cluster.broker);
  const body = Buffer.from(`transactionCheckMax=${MANY_CHECKS.transactionCheckMax}\n`);
  assert.is((await raw.connection.request({ code: UPDATE_BROKER_CONFIG, body })).code, 0);

  const [committed, rolledBack, committedAfterCheck] = [
    await raw.half(TOPIC),
    await raw.half(TOPIC),
    await raw.half(TOPIC),
  ];
  assert.is((await raw.end(committed, COMMIT)).code, 0);
  assert.is((await raw.end(rolledBack, ROLLBACK)).code, 0);
  const check = await raw.check(committedAfterCheck, 1, CHECKED);
  assert.is((await raw.end(committedAfterCheck, COMMIT, answering(check))).code, 0);
  await settled(cluster.broker);

  const immune = await raw.half(TOPIC, { CHECK_IMMUNITY_TIME_IN_SECONDS: IMMUNE_SECONDS });
  const [checked, checkedAndNamedFirst] = [await raw.half(TOPIC), await raw.half(TOPIC)];
  await createTopic(java55, cluster, JAVA_TOPIC);
  for (const half of [checked, checkedAndNamedFirst]) await raw.check(half, 2, CHECKED);
  for (const [number, checks] of ['commit', 'rollback'].entries()) {
    const gone = new Transactor(java55, cluster, { group: JAVA_GROUP });
    await gone.vanish({ topic: JAVA_TOPIC, prefix: 'open', number, checks });
  }
  const [freshCommit, freshRollback] = [await raw.half(TOPIC), await raw.half(TOPIC)];
  await sleep(WRITTEN);
  raw.close();
  const ended = { committed, committedAfterCheck, rolledBack, resumed, givenUp };
  return { ...ended, immune, checked, checkedAndNamedFirst, freshCommit, freshRollback };
}

function answering(check: Check): Record<string, string> {
  const { tranStateTableOffset = '', commitLogOffset = '' } = check.fields;
  return { tranStateTableOffset, commitLogOffset, fromTransactionCheck: 'true' };
}

async function endWhatIsOpen({ broker }: Cluster, written: Written, isOurs: boolean): Promise<void> {
  const raw = await RawProducer.open(broker.address, GROUP);
  const { immune, checked, checkedAndNamedFirst, freshCommit, freshRollback, resumed, givenUp } = written;
  assert.is((await raw.end(immune, COMMIT)).code, 0, 'its sender may still end it');
  // RocketMQ commits the one that is named, and goes on asking about its copy.
  if (isOurs) assert.is((await raw.end(checkedAndNamedFirst, COMMIT)).code, 0);
  else await answer(raw, checkedAndNamedFirst, COMMIT);
  const check = await answer(raw, checked, COMMIT);
  assert.ok(Number(check.message.properties['TRANSACTION_CHECK_TIMES']) > 2, 'the checks before count');
  await answer(raw, freshCommit, COMMIT);
  await answer(raw, freshRollback, ROLLBACK);

  const parked = await readQueue(raw.connection, MAX_TIME_TOPIC);
  const keys = parked.map(({ properties }) => properties['UNIQ_KEY']);
  assert.equal(keys, [resumed.uniqueKey, givenUp.uniqueKey], 'given up, and only once');
  const position = (parked[0]?.physicalOffset ?? -1).toString(16).toUpperCase().padStart(16, '0');
  const ext = { topic: TOPIC, msgId: resumed.offsetMsgId.slice(0, -16) + position };
  assert.is((await raw.connection.request({ code: RESUME_CHECK, ext })).code, 0);
  await answer(raw, resumed, COMMIT);

  // Two more rounds: whatever is still open has been asked about by then.
  const last = await raw.half(TOPIC);
  await raw.check(last, 2, CHECKED);
  await answer(raw, last, ROLLBACK);
  const asked = new Set(raw.checks.map(({ fields }) => fields['transactionId']));
  for (const half of [written.committed, written.committedAfterCheck, written.rolledBack, givenUp])
    assert.not(asked.has(half.uniqueKey), 'what has ended is not checked');
  await placesAreRight(raw, written);
  raw.close();
}

/** Answers the newest check there is, or the first that comes. */
async function answer(raw: RawProducer, half: Half, state: number): Promise<Check> {
  await raw.check(half, 1, CHECKED);
  const check = raw.checksOf(half).at(-1) as Check;
  assert.is((await raw.end(half, state, answering(check))).code, 0);
  return check;
}

async function placesAreRight({ connection }: RawProducer, written: Written): Promise<void> {
  await dispatched(connection);
  const seen = (await readQueue(connection, TOPIC)).map(({ properties }) => properties['UNIQ_KEY']);
  const times = Object.entries(written).map(([name, half]: [string, Half]) => [
    name,
    seen.filter((key) => key === half.uniqueKey).length,
  ]);
  const once = { committed: 1, committedAfterCheck: 1, rolledBack: 0, resumed: 1, givenUp: 0 };
  const then = { immune: 1, checked: 1, checkedAndNamedFirst: 1, freshCommit: 1, freshRollback: 0 };
  assert.equal(Object.fromEntries(times), { ...once, ...then });
}

/** The members of a Java client's group are asked about what others of it have left open with the broker before. */
async function javaGoesOn(cluster: Cluster): Promise<void> {
  const ledger = new Ledger();
  for (const key of [`first-of-${JAVA_TOPIC}-0`, 'open-0', 'back-0']) ledger.send(key);
  const back = new Transactor(java55, cluster, { group: JAVA_GROUP });
  await back.known(cluster.broker, { topic: JAVA_TOPIC, prefix: 'back' });
  const consumer = new Consumer(java55, cluster, { topic: JAVA_TOPIC, group: 'handed-over-reader' }, ledger);
  await consumer.receives(ledger);
  await back.checked('open-1', 1);
  ledger.send((await back.send({ topic: JAVA_TOPIC, prefix: 'more' })).key);
  await consumer.receives(ledger);
  await Promise.all([back.end(), consumer.stop()]);
  ledger.exactlyOnce();
}

if (target === 'rocketmq') {
  test('real to real', () => handOver(real, real));
} else {
  // Real brokers take long to start and stop: one way is enough for every run.
  if (fullRun) test('what RingMQ has left open, a real broker checks', () => handOver(ours, real));
  test('what a real broker has left open, RingMQ checks', () => handOver(real, ours));
}

test.run();
