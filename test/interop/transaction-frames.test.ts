// Transactions frame by frame: what a half message, a check and the record of an end look like, which END_TRANSACTION
// gets which answer, and in which order a connection's sends lie in the log. The codes and texts are those of the real
// broker; where it does what cannot be right, the test says what each of the two does.

import { setTimeout as sleep } from 'node:timers/promises';
import * as assert from 'uvu/assert';
import {
  CHECK_CONF,
  checkProgress,
  dispatched,
  HALF_TOPIC,
  MAX_TIME_TOPIC,
  maxOffset,
  OP_TOPIC,
  settled,
} from './scenarios/transacting.ts';
import { type RawConnection, type RawResponse, send } from './support/raw.ts';
import {
  COMMIT,
  type Half,
  halfOf,
  newUniqueKey,
  physicalOffsetOf,
  RawProducer,
  ROLLBACK,
  UNKNOWN,
} from './support/raw-producer.ts';
import { encodeProperties, readQueue, type StoredRecord } from './support/records.ts';
import { clusterSuite } from './support/suite.ts';
import { target } from './support/target.ts';

/** One thread, so that the real broker takes the sends of a connection in their order, as ours always does. */
const conf = { ...CHECK_CONF, sendMessageThreadPoolNums: 1, timerMaxDelaySec: 3_600 };
const { test, cluster } = clusterSuite('transaction frames', { conf });

const CHECKED = 30_000;
const ONEWAY = 2;
const VIEW_BROKER_STATS = 315;
const RESUME_CHECK = 323;
const BLAMES_THE_REQUEST = [1, 13];
/** Longer than a check round, an op batch and a delay of level 1 together. */
const A_WHILE = 4_000;

function producer(group: string): Promise<RawProducer> {
  return RawProducer.open(cluster().broker.address, group);
}

async function only(connection: RawConnection, topic: string, half: Half): Promise<StoredRecord[]> {
  await dispatched(connection);
  const records = await readQueue(connection, topic);
  return records.filter((record) => record.properties['UNIQ_KEY'] === half.uniqueKey);
}

function offsetsIn(record: StoredRecord): number[] {
  return record.body
    .toString()
    .split(',')
    .filter((part) => part !== '')
    .map(Number);
}

test('a half message lies in the half topic, its end in the op topic, a committed one where it was to go', async () => {
  const raw = await producer('layout');
  const { connection } = raw;
  const half = await raw.half('layout', { KEYS: 'k', TAGS: 'T', own: 'x' });
  assert.is(half.reply.extFields?.['transactionId'], half.uniqueKey);
  assert.is(half.reply.extFields?.['queueId'], '0');
  await dispatched(connection);
  assert.is(await maxOffset(connection, 'layout'), 0, 'the real topic has no message of it');
  const [stored] = await only(connection, HALF_TOPIC, half);
  assert.is(stored?.queueId, 0);
  assert.is(stored?.queueOffset, half.queueOffset);
  assert.is(stored?.physicalOffset, half.physicalOffset);
  assert.is(stored?.sysFlag, 0, 'the bit of a prepared message is taken off');
  assert.is(stored?.preparedOffset, 0);
  assert.equal(stored?.properties, {
    ...{ KEYS: 'k', TAGS: 'T', own: 'x', WAIT: 'true', UNIQ_KEY: half.uniqueKey },
    ...{ TRAN_MSG: 'true', PGROUP: 'layout', __transactionId__: half.uniqueKey },
    ...{ REAL_TOPIC: 'layout', REAL_QID: '0' },
    ...{ MSG_REGION: 'DefaultRegion', TRACE_ON: 'true', CLUSTER: 'DefaultCluster' },
  });

  const reply = await raw.end(half, COMMIT);
  assert.is(reply.code, 0);
  const [committed, ...more] = await only(connection, 'layout', half);
  assert.is(more.length, 0);
  assert.is(committed?.sysFlag, COMMIT);
  assert.is(committed?.preparedOffset, half.physicalOffset, 'it names its half message');
  assert.is(committed?.bornTime, stored?.bornTime);
  assert.equal(committed?.body, stored?.body);
  const { REAL_TOPIC: _topic, REAL_QID: _queue, ...kept } = stored?.properties ?? {};
  assert.equal(committed?.properties, kept);

  await settled(cluster().broker);
  const ops = await readQueue(connection, OP_TOPIC);
  const op = ops.find((record) => offsetsIn(record).includes(half.queueOffset));
  assert.is(op?.queueId, 0);
  assert.is(op?.properties['TAGS'], 'd');
  assert.match(op?.body.toString() ?? '', /^(\d+,)+$/, 'half queue offsets, each with a comma behind it');
  raw.close();
});

