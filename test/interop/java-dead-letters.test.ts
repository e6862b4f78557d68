// Retries and where they end: retry policies of groups, the maximum of tries, the order of retries, the dead-letter
// topic and what its messages tell. The broker runs with messageDelayLevel=1s 2s 1s 1s 1s 3s.

import { setTimeout as sleep } from 'node:timers/promises';
import * as assert from 'uvu/assert';
import { Consumer, createTopic, introduceGroup, Producer } from './scenarios/actors.ts';
import {
  createGroup,
  orderlyDeadLetters,
  retriesByPolicy,
  retriesInOrder,
} from './scenarios/dead-letters.ts';
import { Timer } from './scenarios/timers.ts';
import { dispatched, maxOffset } from './scenarios/transacting.ts';
import { java55 } from './support/clients.ts';
import { Dialogue } from './support/dialogue.ts';
import { Ledger } from './support/ledger.ts';
import { RawConnection, type RawResponse, send } from './support/raw.ts';
import { physicalOffsetOf } from './support/raw-producer.ts';
import { encodeProperties, readQueue, type StoredRecord } from './support/records.ts';
import { clusterSuite } from './support/suite.ts';
import { target } from './support/target.ts';

const { test, cluster } = clusterSuite('retries and dead letters');

const SEND_BACK = 36;
const ARRIVAL = 20_000;

function connect(): Promise<RawConnection> {
  return RawConnection.open(cluster().broker.address);
}

/** Sends a message, which can be given back as soon as it is acknowledged. */
async function place(connection: RawConnection, topic: string, key = 'k'): Promise<number> {
  const properties = encodeProperties({ KEYS: key, TAGS: 'T', own: 'x' });
  const reply = await connection.request(send(topic, { properties }));
  assert.is(reply.code, 0, reply.remark);
  return physicalOffsetOf(String(reply.extFields?.['msgId']));
}

type Fields = Readonly<Record<string, string | number>>;

function back(
  connection: RawConnection,
  group: string,
  offset: number,
  fields: Fields,
): Promise<RawResponse> {
  const ext = { group, offset, delayLevel: 0, originMsgId: 'id', originTopic: 'back', ...fields };
  return connection.request({ code: SEND_BACK, ext });
}

/** What lies in the first queues of a topic, once it is so much. */
async function arrived(
  connection: RawConnection,
  topic: string,
  count: number,
  queues = 1,
): Promise<StoredRecord[]> {
  const ids = Array.from({ length: queues }, (_, id) => id);
  for (const end = Date.now() + ARRIVAL; ; await sleep(50)) {
    let found = 0;
    for (const id of ids) found += await maxOffset(connection, topic, id);
    if (found >= count) break;
    if (Date.now() > end) throw new Error(`not ${count} messages in ${topic} after ${ARRIVAL} ms`);
  }
  const records: StoredRecord[] = [];
  for (const id of ids) records.push(...(await readQueue(connection, topic, id)));
  return records;
}

test('a dead letter is readable and tells where it comes from', async () => {
  const topic = 'dead-origin';
  const group = 'dead-origin-group';
  await createTopic(java55, cluster(), topic);
  await introduceGroup(java55, cluster(), topic, group);
  const [sent] = await new Producer(java55, cluster(), { topic, prefix: 'd', tags: 'T' }).finish();
  const args = { topic, group, expression: 'T', fail: 100, 'max-reconsume': 1 };
  const failing = new Consumer(java55, cluster(), args);
  await failing.count(2);
  const ledger = new Ledger();
  ledger.send(sent?.key ?? '');
  const reader = new Consumer(java55, cluster(), { topic: `%DLQ%${group}`, group: 'dead-reader' }, ledger);
  await reader.receives(ledger);
  await Promise.all([failing.stop(), reader.stop()]);
  const [dead, ...more] = reader.delivered;
  assert.is(more.length, 0);
  assert.is(dead?.msgId, sent?.msgId);
  assert.is(dead?.tag, 'T');
  assert.ok(dead?.intact);
  // The listener had it with 1; this is the number that a further try would have had.
  assert.is(dead?.reconsumeTimes, 2);
  assert.is(dead?.topic, `%DLQ%${group}`);
  assert.is(dead?.properties['RETRY_TOPIC'], topic);
  assert.is(dead?.properties['ORIGIN_MESSAGE_ID'], sent?.offsetMsgId);
  assert.is(dead?.properties['WAIT'], 'false');
  const named = [dead?.properties['DLQ_ORIGIN_TOPIC'], dead?.properties['DLQ_ORIGIN_MESSAGE_ID']];
  // RocketMQ reserves these names and never writes them.
  assert.equal(named, target === 'rocketmq' ? [undefined, undefined] : [topic, sent?.offsetMsgId]);
  if (target === 'ringmq') {
    assert.is(dead?.properties['RINGMQ_DLQ_GROUP'], group);
    assert.is(
      dead?.properties['RINGMQ_DLQ_REASON'],
      'not consumed after 1 of at most 1 redeliveries (maxReconsumeTimes of the consumer)',
    );
  }
  const admin = adminDialogue();
  assert.equal(await admin.ask(`topic-config %DLQ%${group}`), { read: 1, write: 1, perm: 6 });
  await admin.end();
});

