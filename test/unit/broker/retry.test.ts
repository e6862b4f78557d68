import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type RetrySend, sendToRetryTopic } from '../../../src/broker/retry/retry-target.ts';
import { newGroupConfig } from '../../../src/metadata/group-config.ts';
import { RetryPolicy } from '../../../src/metadata/retry-policy.ts';
import { newTopicConfig } from '../../../src/metadata/topic-config.ts';
import { RequestCode, ResponseCode } from '../../../src/protocol/codes.ts';
import { decodeRecord, messageIdOf, type StoredMessage } from '../../../src/record/decode.ts';
import { MAX_PROPERTIES } from '../../../src/record/layout.ts';
import { encodeProperties, parseProperties } from '../../../src/record/properties.ts';
import { settle } from '../metadata/support.ts';
import { message, request, type Setup, setUp } from './support.ts';

const test = suite('retry');

function sendBack(setup: Setup, offset: number, more: object = {}) {
  return setup.ask(
    request(RequestCode.CONSUMER_SEND_MSG_BACK, {
      offset,
      group: 'g',
      delayLevel: 0,
      originTopic: 't',
      ...more,
    }),
  );
}

test('a failed message is parked for its group, later each time, and keeps its origin', async () => {
  const setup = setUp();
  const stored = setup.store.append(message({ properties: new Map([['TAGS', 'a']]), flag: 9 }), 1);
  assert.is((await sendBack(setup, 0))?.code, ResponseCode.SUCCESS);
  const parked = setup.put.messages[0];
  assert.is(parked?.topic, 'SCHEDULE_TOPIC_XXXX');
  assert.is(parked?.queueId, 2);
  assert.equal(
    [parked?.reconsumeTimes, parked?.flag, parked?.bornTimestamp, parked?.bornHost.port],
    [1, 9, 1, 5000],
  );
  assert.equal(Object.fromEntries(parked?.properties ?? []), {
    TAGS: 'a',
    RETRY_TOPIC: 't',
    WAIT: 'false',
    DELAY: '3',
    ORIGIN_MESSAGE_ID: messageIdOf(decodeRecord(stored.record) as StoredMessage),
    REAL_TOPIC: '%RETRY%g',
    REAL_QID: '0',
  });
  assert.is(messageIdOf(decodeRecord(stored.record) as StoredMessage), '0A01010100002A9F0000000000000000');
  assert.is(setup.context.topics.get('%RETRY%g')?.perm, 6);
  assert.is(setup.context.stats.total('SNDBCK_PUT_NUMS', 't@g'), 1);
});

test('from try to try to the dead letter queue', async () => {
  const setup = setUp();
  let current = setup.store.append(message(), 1);
  for (let times = 0; times < 16; times++) {
    assert.is((await sendBack(setup, current.entry.physicalOffset))?.code, ResponseCode.SUCCESS);
    const parked = setup.put.messages[times];
    assert.is(parked?.queueId, Math.min(3 + times, 18) - 1);
    current = setup.store.append({ ...message(), ...parked, topic: '%RETRY%g', queueId: 0 }, 1);
  }
  await sendBack(setup, current.entry.physicalOffset);
  const dead = setup.put.messages[16];
  assert.equal([dead?.topic, dead?.queueId, dead?.reconsumeTimes], ['%DLQ%g', 0, 17]);
  assert.equal(
    ['DELAY', 'RETRY_TOPIC', 'ORIGIN_MESSAGE_ID'].map((name) => dead?.properties.get(name)),
    ['0', 't', '0A01010100002A9F0000000000000000'],
  );
  assert.is(setup.context.topics.get('%DLQ%g')?.writeQueueNums, 1);
});