test('a check is a one-way request with the message as it was meant', async () => {
  const raw = await producer('checked');
  const half = await raw.half('checked', { KEYS: 'k', TAGS: 'T' });
  const first = await raw.check(half, 1, CHECKED);
  const second = await raw.check(half, 2, CHECKED);
  for (const [index, { flag, fields, message }] of [first, second].entries()) {
    assert.is(flag, ONEWAY);
    assert.equal(Object.keys(fields).sort(), [
      ...['bname', 'commitLogOffset', 'msgId', 'offsetMsgId'],
      ...['topic', 'tranStateTableOffset', 'transactionId'],
    ]);
    assert.is(fields['bname'], cluster().broker.name);
    assert.is(fields['topic'], HALF_TOPIC);
    assert.is(fields['msgId'], half.uniqueKey);
    assert.is(Number(fields['commitLogOffset']), message.physicalOffset);
    assert.is(Number(fields['tranStateTableOffset']), message.queueOffset);
    assert.is(physicalOffsetOf(String(fields['offsetMsgId'])), message.physicalOffset);
    assert.is(message.topic, 'checked');
    assert.is(message.queueId, 0);
    assert.is(message.sysFlag, 0);
    assert.is(message.body.toString(), 'hello');
    assert.is(message.properties['TRANSACTION_CHECK_TIMES'], String(index + 1));
    assert.is(message.properties['KEYS'], 'k');
    assert.ok(message.queueOffset > half.queueOffset, 'the half message was written again for the check');
  }
  const [copy] = (await only(raw.connection, HALF_TOPIC, half)).slice(-1);
  assert.is(copy?.queueOffset, second.message.queueOffset, 'the check names the newest copy');
  const newest = { tranStateTableOffset: second.message.queueOffset };
  const fields = { ...newest, commitLogOffset: second.message.physicalOffset, fromTransactionCheck: 'true' };
  assert.is((await raw.end(half, COMMIT, fields)).code, 0);
  const committed = await only(raw.connection, 'checked', half);
  assert.is(committed.length, 1);
  assert.is(committed[0]?.properties['TRANSACTION_CHECK_TIMES'], '2');
  assert.is(committed[0]?.preparedOffset, second.message.physicalOffset);
  await settled(cluster().broker);
  assert.is(raw.checksOf(half).length, 2, 'no check after the end');
  raw.close();
});

interface EndCase {
  readonly name: string;
  readonly fields: Readonly<Record<string, string | number | undefined>>;
  readonly code: number;
  readonly remark?: RegExp;
  /** RocketMQ's answer is the accident of a Java exception: any code that blames the request will do. */
  readonly accident?: true;
}

const END_CASES: readonly EndCase[] = [
  { name: 'another group', fields: { producerGroup: 'nope' }, code: 1, remark: /The producer group wrong/ },
  { name: 'no group', fields: { producerGroup: undefined }, code: 1, remark: /The producer group wrong/ },
  {
    name: 'another place in the half queue',
    fields: { tranStateTableOffset: 7_777 },
    code: 1,
    remark: /The transaction state table offset wrong/,
  },
  ...[99_999_999, -1, '9223372036854775807'].map((commitLogOffset) => ({
    name: `log offset ${commitLogOffset}`,
    fields: { commitLogOffset },
    code: 1,
    remark: /Find prepared transaction message failed/,
  })),
  {
    name: 'a state of 1',
    accident: true,
    fields: { commitOrRollback: 1 },
    code: 1,
    remark: /commitOrRollback/,
  },
  {
    name: 'a state of 4, the prepared one',
    accident: true,
    fields: { commitOrRollback: 4 },
    code: 1,
    remark: /commitOrRollback/,
  },
  {
    name: 'a state of abc',
    accident: true,
    fields: { commitOrRollback: 'abc' },
    code: 1,
    remark: /commitOrRollback/,
  },
  {
    name: 'no state',
    accident: true,
    fields: { commitOrRollback: undefined },
    code: 1,
    remark: /commitOrRollback/,
  },
  {
    name: 'no place in the half queue',
    accident: true,
    fields: { tranStateTableOffset: undefined },
    code: 1,
    remark: /tranStateTableOffset/i,
  },
  {
    name: 'no log offset',
    accident: true,
    fields: { commitLogOffset: undefined },
    code: 1,
    remark: /commitLogOffset/i,
  },
  {
    name: 'a log offset of abc',
    accident: true,
    fields: { commitLogOffset: 'abc' },
    code: 1,
    remark: /commitLogOffset/i,
  },
];

