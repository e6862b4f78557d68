// Timed messages frame by frame: which delay and which recall gets which answer, and what lies in the timer topic. The
// codes and texts are those of the real broker; where it does what cannot be right, the test says what each does.

import { setTimeout as sleep } from 'node:timers/promises';
import * as assert from 'uvu/assert';
import { decodeHandle, encodeHandle } from './scenarios/timers.ts';
import { dispatched, maxOffset } from './scenarios/transacting.ts';
import { RawConnection, type RawResponse, send } from './support/raw.ts';
import { newUniqueKey, RawProducer } from './support/raw-producer.ts';
import { encodeProperties, readQueue, type StoredRecord } from './support/records.ts';
import { clusterSuite } from './support/suite.ts';
import { target } from './support/target.ts';

const TIMER_TOPIC = 'rmq_sys_wheel_timer';
const RECALL_MESSAGE = 370;
const WINDOW_SEC = 5;
/** A short window, so that a message of some seconds rolls from one to the next. */
const conf = { timerMaxDelaySec: 3_600, recallMessageEnable: true, timerRollWindowSlot: WINDOW_SEC };
const { test, cluster } = clusterSuite('timer frames', { conf });

const PRECISION = 1_000;
const ILLEGAL =
  /timer message illegal, the delay time should not be bigger than the max delay 3600000ms; or if set del msg, the delay time should be bigger than the current time/;
const TIMES = ['TIMER_DELAY_SEC', 'TIMER_DELAY_MS', 'TIMER_DELIVER_MS'];
const FIRED_TIMEOUT = 30_000;

type Properties = Readonly<Record<string, string | number>>;

function connect(): Promise<RawConnection> {
  return RawConnection.open(cluster().broker.address);
}

async function timed(
  connection: RawConnection,
  topic: string,
  properties: Properties,
): Promise<RawResponse & { key: string }> {
  const key = newUniqueKey();
  const all = encodeProperties({ UNIQ_KEY: key, ...properties });
  return { ...(await connection.request(send(topic, { properties: all }))), key };
}

async function readable(connection: RawConnection, topic: string): Promise<StoredRecord[]> {
  await dispatched(connection);
  return readQueue(connection, topic);
}

async function fired(connection: RawConnection, topic: string, count: number): Promise<StoredRecord[]> {
  for (const end = Date.now() + FIRED_TIMEOUT; (await maxOffset(connection, topic)) < count; await sleep(100))
    if (Date.now() > end) throw new Error(`not ${count} messages in ${topic} after ${FIRED_TIMEOUT} ms`);
  return readQueue(connection, topic);
}

test('a timed message lies in the timer topic, then in its own', async () => {
  const connection = await connect();
  const before = Date.now();
  const sent = await timed(connection, 'parked', { TIMER_DELAY_MS: 2_000, KEYS: 'k', TAGS: 'T' });
  const after = Date.now();
  const parked = (await readable(connection, TIMER_TOPIC)).find(
    (one) => one.properties['UNIQ_KEY'] === sent.key,
  );
  assert.is(parked?.queueId, 0);
  assert.is(String(parked?.queueOffset), sent.extFields?.['queueOffset'], 'the answer tells the place there');
  assert.is(sent.extFields?.['queueId'], '0');
  const out = Number(parked?.properties['TIMER_OUT_MS']);
  assert.equal(parked?.properties, {
    ...{ KEYS: 'k', TAGS: 'T', UNIQ_KEY: sent.key, TIMER_DELAY_MS: '2000', TIMER_OUT_MS: String(out) },
    ...{ REAL_TOPIC: 'parked', REAL_QID: '0' },
    ...{ MSG_REGION: 'DefaultRegion', TRACE_ON: 'true', CLUSTER: 'DefaultCluster' },
  });
  const unit = (due: number): number => Math.ceil(due / PRECISION) * PRECISION - PRECISION;
  assert.ok(
    unit(before + 2_000) <= out && out <= unit(after + 2_000),
    'the last whole unit before it is due',
  );
  const handle = ['v1', 'parked', cluster().broker.name, String(out + 1), sent.key];
  assert.equal(decodeHandle(String(sent.extFields?.['recallHandle'])), handle);
  assert.is(sent.extFields?.['recallHandle'], encodeHandle(...handle), 'with padding');

  const [delivered, ...more] = await fired(connection, 'parked', 1);
  assert.is(more.length, 0);
  assert.ok((delivered?.storeTime ?? 0) >= before + 2_000, 'not early');
  assert.is(delivered?.bornTime, parked?.bornTime);
  assert.is(delivered?.sysFlag, 0);
  const { TIMER_ENQUEUE_MS, TIMER_DEQUEUE_MS, ...rest } = delivered?.properties ?? {};
  assert.equal(rest, parked?.properties);
  assert.is(Number(TIMER_ENQUEUE_MS) % PRECISION, 0);
  assert.ok(Number(TIMER_DEQUEUE_MS) >= before + 2_000);
  connection.destroy();
});