test('a negative level, and the limit of the client, lead there at once', async () => {
  for (const [more, reason] of [
    [{ delayLevel: -1 }, 'the consumer wanted no further redelivery (delayLevel -1)'],
    [
      { maxReconsumeTimes: 0 },
      'not consumed after 0 of at most 0 redeliveries (maxReconsumeTimes of the consumer)',
    ],
    [
      { maxReconsumeTimes: -1 },
      'not consumed after 0 of at most 0 redeliveries (maxReconsumeTimes of the consumer)',
    ],
  ] as const) {
    const setup = setUp();
    setup.store.append(message(), 1);
    await sendBack(setup, 0, more);
    assert.is(setup.put.messages[0]?.topic, '%DLQ%g');
    assert.is(setup.put.messages[0]?.properties.get('RINGMQ_DLQ_REASON'), reason);
  }
  const setup = setUp();
  setup.store.append(message(), 1);
  const old = request(RequestCode.CONSUMER_SEND_MSG_BACK, {
    offset: 0,
    group: 'g',
    delayLevel: 5,
    maxReconsumeTimes: 0,
  });
  await setup.ask({ ...old, version: 120 });
  assert.is(setup.put.messages[0]?.queueId, 4);
});

test('a policy of the group says how long, a level that the consumer names goes before it', async () => {
  const setup = setUp();
  const groupRetryPolicy = RetryPolicy.fromJson({
    type: 'CUSTOMIZED',
    customizedRetryPolicy: { next: [1, 1, 300_000, 1_000, 1_001] },
  });
  setup.context.groups.update({ ...newGroupConfig('g'), groupRetryPolicy });
  setup.store.append(message(), 1);
  const second = setup.store.append(message({ topic: '%RETRY%g', reconsumeTimes: 1 }), 1);
  const third = setup.store.append(message({ topic: '%RETRY%g', reconsumeTimes: 2 }), 1);
  await sendBack(setup, 0);
  await sendBack(setup, second.entry.physicalOffset);
  await sendBack(setup, 0, { delayLevel: 7 });
  await sendBack(setup, third.entry.physicalOffset);
  const levels = setup.put.messages.map(({ queueId, properties }) => [queueId, properties.get('DELAY')]);
  assert.equal(levels, [
    [8, '9'],
    [0, '1'],
    [6, '7'],
    [0, undefined],
  ]);
  const timed = setup.put.messages.at(-1);
  assert.is(timed?.topic, 'rmq_sys_wheel_timer');
  assert.is(timed?.properties.get('TIMER_DELAY_MS'), '1001');
});

test('messages of a queue come again in one queue, and in one that is read', async () => {
  const setup = setUp();
  const { topics, groups } = setup.context;
  groups.update({ ...newGroupConfig('g'), retryQueueNums: 4 });
  const offsets = [0, 1, 2, 3, 5, 5].map(
    (queueId) => setup.store.append(message({ queueId }), 1).entry.physicalOffset,
  );
  const queues = async () => {
    setup.put.messages.length = 0;
    for (const offset of offsets) await sendBack(setup, offset);
    return setup.put.messages.map(({ properties }) => properties.get('REAL_QID'));
  };
  assert.equal(await queues(), ['0', '1', '2', '3', '1', '1']);
  topics.update({ ...newTopicConfig('%RETRY%g', 2, 6) });
  assert.equal(await queues(), ['0', '1', '0', '1', '1', '1']);
  topics.update({ ...newTopicConfig('%RETRY%g', 4, 6), readQueueNums: 1 });
  assert.equal(await queues(), ['0', '0', '0', '0', '0', '0']);
});