for (const { name, fields, code, remark, accident } of END_CASES) {
  test(`end of a transaction with ${name}`, async () => {
    const raw = await producer('bad-end');
    const half = await raw.half('bad-end');
    for (const state of [COMMIT, ROLLBACK]) {
      const request = raw.endRequest(half, state);
      const all: Record<string, string | number | undefined> = { ...request.ext, ...fields };
      const ext = Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
      const reply = await raw.connection.request({ ...request, ext: ext as Record<string, string | number> });
      if (accident && target === 'ringmq')
        assert.ok(BLAMES_THE_REQUEST.includes(reply.code), `${reply.code}`);
      else assert.is(reply.code, code, reply.remark);
      if (remark !== undefined) assert.match(reply.remark ?? '', remark);
    }
    assert.is((await only(raw.connection, 'bad-end', half)).length, 0, 'nothing was committed');
    assert.is((await raw.end(half, COMMIT)).code, 0, 'the transaction is still open');
    assert.is((await only(raw.connection, 'bad-end', half)).length, 1);
    raw.close();
  });
}

test('fields that an end may leave out', async () => {
  const raw = await producer('short-end');
  for (const absent of ['fromTransactionCheck', 'msgId', 'transactionId']) {
    const half = await raw.half('short-end');
    const request = raw.endRequest(half, COMMIT);
    const ext = Object.fromEntries(Object.entries(request.ext).filter(([name]) => name !== absent));
    assert.is((await raw.connection.request({ ...request, ext })).code, 0, absent);
    assert.is((await only(raw.connection, 'short-end', half)).length, 1);
  }
  raw.close();
});

test('an end that says unknown is not answered, neither from the producer nor from a check', async () => {
  const raw = await producer('unknown-end');
  const half = await raw.half('unknown-end');
  for (const fromTransactionCheck of ['false', 'true']) {
    const before = raw.connection.answers;
    raw.connection.send(raw.endRequest(half, UNKNOWN, { fromTransactionCheck }));
    // On the real broker other threads answer these: give them time before it is said that nothing came.
    await raw.connection.request({ code: 30, ext: { topic: 'unknown-end', queueId: 0 } });
    await sleep(500);
    assert.is(raw.connection.answers, before + 1);
  }
  assert.is((await raw.end(half, ROLLBACK)).code, 0);
  raw.close();
});

test('an end for what is no half message', async () => {
  const raw = await producer('no-half');
  for (const properties of ['KEYS\u0001k\u0002', encodeProperties({ PGROUP: 'no-half' })]) {
    const sent = await raw.connection.request(send('no-half', { properties }));
    const reply = await raw.end(halfOf('none', sent), COMMIT);
    assert.ok(BLAMES_THE_REQUEST.includes(reply.code), `${reply.code} ${reply.remark}`);
  }
  await dispatched(raw.connection);
  assert.is(await maxOffset(raw.connection, 'no-half'), 2, 'nothing was committed');
  raw.close();
});

/** RocketMQ looks whether there is such a half message, not whether it has been ended: it commits again. */
test('an end of what has been ended', async () => {
  const raw = await producer('ended');
  const count = async (half: Half): Promise<number> => (await only(raw.connection, 'ended', half)).length;
  const [broken, otherwise] = target === 'rocketmq' ? [1, 0] : [0, 604];
  for (const wait of [0, A_WHILE]) {
    const half = await raw.half('ended');
    assert.is((await raw.end(half, COMMIT)).code, 0);
    await sleep(wait); // at once the end is in memory only, later in the op topic and behind the check's progress
    const codes = [(await raw.end(half, COMMIT)).code, (await raw.end(half, ROLLBACK)).code];
    assert.equal(codes, [0, otherwise], 'committed, and only that is success');
    assert.is(await count(half), 1 + broken, 'committed twice');
    const other = await raw.half('ended');
    assert.is((await raw.end(other, ROLLBACK)).code, 0);
    await sleep(wait);
    assert.is((await raw.end(other, COMMIT)).code, otherwise);
    assert.is(await count(other), 0 + broken, 'rolled back, then committed');
  }
  await settled(cluster().broker);
  assert.is(raw.checks.length, 0);
  raw.close();
});