test('a message beyond the window rolls from one window to the next', async () => {
  const connection = await connect();
  const before = Date.now();
  const sent = await timed(connection, 'rolled', { TIMER_DELAY_SEC: 11 });
  const [delivered, ...more] = await fired(connection, 'rolled', 1);
  assert.is(more.length, 0);
  assert.ok((delivered?.storeTime ?? 0) >= before + 11_000, 'not early');
  const copies = (await readable(connection, TIMER_TOPIC)).filter(
    (one) => one.properties['UNIQ_KEY'] === sent.key,
  );
  assert.ok(copies.length >= 2, `${copies.length} copies in the timer topic`);
  const rolls = copies.map((copy) => copy.properties['TIMER_ROLL_TIMES']);
  assert.equal(
    rolls,
    copies.map((_, index) => (index === 0 ? undefined : String(index))),
    'each roll is counted',
  );
  assert.is(delivered?.properties['TIMER_ROLL_TIMES'], String(copies.length - 1));
  const outs = new Set(copies.map((copy) => copy.properties['TIMER_OUT_MS']));
  assert.is(outs.size, 1, 'the time stays');
  connection.destroy();
});

test('times that are no numbers or too large are refused', async () => {
  const connection = await connect();
  for (const value of ['abc', '1.5', ' 3', '1e3', '0x10', '9223372036854775808']) {
    for (const name of TIMES) {
      const reply = await timed(connection, 'bad-times', { [name]: value });
      assert.is(reply.code, 13, `${name} "${value}"`);
      assert.match(reply.remark ?? '', ILLEGAL);
      assert.equal(Object.keys(reply.extFields ?? {}).sort(), ['MSG_REGION', 'TRACE_ON']);
    }
  }
  for (const properties of [
    { TIMER_DELAY_SEC: 3_601 },
    { TIMER_DELAY_MS: 3_600_001 },
    { TIMER_DELIVER_MS: Date.now() + 3_700_000 },
    { TIMER_DELIVER_MS: '9223372036854775807' },
    { TIMER_DELAY_MS: '9223372036854775' },
  ])
    assert.is((await timed(connection, 'bad-times', properties)).code, 13, JSON.stringify(properties));
  assert.is(await maxOffset(connection, 'bad-times'), 0);
  connection.destroy();
});

/** RocketMQ adds and multiplies without a look at the limits of its numbers: far too far becomes "now". */
test('a delay so long that the sum overflows', async () => {
  const connection = await connect();
  for (const properties of [
    { TIMER_DELAY_SEC: '9223372036854775807' },
    { TIMER_DELAY_SEC: '9223372036854775' },
    { TIMER_DELAY_MS: '9223372036854775807' },
  ]) {
    const reply = await timed(connection, 'overflow', properties);
    assert.is(reply.code, target === 'rocketmq' ? 0 : 13, JSON.stringify(properties));
    if (target !== 'rocketmq') assert.match(reply.remark ?? '', ILLEGAL);
  }
  assert.is((await readable(connection, 'overflow')).length, target === 'rocketmq' ? 3 : 0);
  connection.destroy();
});

test('times that are past, or none, are delivered at once', async () => {
  const connection = await connect();
  const all: Properties[] = [
    ...TIMES.flatMap((name) => [{ [name]: '' }, { [name]: 0 }, { [name]: '-1' }]),
    ...TIMES.map((name) => ({ [name]: '-9223372036854775' })),
    { TIMER_DELIVER_MS: '+2' },
    { TIMER_DELIVER_MS: Date.now() - 1 },
  ];
  for (const properties of all) {
    const reply = await timed(connection, 'past', properties);
    assert.is(reply.code, 0, JSON.stringify(properties));
    assert.is(reply.extFields?.['recallHandle'], undefined);
  }
  assert.is((await readable(connection, 'past')).length, all.length);
  connection.destroy();
});