test('a dead letter names its origin, its group and the reason, whatever it said before', async () => {
  const setup = setUp();
  const claimed = Object.entries({
    DLQ_ORIGIN_TOPIC: 'x',
    RINGMQ_DLQ_REASON: 'y',
    RINGMQ_DLQ_GROUP: 'z',
    own: '1',
  });
  setup.store.append(message({ topic: 'origin', properties: new Map(claimed), reconsumeTimes: 16 }), 1);
  await sendBack(setup, 0, { group: 'g' });
  const dead = setup.put.messages[0];
  assert.equal([dead?.topic, dead?.queueId, dead?.reconsumeTimes], ['%DLQ%g', 0, 17]);
  assert.equal(Object.fromEntries(dead?.properties ?? []), {
    own: '1',
    RETRY_TOPIC: 'origin',
    WAIT: 'false',
    ORIGIN_MESSAGE_ID: '0A01010100002A9F0000000000000000',
    DELAY: '0',
    DLQ_ORIGIN_TOPIC: 'origin',
    DLQ_ORIGIN_MESSAGE_ID: '0A01010100002A9F0000000000000000',
    RINGMQ_DLQ_GROUP: 'g',
    RINGMQ_DLQ_REASON: 'not consumed after 16 of at most 16 redeliveries (retryMaxTimes of the group)',
  });
  assert.equal(
    [setup.context.topics.get('%DLQ%g')?.perm, setup.context.topics.get('%DLQ%g')?.readQueueNums],
    [6, 1],
  );
  assert.is(setup.context.stats.total('SNDBCK2DLQ_TIMES', 'origin@g'), 1);
});

test('a dead letter says only what its own properties leave room for', async () => {
  const names = ['DLQ_ORIGIN_TOPIC', 'DLQ_ORIGIN_MESSAGE_ID', 'RINGMQ_DLQ_GROUP', 'RINGMQ_DLQ_REASON'];
  const said = async (room: number) => {
    const setup = setUp();
    // Beside own: RETRY_TOPIC, WAIT, ORIGIN_MESSAGE_ID and DELAY, each with two separators.
    const others = 3 + 2 + (11 + 1 + 2) + (4 + 5 + 2) + (17 + 32 + 2) + (5 + 1 + 2);
    const own = 'ä'.repeat((MAX_PROPERTIES - others - room) >> 1);
    setup.store.append(message({ properties: new Map([['own', own]]), reconsumeTimes: 99 }), 1);
    assert.is((await sendBack(setup, 0))?.code, ResponseCode.SUCCESS);
    const { properties } = setup.put.messages[0] ?? message();
    assert.ok(Buffer.byteLength(encodeProperties(properties)) <= MAX_PROPERTIES);
    return names.filter((name) => properties.has(name)).length;
  };
  const lengths = [16 + 1 + 2, 21 + 32 + 2, 16 + 1 + 2];
  assert.is(await said(lengths[0] as number), 1);
  assert.is(await said((lengths[0] as number) - 2), 0);
  assert.is(await said(lengths.reduce((sum, length) => sum + length)), 3);
  assert.is(await said(400), 4);
});

test('one more than the largest number of redeliveries is the largest', async () => {
  const setup = setUp();
  setup.store.append(message({ reconsumeTimes: 0x7f_ff_ff_ff }), 1);
  await sendBack(setup, 0);
  assert.is(setup.put.messages[0]?.reconsumeTimes, 0x7f_ff_ff_ff);
});

test('a send that has gone too often is stored as a dead letter at once, and counts', async () => {
  const setup = setUp();
  const i = encodeProperties([
    ['RETRY_TOPIC', 'origin'],
    ['ORIGIN_MESSAGE_ID', 'id'],
    ['DELAY', '5'],
  ]);
  const fields = { a: 'p', b: '%RETRY%g', c: 'TBW102', d: 4, e: 0, f: 0, g: 1, h: 0, i, j: 17 };
  const command = request(RequestCode.SEND_MESSAGE_V2, fields);
  const reply = await setup.ask({ ...command, body: Buffer.from('x') });
  assert.is(reply?.code, ResponseCode.SUCCESS);
  const dead = setup.put.messages[0];
  assert.equal([dead?.topic, dead?.queueId, dead?.reconsumeTimes], ['%DLQ%g', 0, 17]);
  assert.equal(
    ['DELAY', ...['DLQ_ORIGIN_TOPIC', 'DLQ_ORIGIN_MESSAGE_ID', 'RINGMQ_DLQ_GROUP', 'RINGMQ_DLQ_REASON']].map(
      (name) => dead?.properties.get(name),
    ),
    [
      '-1',
      'origin',
      'id',
      'g',
      'not consumed after 16 of at most 16 redeliveries (retryMaxTimes of the group)',
    ],
  );
  assert.is(setup.context.stats.total('SNDBCK2DLQ_TIMES', 'origin@g'), 1);
  await setup.ask({ ...request(RequestCode.SEND_MESSAGE_V2, { ...fields, j: 16 }), body: Buffer.from('x') });
  assert.equal([setup.put.messages[1]?.topic, setup.put.messages[1]?.queueId], ['SCHEDULE_TOPIC_XXXX', 4]);
  assert.is(setup.context.stats.total('SNDBCK2DLQ_TIMES', 'origin@g'), 1);
});