function adminDialogue(): Dialogue {
  const { nameServer, broker } = cluster();
  return new Dialogue(
    java55.start('Admin', { namesrv: nameServer.address, 'broker-address': broker.address }),
  );
}

interface MaximumCase {
  readonly name: string;
  readonly group: Readonly<Record<string, number>>;
  readonly fields: Fields;
  /** How often it may be sent back before it is dead. */
  readonly tries: number;
}

const MAXIMA: readonly MaximumCase[] = [
  { name: 'the group says 0', group: { retryMaxTimes: 0 }, fields: {}, tries: 0 },
  { name: 'the group says 2', group: { retryMaxTimes: 2 }, fields: {}, tries: 2 },
  {
    name: 'the request says 1, the group 5',
    group: { retryMaxTimes: 5 },
    fields: { maxReconsumeTimes: 1 },
    tries: 1,
  },
  {
    name: 'the request says 2, the group 0',
    group: { retryMaxTimes: 0 },
    fields: { maxReconsumeTimes: 2 },
    tries: 2,
  },
  { name: 'the request says 0', group: {}, fields: { maxReconsumeTimes: 0 }, tries: 0 },
  { name: 'the request says -1', group: {}, fields: { maxReconsumeTimes: -1 }, tries: 0 },
  { name: 'the request asks for level -1', group: {}, fields: { delayLevel: -1 }, tries: 0 },
];

for (const [index, { name, group, fields, tries }] of MAXIMA.entries()) {
  test(`the maximum of tries: ${name}`, async () => {
    const connection = await connect();
    const groupName = `maximum-${index}`;
    await createGroup(connection, { groupName, ...group });
    let offset = await place(connection, 'back');
    for (let times = 1; times <= tries; times++) {
      assert.is((await back(connection, groupName, offset, fields)).code, 0);
      const retries = await arrived(connection, `%RETRY%${groupName}`, times);
      assert.is(retries.at(-1)?.reconsumeTimes, times);
      assert.is(retries.at(-1)?.properties['RETRY_TOPIC'], 'back');
      offset = retries.at(-1)?.physicalOffset ?? -1;
    }
    const last = await back(connection, groupName, offset, fields);
    assert.is(last.code, 0, last.remark);
    const [dead, ...more] = await arrived(connection, `%DLQ%${groupName}`, 1);
    assert.is(more.length, 0);
    assert.is(dead?.reconsumeTimes, tries + 1);
    assert.is(dead?.properties['own'], 'x');
    assert.is(await maxOffset(connection, `%RETRY%${groupName}`), tries);
    connection.destroy();
  });
}

test('a group with no retry queues drops what is sent back', async () => {
  const connection = await connect();
  await createGroup(connection, { groupName: 'no-retries', retryQueueNums: 0 });
  const offset = await place(connection, 'back');
  assert.is((await back(connection, 'no-retries', offset, {})).code, 0);
  assert.is((await back(connection, 'no-retries', offset, { delayLevel: -1 })).code, 0);
  await dispatched(connection);
  for (const prefix of ['%RETRY%', '%DLQ%'])
    assert.equal(await readQueue(connection, `${prefix}no-retries`), []);
  connection.destroy();
});