test('a delay level of 0 or less leaves the time, one above it takes the time away', async () => {
  const connection = await connect();
  const before = Date.now();
  for (const level of [0, -1, 1])
    await timed(connection, 'levels', { DELAY: level, TIMER_DELAY_SEC: 2, KEYS: `l${level}` });
  const delivered = await fired(connection, 'levels', 3);
  const by = (key: string): StoredRecord | undefined =>
    delivered.find((one) => one.properties['KEYS'] === key);
  for (const key of ['l0', 'l-1']) {
    assert.ok((by(key)?.storeTime ?? 0) >= before + 2_000);
    assert.ok(by(key)?.properties['TIMER_OUT_MS'] !== undefined);
  }
  assert.ok((by('l1')?.storeTime ?? 0) >= before + 1_000);
  assert.is(by('l1')?.properties['TIMER_DELAY_SEC'], undefined);
  connection.destroy();
});

test('a message that already has its TIMER_OUT_MS is not parked', async () => {
  const connection = await connect();
  const reply = await timed(connection, 'out-ms', { TIMER_OUT_MS: 5, TIMER_DELAY_SEC: 60 });
  assert.is(reply.code, 0);
  assert.is((await readable(connection, 'out-ms')).length, 1);
  connection.destroy();
});

/** RocketMQ takes it, and then no timer is set any more: it can neither read such a message nor skip it. */
if (target === 'ringmq') {
  test('clients cannot write into the timer topic', async () => {
    const connection = await connect();
    const reply = await connection.request(send(TIMER_TOPIC));
    assert.is(reply.code, 16);
    assert.match(reply.remark ?? '', /Sending message to topic\[rmq_sys_wheel_timer\] is forbidden/);
    await timed(connection, 'still-fires', { TIMER_DELAY_SEC: 1 });
    await fired(connection, 'still-fires', 1);
    connection.destroy();
  });
}

/** RocketMQ parks the half message itself and forgets where it was to go: it is checked and never delivered. */
test('a half message with a time is timed after its commit', async () => {
  const raw = await RawProducer.open(cluster().broker.address, 'timed-half');
  const half = await raw.half('timed-half', { TIMER_DELAY_SEC: 2 });
  const at = Date.now();
  await raw.end(half, 8);
  if (target === 'rocketmq') await sleep(5_000);
  else {
    const [delivered] = await fired(raw.connection, 'timed-half', 1);
    assert.is(delivered?.properties['UNIQ_KEY'], half.uniqueKey);
    assert.ok((delivered?.storeTime ?? 0) >= at + 2_000, 'counted from the commit');
  }
  const expected = target === 'rocketmq' ? 0 : 1;
  assert.is((await readable(raw.connection, 'timed-half')).length, expected);
  raw.close();
});

interface RecallCase {
  readonly name: string;
  readonly ext: Readonly<Record<string, string>>;
  readonly code: number;
  readonly remark?: RegExp;
  readonly accident?: true;
}

const INVALID = /recall handle is invalid/;

function recallCases(handle: string): RecallCase[] {
  const [version = '', topic = '', broker = '', time = '', id = ''] = decodeHandle(handle);
  const group = { producerGroup: 'g' };
  const with_ = (...parts: (string | number)[]): Record<string, string> => ({
    ...group,
    topic,
    recallHandle: encodeHandle(...parts),
  });
  const invalid = (name: string, ext: Record<string, string>): RecallCase => ({
    name,
    ext,
    code: 604,
    remark: INVALID,
  });
  const passed = /recall failed, timestamp invalid/;
  return [
    invalid('no handle', { ...group, topic }),
    invalid('an empty handle', { ...group, topic, recallHandle: '' }),
    invalid('a handle that is no base64', { ...group, topic, recallHandle: '@@@@' }),
    invalid('a handle of version 2', with_('v2', topic, broker, time, id)),
    invalid('a handle of four parts', with_(version, topic, broker, time)),
    { name: 'no topic', ext: { ...group, recallHandle: handle }, code: 1, accident: true },
    {
      name: 'an unknown topic',
      ext: { ...group, topic: 'nope', recallHandle: handle },
      code: 17,
      remark: /recall failed, the topic\[nope\] not exist/,
    },
    {
      name: 'another topic',
      ext: { ...group, topic: 'TBW102', recallHandle: handle },
      code: 604,
      remark: /recall failed, topic not match/,
    },
    {
      name: 'another broker',
      ext: with_(version, topic, 'broker-z', time, id),
      code: 604,
      remark: /recall failed, broker service not available/,
    },
    {
      name: 'a time that is past',
      ext: with_(version, topic, broker, Date.now() - 1, id),
      code: 604,
      remark: passed,
    },
    {
      name: 'a time that is no number',
      ext: with_(version, topic, broker, 'abc', id),
      code: 604,
      remark: passed,
    },
    {
      name: 'a time beyond the limit',
      ext: with_(version, topic, broker, Date.now() + 3_700_000, id),
      code: 604,
      remark: passed,
    },
  ];
}