test('sends by way of control refuse a NUL among the properties', async () => {
  const setup = setUp();
  const fields = { a: 'p', b: '%RETRY%g', c: 'TBW102', d: 4, e: 0, f: 0, g: 1, h: 0 };
  for (const i of ['\0', 'KEYS\x01a\0\x02', 'DELAY\x013\x02\0']) {
    for (const b of ['%RETRY%g', 't']) {
      const reply = await setup.ask({
        ...request(RequestCode.SEND_MESSAGE_V2, { ...fields, b, i }),
        body: Buffer.from('x'),
      });
      assert.is(reply?.code, ResponseCode.MESSAGE_ILLEGAL);
      assert.match(reply?.remark ?? '', /NUL/);
    }
  }
  assert.is(setup.put.messages.length, 0);
});

test('a stored message with a NUL can be given back, and its copy is stored without', async () => {
  const setup = setUp();
  const stored = message({
    properties: new Map([
      ['KEYS', 'a'],
      ['odd', 'b'],
    ]),
  });
  const { record } = setup.store.append(stored, 1);
  record[Buffer.from(record).indexOf('odd\x01b') + 4] = 0;
  assert.is(decodeRecord(record)?.properties.get('odd'), '\0');
  assert.is((await sendBack(setup, 0))?.code, ResponseCode.SUCCESS);
  const text = encodeProperties(setup.put.messages[0]?.properties ?? []);
  assert.not.ok(text.includes('\0'));
  assert.is(parseProperties(text).get('odd'), '\ufffd');
  assert.is(parseProperties(text).get('KEYS'), 'a');
});

test('what is being given back is bounded in bytes, and what has no room is not even read', async () => {
  const setup = setUp();
  const megabytes = 4;
  for (let i = 0; i < 9; i++) setup.store.append(message({ body: Buffer.alloc(megabytes << 20) }), 1);
  const size = setup.store.maxPhysicalOffset / 9;
  setup.put.holds = true;
  const under = Array.from({ length: 3 }, (_, i) => sendBack(setup, i * size));
  await settle();
  assert.is(setup.store.reads, 3);
  for (let i = 0; i < 100; i++) {
    const refused = await sendBack(setup, 3 * size);
    assert.is(refused?.code, ResponseCode.SYSTEM_BUSY);
    assert.match(refused?.remark ?? '', /more than 16777216 \(limit MAX_SEND_BACK_BYTES\)/);
  }
  assert.is(setup.store.reads, 3);
  setup.put.end(0);
  assert.is((await under[0])?.code, ResponseCode.SUCCESS);
  const next = sendBack(setup, 3 * size);
  await settle();
  assert.is(setup.store.reads, 4);
  for (let i = 1; i < 4; i++) setup.put.end(i, i === 2 ? ResponseCode.SYSTEM_ERROR : 0);
  assert.is((await next)?.code, ResponseCode.SUCCESS);
  assert.is((await under[2])?.code, ResponseCode.SYSTEM_ERROR);
  assert.is((await sendBack(setup, 5))?.code, ResponseCode.SYSTEM_ERROR);
  assert.is(setup.context.sendBacks.taken, 0);
});

