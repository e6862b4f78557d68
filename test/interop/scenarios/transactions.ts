// Transactions with a client library: what was committed comes once and as it was sent, what was rolled back never,
// and whoever knows the outcome is asked until it is known.

import * as assert from 'uvu/assert';
import type { Kit } from '../support/clients.ts';
import { Dialogue } from '../support/dialogue.ts';
import { Ledger } from '../support/ledger.ts';
import { COMMIT, physicalOffsetOf, RawProducer } from '../support/raw-producer.ts';
import type { Cluster } from '../support/target.ts';
import { allIntact, Consumer, createTopic, type Delivered } from './actors.ts';
import {
  CHECK_CONF,
  type Checked,
  HALF_TOPIC,
  type HalfSent,
  MAX_TIME_TOPIC,
  type Sending,
  settled,
  Transactor,
} from './transacting.ts';

/** The client's code for "no message". */
const NO_MESSAGE = 208;
const TRANSACTION_BITS = 12;
const COMMITTED = 8;
const FENCES = 8;

/** What a consumer sees of a committed message, beside the properties that its sender gave it. */
const ADDED_ON_SEND = ['CLUSTER', 'MSG_REGION', 'TRACE_ON', 'UNIQ_KEY'];
/** Whether WAIT is there depends on the client that sent it (transaction-frames compares it). */
const NOT_COMPARED = ['CONSUME_START_TIME', 'MAX_OFFSET', 'MIN_OFFSET', 'WAIT'];
const OF_TRANSACTION = ['PGROUP', 'TRAN_MSG', '__transactionId__'];
const SENDERS_OWN = ['KEYS', 'TAGS', 'checks', 'crc', 'local', 'number', 'unicode'];

interface Outcome {
  readonly local: string;
  readonly checks: string;
  /** How many checks there are before the outcome is known; none of them when the producer knew at once. */
  readonly asked: number;
  readonly commits: boolean;
}

const OUTCOMES: readonly Outcome[] = [
  { local: 'commit', checks: 'rollback', asked: 0, commits: true },
  { local: 'rollback', checks: 'commit', asked: 0, commits: false },
  { local: 'unknown', checks: 'commit', asked: 1, commits: true },
  { local: 'unknown', checks: 'rollback', asked: 1, commits: false },
  { local: 'unknown', checks: 'unknown,commit', asked: 2, commits: true },
  { local: 'unknown', checks: 'unknown,rollback', asked: 2, commits: false },
  { local: 'unknown', checks: 'throw,commit', asked: 2, commits: true },
  { local: 'throw', checks: 'commit', asked: 1, commits: true },
];
const EACH = 3;

export interface OutcomesOptions {
  /** Where a file has several runs of it. */
  readonly suffix?: string;
  /** False for a client whose listener may not throw. */
  readonly throwing?: boolean;
  /** Who reads what was committed; the kit itself if nothing is said. */
  readonly reader?: Kit;
}

export async function outcomes(
  kit: Kit,
  cluster: Cluster,
  { suffix = '', throwing = true, reader = kit }: OutcomesOptions = {},
): Promise<void> {
  const topic = `outcomes${suffix}`;
  const group = `outcomes-producer${suffix}`;
  await createTopic(kit, cluster, topic);
  const ledger = new Ledger();
  ledger.send(`first-of-${topic}-0`);
  const consumer = new Consumer(reader, cluster, { topic, group: `outcomes-group${suffix}` }, ledger);
  const producer = new Transactor(kit, cluster, { group });
  ledger.send((await producer.known(cluster.broker, { topic, prefix: 'known' })).key);
  const sent: [Outcome, HalfSent][] = [];
  for (const [index, outcome] of OUTCOMES.entries()) {
    if (!throwing && `${outcome.local},${outcome.checks}`.includes('throw')) continue;
    for (let number = 0; number < EACH; number++) {
      const { local, checks } = outcome;
      const half = await producer.send({ topic, prefix: `o${index}`, number, local, checks, tags: 'T' });
      sent.push([outcome, half]);
      if (outcome.commits) ledger.send(half.key);
    }
  }
  await consumer.receives(ledger);
  await settled(cluster.broker);
  await fence(producer, consumer, topic, ledger);
  await Promise.all([producer.end(), consumer.stop()]);

  ledger.exactlyOnce(); // which names what was rolled back and came all the same
  allIntact(consumer.delivered);
  for (const [outcome, half] of sent) {
    assert.is(half.status, 'SEND_OK');
    assert.is(half.transactionId, half.msgId, 'the unique key names the transaction');
    assert.is(half.state, stateOf(outcome.local));
    const checks = producer.checksOf(half.key);
    assert.is(checks.length, outcome.asked, `checks of ${half.key}`);
    for (const [index, check] of checks.entries()) checkIsRight(check, half, topic, group, index + 1);
    const delivered = consumer.delivered.find((message) => message.key === half.key);
    if (outcome.commits) commitIsRight(delivered as Delivered, half, topic, group, outcome.asked);
  }
}