test('statistics count a half message in the half topic, a committed one in its own', async () => {
  const raw = await producer('counted');
  const counted = async (statsKey: string): Promise<number> => {
    const ext = { statsName: 'TOPIC_PUT_NUMS', statsKey };
    const { code, body } = await raw.connection.request({ code: VIEW_BROKER_STATS, ext });
    if (code !== 0) return 0;
    const { statsDay, statsMinute } = JSON.parse(body.toString()) as Record<string, { sum: number }>;
    return Math.max(statsDay?.sum ?? 0, statsMinute?.sum ?? 0);
  };
  const halves: Half[] = [];
  for (let i = 0; i < 20; i++) halves.push(await raw.half('counted'));
  for (const [i, half] of halves.entries()) await raw.end(half, i < 5 ? COMMIT : ROLLBACK);
  // Both brokers sample every 10 s.
  for (let looks = 0; looks < 60 && (await counted('counted')) === 0; looks++) await sleep(1_000);
  assert.is(await counted('counted'), 5);
  assert.ok((await counted(HALF_TOPIC)) >= halves.length);
  assert.ok((await counted(OP_TOPIC)) > 0);
  raw.close();
});

test('an end after the immunity time is refused unless it answers a check', async () => {
  const raw = await producer('immune');
  const half = await raw.half('immune', { CHECK_IMMUNITY_TIME_IN_SECONDS: 2 });
  const check = await raw.check(half, 1, CHECKED);
  assert.ok(Date.now() - check.message.bornTime > 2_000, 'not before');
  for (const state of [COMMIT, ROLLBACK]) assert.is((await raw.end(half, state)).code, 604);
  const copies = await only(raw.connection, HALF_TOPIC, half);
  const immune = copies.filter((copy) => copy.properties['TRAN_PREPARED_QUEUE_OFFSET'] !== undefined);
  for (const copy of immune)
    assert.is(copy.properties['TRAN_PREPARED_QUEUE_OFFSET'], String(half.queueOffset), 'where it first lay');
  const answer = {
    tranStateTableOffset: String(check.fields['tranStateTableOffset']),
    commitLogOffset: String(check.fields['commitLogOffset']),
    fromTransactionCheck: 'true',
  };
  assert.is((await raw.end(half, COMMIT, answer)).code, 0);
  assert.is((await only(raw.connection, 'immune', half)).length, 1);
  raw.close();
});

test('a half message that was checked to the limit is checked anew when an administrator asks for it', async () => {
  const raw = await producer('resumed');
  const half = await raw.half('resumed');
  await raw.check(half, CHECK_CONF.transactionCheckMax, CHECKED);
  await settled(cluster().broker);
  const [parked] = await only(raw.connection, MAX_TIME_TOPIC, half);
  assert.is(parked?.properties['TRANSACTION_CHECK_TIMES'], String(CHECK_CONF.transactionCheckMax));
  assert.is(parked?.properties['REAL_TOPIC'], 'resumed');
  const offset = (at: number): string => at.toString(16).toUpperCase().padStart(16, '0');
  const id = half.offsetMsgId.slice(0, -16) + offset(parked?.physicalOffset ?? -1);
  const ask = (ext: Record<string, string>): Promise<RawResponse> =>
    raw.connection.request({ code: RESUME_CHECK, ext });
  for (const ext of [{}, { topic: 'resumed', msgId: 'x' }, { msgId: id.slice(0, -16) + offset(2 ** 40) }])
    assert.is((await ask(ext)).code, 1, JSON.stringify(ext));
  assert.is((await ask({ topic: 'resumed', msgId: id })).code, 0);
  const again = await raw.check(half, CHECK_CONF.transactionCheckMax + 1, CHECKED);
  assert.is(again.message.properties['TRANSACTION_CHECK_TIMES'], '1', 'counted anew');
  const { tranStateTableOffset = '', commitLogOffset = '' } = again.fields;
  const answer = { tranStateTableOffset, commitLogOffset, fromTransactionCheck: 'true' };
  assert.is((await raw.end(half, COMMIT, answer)).code, 0);
  assert.is((await only(raw.connection, 'resumed', half)).length, 1);
  raw.close();
});