test('refusals in RocketMQ order', async () => {
  const setup = setUp({ autoCreateSubscriptionGroup: false });
  assert.is((await sendBack(setup, 0))?.code, ResponseCode.SUBSCRIPTION_GROUP_NOT_EXIST);
  setup.settings.autoCreateSubscriptionGroup = true;
  assert.is((await sendBack(setup, 77))?.remark, 'look message by offset failed, 77');
  setup.store.append(message(), 1);
  setup.put.status = ResponseCode.SERVICE_NOT_AVAILABLE;
  const failed = await sendBack(setup, 0);
  assert.equal([failed?.code, failed?.remark], [ResponseCode.SYSTEM_ERROR, 'SERVICE_NOT_AVAILABLE']);
  setup.put.status = ResponseCode.FLUSH_DISK_TIMEOUT;
  assert.is((await sendBack(setup, 0))?.code, ResponseCode.SUCCESS);
  setup.settings.brokerPermission = 4;
  assert.is((await sendBack(setup, 0))?.remark, 'the broker[10.1.1.1] sending message is forbidden');
});

test('a group without retry queues drops the message', async () => {
  const setup = setUp();
  const group = setup.context.groups.findOrCreate('g');
  if (group !== undefined) setup.context.groups.update({ ...group, retryQueueNums: 0 });
  assert.is((await sendBack(setup, 0))?.code, ResponseCode.SUCCESS);
  assert.is(setup.put.messages.length, 0);
});

const retrySend = (changes: Partial<RetrySend> = {}): RetrySend => ({
  topic: '%RETRY%g',
  queueId: 3,
  reconsumeTimes: 16,
  maxReconsumeTimes: undefined,
  clientVersion: 513,
  properties: new Map([['DELAY', '18']]),
  by: { client: '10.0.0.1:5000', request: 'SEND_MESSAGE' },
  ...changes,
});

test('ordinary sends to a retry topic stay there up to the limit', () => {
  const { context } = setUp();
  const stays = sendToRetryTopic(context, retrySend());
  assert.equal([stays.topic, stays.queueId, stays.properties.get('DELAY')], ['%RETRY%g', 3, '18']);
  const dead = sendToRetryTopic(context, retrySend({ reconsumeTimes: 17 }));
  assert.equal([dead.topic, dead.queueId, dead.properties.get('DELAY')], ['%DLQ%g', 0, '-1']);
  assert.ok(context.topics.has('%DLQ%g'));
  assert.is(sendToRetryTopic(context, retrySend({ maxReconsumeTimes: 2 })).topic, '%DLQ%g');
  assert.is(
    sendToRetryTopic(context, retrySend({ maxReconsumeTimes: 2, clientVersion: 120 })).topic,
    '%RETRY%g',
  );
});

test('what an orderly group sends there is dead', () => {
  const { context } = setUp();
  context.locks.lock('g', [{ brokerName: 'broker-a', queueId: 0, topic: 't' }], 'id');
  const properties = new Map([['DLQ_ORIGIN_TOPIC', 'claimed']]);
  const dead = sendToRetryTopic(context, retrySend({ reconsumeTimes: 3, properties }));
  assert.equal([dead.topic, dead.deadTo], ['%DLQ%g', 'g']);
  assert.is(dead.properties.get('RINGMQ_DLQ_REASON'), 'given up by an orderly consumer (reconsumeTimes 3)');
  assert.is(dead.properties.get('DLQ_ORIGIN_TOPIC'), undefined, 'it does not say where it comes from');
  assert.is(sendToRetryTopic(context, retrySend({ topic: '%RETRY%g+t', reconsumeTimes: 0 })).topic, '%DLQ%g');
});

test('a group that may not be created is named in the refusal', () => {
  const { context } = setUp({ autoCreateSubscriptionGroup: false });
  assert.throws(() => sendToRetryTopic(context, retrySend()), /^subscription group not exist, g /);
});

test.run();