function stateOf(local: string): string {
  if (local === 'commit') return 'COMMIT_MESSAGE';
  return local === 'rollback' ? 'ROLLBACK_MESSAGE' : 'UNKNOW';
}

/** A check shows the message as it was meant: the real topic and queue, its id, what its sender wrote into it. */
function checkIsRight(check: Checked, half: HalfSent, topic: string, group: string, times: number): void {
  assert.is(check.transactionId, half.msgId, `transaction id of ${check.key}`);
  // The Java client shows the offset id as the message's, the Go client the unique key.
  if (check.msgId !== half.msgId)
    assert.is(physicalOffsetOf(check.msgId), check.physicalOffset, 'the id is that of the newest copy');
  assert.is(check.topic, topic);
  assert.is(check.queueId, half.queueId);
  assert.is(check.tag, 'T');
  assert.ok(check.intact, 'body and properties are whole');
  assert.is(check.properties['TRANSACTION_CHECK_TIMES'], String(times));
  assert.is(check.properties['PGROUP'], group);
  assert.is(check.properties['REAL_TOPIC'], topic);
  assert.is(check.properties['REAL_QID'], String(half.queueId));
  const since = check.at - check.bornTime;
  assert.ok(since >= CHECK_CONF.transactionTimeOut, `checked ${since} ms after the sending`);
}

function commitIsRight(
  message: Delivered,
  half: HalfSent,
  topic: string,
  group: string,
  asked: number,
): void {
  assert.is(message.topic, topic);
  assert.is(message.queueId, half.queueId, 'the queue that the producer chose');
  assert.is(message.msgId, half.msgId, 'the unique key stays');
  assert.is(message.tag, 'T');
  assert.is(message.sysFlag & TRANSACTION_BITS, COMMITTED);
  assert.is(message.reconsumeTimes, 0);
  const checked = asked > 0 ? ['TRANSACTION_CHECK_TIMES'] : [];
  assert.equal(
    Object.keys(message.properties)
      .filter((name) => !NOT_COMPARED.includes(name))
      .sort(),
    [...ADDED_ON_SEND, ...OF_TRANSACTION, ...SENDERS_OWN, ...checked].sort(),
  );
  assert.is(message.properties['PGROUP'], group);
  assert.is(message.properties['TRAN_MSG'], 'true');
  assert.is(message.properties['__transactionId__'], half.msgId);
}

/** Plain messages to all queues: when they have come, whatever was written before them has come too. */
async function fence(producer: Transactor, consumer: Consumer, topic: string, ledger: Ledger): Promise<void> {
  for (let number = 0; number < FENCES; number++)
    ledger.send((await producer.plain({ topic, prefix: 'fence', number })).key);
  await consumer.receives(ledger);
}