test('messages of a group that fail together are retried in the order of their failing', async () => {
  const connection = await connect();
  await createGroup(connection, { groupName: 'in-order' });
  const offsets: number[] = [];
  for (let number = 0; number < 300; number++) offsets.push(await place(connection, 'back', `n${number}`));
  for (const offset of offsets) assert.is((await back(connection, 'in-order', offset, {})).code, 0);
  const retries = await arrived(connection, '%RETRY%in-order', offsets.length);
  assert.equal(
    retries.map((retry) => retry.properties['KEYS']),
    offsets.map((_, number) => `n${number}`),
  );
  connection.destroy();
});

test('thousands that are given back at once come again in that order, in the queue of their own', async () => {
  const connection = await connect();
  const groupName = 'many-in-order';
  await createGroup(connection, { groupName, retryQueueNums: 2 });
  const asked: number[] = [];
  for (let number = 0; number < 2_000; number++) {
    const properties = encodeProperties({ KEYS: `n${number}` });
    asked.push(connection.send(send('back-two', { properties, queueId: number % 2 })));
  }
  const placed = await Promise.all(asked.map((opaque) => connection.response(opaque)));
  const given = placed.map(({ extFields }) => {
    const offset = physicalOffsetOf(String(extFields?.['msgId']));
    const ext = { group: groupName, offset, delayLevel: 0, originMsgId: 'id', originTopic: 'back-two' };
    return connection.send({ code: SEND_BACK, ext });
  });
  for (const opaque of given) assert.is((await connection.response(opaque)).code, 0);
  const retries = await arrived(connection, `%RETRY%${groupName}`, 2_000, 2);
  assert.is(new Set(retries.map((retry) => retry.properties['KEYS'])).size, 2_000);
  // RocketMQ's threads take the requests of one connection in any order, and each goes to a random queue.
  if (target === 'ringmq') {
    assert.equal(
      retries.map(({ queueId, properties }) => [queueId, properties['KEYS']]),
      retries.map((_, index) => [
        Math.floor(index / 1_000),
        `n${2 * (index % 1_000) + Math.floor(index / 1_000)}`,
      ]),
    );
  }
  connection.destroy();
});

test('the Java client: messages that fail one after the other come again in that order', () =>
  retriesInOrder(java55, cluster(), 1_000));

test('the Java client: what an orderly consumer gives up is dead, in order', () =>
  orderlyDeadLetters(java55, cluster(), { tries: 2, reason: /^given up by an orderly consumer/ }));

test('the Java client: retries by the policy of the group', () => retriesByPolicy(java55, cluster()));

test('a timed message that fails is retried by levels and dies like any other', async () => {
  const topic = 'dead-timed';
  const group = 'dead-timed-group';
  await createTopic(java55, cluster(), topic);
  await introduceGroup(java55, cluster(), topic, group);
  const args = { topic, group, expression: 'T', fail: 100, 'max-reconsume': 1 };
  const failing = new Consumer(java55, cluster(), args);
  const timer = new Timer(java55, cluster());
  const { key, due } = await timer.send({ topic, prefix: 'd', tags: 'T', 'delay-ms': 1_500 });
  await failing.count(2);
  const ledger = new Ledger();
  ledger.send(key);
  const reader = new Consumer(java55, cluster(), { topic: `%DLQ%${group}`, group: 'timed-reader' }, ledger);
  await reader.receives(ledger);
  await Promise.all([failing.stop(), reader.stop(), timer.end()]);
  ledger.exactlyOnce();
  assert.equal(
    failing.delivered.map((message) => message.reconsumeTimes),
    [0, 1],
  );
  for (const message of failing.delivered) assert.ok(message.storeTime >= due, 'not early');
  assert.is(failing.delivered[1]?.properties['TIMER_DELAY_MS'], undefined, 'the level takes the time away');
});

test('retry policies of groups are kept and shown', async () => {
  const admin = adminDialogue();
  await admin.ask('create-group made-plainly 3');
  assert.equal(await admin.ask('group-retrying made-plainly'), { type: 'CUSTOMIZED' });
  await admin.ask('create-group-retrying by-list customized 500 1000 3000');
  await admin.ask('create-group-retrying by-power exponential 3000 60000 2');
  assert.equal(await admin.ask('group-retrying by-list'), { type: 'CUSTOMIZED', next: [500, 1_000, 3_000] });
  assert.equal(await admin.ask('group-retrying by-power'), {
    type: 'EXPONENTIAL',
    exponential: [3_000, 60_000, 2],
  });
  await admin.end();
});