test('recalls that are refused', async () => {
  const connection = await connect();
  const sent = await timed(connection, 'recalls', { TIMER_DELAY_SEC: 600 });
  const stored = (await readable(connection, TIMER_TOPIC)).length;
  for (const { name, ext, code, remark, accident } of recallCases(String(sent.extFields?.['recallHandle']))) {
    const reply = await connection.request({ code: RECALL_MESSAGE, ext });
    if (accident && target === 'ringmq') assert.ok([1, 17].includes(reply.code), name);
    else assert.is(reply.code, code, `${name}: ${reply.remark}`);
    if (remark !== undefined) assert.match(reply.remark ?? '', remark, name);
    if (!accident) assert.is(reply.extFields?.['MSG_REGION'], 'DefaultRegion');
  }
  assert.is((await readable(connection, TIMER_TOPIC)).length, stored, 'nothing was written');
  connection.destroy();
});

test('a recall is a message of its own in the timer topic; one that meets nothing changes nothing', async () => {
  const connection = await connect();
  const topic = 'recall-records';
  const at = Math.ceil(Date.now() / PRECISION) * PRECISION + 3_000; // within the window
  const victim = await timed(connection, topic, { TIMER_DELIVER_MS: at });
  const neighbour = await timed(connection, topic, { TIMER_DELIVER_MS: at });
  const [version = '', , broker = '', time = ''] = decodeHandle(String(victim.extFields?.['recallHandle']));
  const recall = async (when: number, id: string): Promise<void> => {
    const recallHandle = encodeHandle(version, topic, broker, when, id);
    const ext = { topic, producerGroup: 'g', recallHandle };
    const reply = await connection.request({ code: RECALL_MESSAGE, ext });
    assert.equal([reply.code, reply.extFields?.['msgId']], [0, id]);
  };
  await recall(Number(time), victim.key);
  await recall(Number(time), 'NEVER-SENT');
  await recall(Number(time) - PRECISION, neighbour.key); // another time: it does not meet its message
  const records = (await readable(connection, TIMER_TOPIC)).slice(-3);
  const [record] = records;
  assert.is(record?.body.toString(), '0');
  const { BORN_TIMESTAMP, ...properties } = record?.properties ?? {};
  assert.is(BORN_TIMESTAMP, String(record?.bornTime));
  const { TRACE_CONTEXT: _empty, ...told } = properties; // RocketMQ writes it with nothing in it
  assert.equal(told, {
    ...{ TAGS: '_RECALL_TAG_', UNIQ_KEY: victim.key, TIMER_DEL_UNIQKEY: victim.key, PGROUP: 'g' },
    ...{ TIMER_DELIVER_MS: time, TIMER_OUT_MS: String(Number(time) - 1), REAL_TOPIC: topic, REAL_QID: '0' },
  });
  const last = await timed(connection, topic, { TIMER_DELIVER_MS: at + PRECISION });
  const delivered = await fired(connection, topic, 2);
  assert.equal(
    delivered.map((one) => one.properties['UNIQ_KEY']),
    [neighbour.key, last.key],
  );
  connection.destroy();
});

test('a message that asks for the deletion of another must lie ahead', async () => {
  const connection = await connect();
  const reply = await timed(connection, 'deletes', { TIMER_DELAY_SEC: -5, TIMER_DEL_UNIQKEY: 'x' });
  assert.is(reply.code, 13);
  assert.match(reply.remark ?? '', ILLEGAL);
  connection.destroy();
});

test.run();