/** Nobody ever knows: after the last check the message lies in a topic of its own, where it can be read. */
export async function checkLimit(kit: Kit, cluster: Cluster): Promise<void> {
  const topic = 'check-limit';
  await createTopic(kit, cluster, topic);
  const ledger = new Ledger();
  ledger.send(`first-of-${topic}-0`);
  const consumer = new Consumer(kit, cluster, { topic, group: 'check-limit-group' }, ledger);
  const producer = new Transactor(kit, cluster, { group: 'check-limit-producer' });
  const sending: Sending = { topic, prefix: 'never', local: 'unknown', checks: 'unknown', tags: 'T' };
  const half = await producer.send(sending);
  await producer.checked(half.key, CHECK_CONF.transactionCheckMax);
  await settled(cluster.broker);
  await fence(producer, consumer, topic, ledger);
  ledger.exactlyOnce();

  const given = new Ledger();
  given.send(half.key);
  const reader = new Consumer(kit, cluster, { topic: MAX_TIME_TOPIC, group: 'check-limit-reader' }, given);
  await reader.receives(given);
  await Promise.all([producer.end(), consumer.stop(), reader.stop()]);
  const found = reader.delivered.filter((message) => message.key === half.key);
  assert.is(found.length, 1);
  assert.is(found[0]?.msgId, half.msgId);
  assert.is(found[0]?.queueId, 0, 'it has one queue');
  assert.ok(found[0]?.intact);
  assert.is(found[0]?.tag, 'T');
  assert.is(found[0]?.properties['REAL_TOPIC'], topic, 'where it was to go');
  assert.is(found[0]?.properties['REAL_QID'], String(half.queueId));
  assert.is(found[0]?.properties['PGROUP'], 'check-limit-producer', 'who sent it');
  const times = String(CHECK_CONF.transactionCheckMax);
  assert.is(found[0]?.properties['TRANSACTION_CHECK_TIMES'], times);
  assert.is(producer.checksOf(half.key).length, CHECK_CONF.transactionCheckMax, 'no check too many');
}

/** A producer dies between half message and answer: another member of its group is asked. */
export async function vanishing(kit: Kit, cluster: Cluster): Promise<void> {
  const topic = 'vanishing';
  const group = 'vanishing-producer';
  await createTopic(kit, cluster, topic);
  const ledger = new Ledger();
  ledger.send(`first-of-${topic}-0`);
  const consumer = new Consumer(kit, cluster, { topic, group: 'vanishing-group' }, ledger);
  const other = new Transactor(kit, cluster, { group });
  const stranger = new Transactor(kit, cluster, { group: `${group}-of-others` });
  await Promise.all([
    other.known(cluster.broker, { topic, prefix: 'other' }),
    stranger.known(cluster.broker, { topic, prefix: 'stranger' }),
  ]);
  for (const key of ['other-0', 'stranger-0', 'lost-1']) ledger.send(key);
  for (const [number, checks] of ['rollback', 'commit'].entries())
    await new Transactor(kit, cluster, { group }).vanish({ topic, prefix: 'lost', number, checks });
  await consumer.receives(ledger);
  await settled(cluster.broker);
  await fence(other, consumer, topic, ledger);
  ledger.exactlyOnce();
  assert.is(other.checksOf('lost-0').length, 1);
  assert.is(other.checksOf('lost-1').length, 1);
  assert.is(stranger.checks.length, 0, 'another group is not asked');
  await Promise.all([other.end(), stranger.end(), consumer.stop()]);
}

/** The whole group is gone when the check is due, and comes back on other connections. */
export async function returning(kit: Kit, cluster: Cluster): Promise<void> {
  const topic = 'returning';
  const group = 'returning-producer';
  await createTopic(kit, cluster, topic);
  const ledger = new Ledger();
  for (const key of [`first-of-${topic}-0`, 'gone-0']) ledger.send(key);
  await new Transactor(kit, cluster, { group }).vanish({ topic, prefix: 'gone', checks: 'commit' });
  const back = new Transactor(kit, cluster, { group });
  ledger.send((await back.known(cluster.broker, { topic, prefix: 'back' })).key);
  const consumer = new Consumer(kit, cluster, { topic, group: 'returning-group' }, ledger);
  await consumer.receives(ledger);
  await settled(cluster.broker);
  await Promise.all([back.end(), consumer.stop()]);
  ledger.exactlyOnce();
  assert.is(back.checks.length, 1);
}