/**
 * RocketMQ's broker takes the delay levels for every message that is sent back; only its proxy looks at the policy. The
 * first entry of a list that counts is the third, as the first retry takes the third level. `levels` have just the
 * delay; what has none waits with the timed messages.
 */
const POLICIES = [
  {
    name: 'a list',
    policy: { type: 'CUSTOMIZED', customizedRetryPolicy: { next: [1, 1, 2_000, 3_000] } },
    wanted: [2_000, 3_000, 3_000],
    levels: ['2', '6', '6'],
  },
  {
    name: 'a power',
    policy: { type: 'EXPONENTIAL', exponentialRetryPolicy: { initial: 1_250, max: 2_000, multiplier: 2 } },
    wanted: [1_250, 2_000, 2_000],
    levels: [undefined, '2', '2'],
  },
] as const;
type Policy = (typeof POLICIES)[number];

for (const policy of POLICIES) {
  test(`the delay of retries by ${policy.name}`, async () => {
    const connection = await connect();
    const groupName = `delayed-by-${policy.policy.type.toLowerCase()}`;
    await createGroup(connection, { groupName, groupRetryPolicy: policy.policy });
    await retriesWait(connection, groupName, policy, await place(connection, 'back'));
    connection.destroy();
  });
}

async function retriesWait(
  connection: RawConnection,
  group: string,
  { wanted, levels }: Policy,
  first: number,
): Promise<void> {
  let offset = first;
  for (const [index, delay] of wanted.entries()) {
    const at = Date.now();
    assert.is((await back(connection, group, offset, {})).code, 0);
    const retry = (await arrived(connection, `%RETRY%${group}`, index + 1)).at(-1);
    const level = target === 'rocketmq' ? String(3 + index) : levels[index];
    assert.is(retry?.properties['DELAY'], level);
    if (target === 'ringmq')
      assert.ok((retry?.storeTime ?? 0) - at >= delay, `retry ${index + 1} is not early`);
    offset = retry?.physicalOffset ?? -1;
  }
}

test('a level that the consumer names goes before the policy', async () => {
  const connection = await connect();
  const groupName = 'named-level';
  const groupRetryPolicy = { type: 'EXPONENTIAL', exponentialRetryPolicy: { initial: 3_000, max: 3_000 } };
  await createGroup(connection, { groupName, groupRetryPolicy });
  const offset = await place(connection, 'back');
  assert.is((await back(connection, groupName, offset, { delayLevel: 1 })).code, 0);
  const [retry] = await arrived(connection, `%RETRY%${groupName}`, 1);
  assert.is(retry?.properties['DELAY'], '1');
  connection.destroy();
});

test('what mqadmin sets as a retry policy is shown and followed', async () => {
  const { nameServer, broker } = cluster();
  const tool = new Dialogue(java55.start('MqAdmin', { namesrv: nameServer.address }));
  const group = 'set-by-tool';
  const policy = JSON.stringify(POLICIES[0].policy);
  const words = ['updateSubGroup', '-n', nameServer.address, '-b', broker.address, '-g', group, '-p', policy];
  assert.match(String(await tool.ask(words.join('\t'))), /success/);
  const admin = adminDialogue();
  const { type, customizedRetryPolicy } = POLICIES[0].policy;
  assert.equal(await admin.ask(`group-retrying ${group}`), { type, next: customizedRetryPolicy.next });
  const connection = await connect();
  await retriesWait(connection, group, POLICIES[0], await place(connection, 'back'));
  connection.destroy();
  const wrong = JSON.stringify({ type: 'EXPONENTIAL', exponentialRetryPolicy: { multiplier: 0 } });
  words.splice(-1, 1, wrong);
  const answer = String(await tool.ask(words.join('\t')));
  // RocketMQ takes it, as it takes everything.
  if (target === 'rocketmq') assert.match(answer, /success/);
  else assert.match(answer, /exponentialRetryPolicy\.multiplier is 0; whole numbers from 1 to/);
  await Promise.all([tool.end(), admin.end()]);
});

test.run();