test('clients cannot write into the topics of transactions', async () => {
  const raw = await producer('outsider');
  for (const topic of [HALF_TOPIC, OP_TOPIC, MAX_TIME_TOPIC]) {
    for (const request of [send(topic), raw.halfRequest(topic)]) {
      const reply = await raw.connection.request(request);
      assert.is(reply.code, 16, topic);
      assert.match(reply.remark ?? '', new RegExp(`Sending message to topic\\[${topic}\\] is forbidden`));
    }
  }
  raw.close();
});

test('half messages, ordinary and delayed ones of a connection lie in the log in the order of sending', async () => {
  const raw = await producer('in-order');
  await raw.connection.request(send('in-order'));
  const opaques: number[] = [];
  for (let number = 0; number < 200; number++) {
    const properties = { UNIQ_KEY: newUniqueKey(), KEYS: `n${number}` };
    const delay = number % 4 === 3 ? { DELAY: 1 } : {};
    opaques.push(
      raw.connection.send(
        number % 2 === 0
          ? raw.halfRequest('in-order', properties)
          : send('in-order', { properties: encodeProperties({ ...properties, ...delay }) }),
      ),
    );
  }
  const replies = await Promise.all(opaques.map((opaque) => raw.connection.response(opaque)));
  const places = replies.map((reply) => physicalOffsetOf(String(reply.extFields?.['msgId'])));
  assert.equal(
    places,
    [...places].sort((a, b) => a - b),
  );
  const halves = replies.filter((_, number) => number % 2 === 0).map((reply) => halfOf('', reply));
  assert.equal(
    halves.map((half) => half.queueOffset - (halves[0]?.queueOffset ?? 0)),
    halves.map((_, index) => index),
    'each is in the half queue behind the one before',
  );
  for (const half of halves) assert.is((await raw.end(half, ROLLBACK)).code, 0);
  await settled(cluster().broker);
  assert.is(await checkProgress(raw.connection), await maxOffset(raw.connection, HALF_TOPIC));
  raw.close();
});

test('ends that come together share a record in the op topic', async () => {
  const raw = await producer('many');
  const before = await maxOffset(raw.connection, OP_TOPIC);
  const halves: Half[] = [];
  for (let number = 0; number < 300; number++) halves.push(await raw.half('many'));
  const opaques = halves.map((half, number) =>
    raw.connection.send(raw.endRequest(half, number % 3 === 0 ? ROLLBACK : COMMIT)),
  );
  for (const opaque of opaques) assert.is((await raw.connection.response(opaque)).code, 0);
  await settled(cluster().broker);
  const ops = (await readQueue(raw.connection, OP_TOPIC)).slice(Math.max(0, before));
  const ended = ops.flatMap(offsetsIn).sort((a, b) => a - b);
  assert.equal(
    ended,
    halves.map((half) => half.queueOffset),
    'each once',
  );
  assert.ok(ops.length < halves.length / 4, `${ops.length} records for ${halves.length} ends`);
  await dispatched(raw.connection);
  assert.is((await readQueue(raw.connection, 'many')).length, 200);
  raw.close();
});

/** RocketMQ parks the half message itself with the delayed ones and forgets where it was to go: nothing ever comes. */
test('a half message with a delay level is delayed after its commit', async () => {
  const raw = await producer('delayed');
  const [committed, rolledBack] = [
    await raw.half('delayed', { DELAY: 2 }),
    await raw.half('delayed', { DELAY: 2 }),
  ];
  await raw.end(rolledBack, ROLLBACK);
  const at = Date.now();
  assert.is((await raw.end(committed, COMMIT)).code, 0);
  await sleep(A_WHILE);
  const delivered = await only(raw.connection, 'delayed', committed);
  if (target === 'rocketmq') assert.is(delivered.length, 0);
  else {
    assert.is(delivered.length, 1);
    assert.ok((delivered[0]?.storeTime ?? 0) >= at + 2_000, 'counted from the commit');
    assert.is(delivered[0]?.properties['REAL_TOPIC'], 'delayed');
  }
  assert.is((await only(raw.connection, 'delayed', rolledBack)).length, 0);
  raw.close();
});

test.run();