/** Its sender says when the first check may come. */
export async function immunity(kit: Kit, cluster: Cluster): Promise<void> {
  const topic = 'immunity';
  const seconds = 4;
  await createTopic(kit, cluster, topic);
  const ledger = new Ledger();
  for (const key of [`first-of-${topic}-0`, 'later-0', 'at-once-0']) ledger.send(key);
  const consumer = new Consumer(kit, cluster, { topic, group: 'immunity-group' }, ledger);
  const producer = new Transactor(kit, cluster, { group: 'immunity-producer' });
  const common = { topic, immunity: seconds };
  const later = await producer.send({ ...common, prefix: 'later', local: 'unknown', checks: 'commit' });
  await producer.send({ ...common, prefix: 'at-once', local: 'commit', checks: 'rollback' });
  await consumer.receives(ledger);
  await settled(cluster.broker);
  await Promise.all([producer.end(), consumer.stop()]);
  ledger.exactlyOnce();
  const [check, ...more] = producer.checksOf(later.key);
  assert.is(more.length, 0);
  assert.is(producer.checks.length, 1, 'the one committed at once is never checked');
  const since = Number(check?.at) - Number(check?.bornTime);
  assert.ok(since > seconds * 1_000, `checked ${since} ms after the sending`);
}

/** A consumer of one tag gets the committed messages of that tag. */
export async function filtered(kit: Kit, cluster: Cluster): Promise<void> {
  const topic = 'filtered';
  await createTopic(kit, cluster, topic);
  const ledger = new Ledger();
  const args = { topic, group: 'filtered-group', expression: 'A' };
  const consumer = new Consumer(kit, cluster, args, ledger);
  const producer = new Transactor(kit, cluster, { group: 'filtered-producer' });
  for (let number = 0; number < 12; number++) {
    const [tags, local] = [number % 2 === 0 ? 'A' : 'B', number % 4 < 2 ? 'commit' : 'rollback'];
    const { key } = await producer.send({ topic, prefix: 'f', number, tags, local });
    if (tags === 'A' && local === 'commit') ledger.send(key);
  }
  for (let number = 0; number < FENCES; number++)
    ledger.send((await producer.plain({ topic, prefix: 'fence', number, tags: 'A' })).key);
  await consumer.receives(ledger);
  await Promise.all([producer.end(), consumer.stop()]);
  ledger.exactlyOnce();
}

/** A half message can be looked at by its offset id only; after the commit all three ways lead to the real one. */
export async function queriedBeforeAndAfter(kit: Kit, cluster: Cluster): Promise<void> {
  const topic = 'queried';
  await createTopic(kit, cluster, topic);
  const producer = await RawProducer.open(cluster.broker.address, 'queried-producer');
  const half = await producer.half(topic, { KEYS: 'q-0' });
  const dialogue = new Dialogue(kit.start('Query', { namesrv: cluster.nameServer.address }));
  const byOffset = `offset-id ${topic} ${half.offsetMsgId}`;
  const [pending] = (await dialogue.ask(byOffset)) as Delivered[];
  assert.is(pending?.topic, HALF_TOPIC);
  assert.is(pending?.key, 'q-0');
  assert.is((await dialogue.refused(`key ${topic} q-0`)).code, NO_MESSAGE);
  assert.is((await dialogue.refused(`unique ${topic} ${half.uniqueKey}`)).code, NO_MESSAGE);

  assert.is((await producer.end(half, COMMIT)).code, 0);
  for (const question of [`key ${topic} q-0`, `unique ${topic} ${half.uniqueKey}`]) {
    const found = (await dialogue.ask(question)) as Delivered[];
    assert.is(found.length, 1, question);
    assert.is(found[0]?.topic, topic);
    assert.is(found[0]?.msgId, half.uniqueKey);
    assert.is(found[0]?.queueId, 0);
  }
  const [still] = (await dialogue.ask(byOffset)) as Delivered[];
  assert.is(still?.topic, HALF_TOPIC, 'the half message stays where it is');
  await dialogue.end();
  producer.close();
}
