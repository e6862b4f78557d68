/** Sends: RocketMQ's checks in its order with its codes, and what reaches the log. */

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { SCHEDULE_TOPIC } from '../../../src/lib/names.ts';
import { RequestCode, ResponseCode } from '../../../src/protocol/codes.ts';
import { FLAG_ONEWAY, requestCommand, SERIALIZE_BINARY } from '../../../src/protocol/command.ts';
import { encodeCommand } from '../../../src/protocol/command-codec.ts';
import { CUT_ALL, CUT_BLOCKED } from '../../../src/protocol/frame-cutter.ts';
import { decodeRecord } from '../../../src/record/decode.ts';
import {
  batchItem,
  propertiesOf,
  refusal,
  SendRig,
  SUFFIX,
  sendFields,
  topicDelta,
} from '../../support/send-rig.ts';

const test = suite('send handler');

const NUL_REFUSED = [
  ResponseCode.MESSAGE_ILLEGAL,
  'the message is illegal, its properties hold a NUL character.',
];

test('a plain send is stored with the broker properties behind its own and answered in kind', () => {
  const rig = new SendRig();
  assert.is(
    rig.send({ opaque: 7, fields: sendFields({ e: '2', i: 'TAGS\x01A\x02UNIQ_KEY\x01K1\x02' }) }),
    CUT_ALL,
  );
  assert.is(rig.drain().length, 0, 'no answer before the writer had it');
  assert.is(rig.write(), 1);
  const [reply] = rig.drain();
  assert.equal(
    { ...reply?.fields, code: reply?.code, opaque: reply?.opaque, flag: reply?.flag },
    {
      code: 0,
      opaque: 7,
      flag: 1,
      msgId: '0A00000100002A9F0000000000000000',
      queueId: '2',
      queueOffset: '0',
      transactionId: 'K1',
      MSG_REGION: 'DefaultRegion',
      TRACE_ON: 'true',
    },
  );
  const message = decodeRecord(rig.record(0));
  assert.is(message?.topic, 'T');
  assert.is(message?.queueId, 2);
  assert.is(Buffer.from(message?.body ?? []).toString(), 'hello');
  assert.is(propertiesOf(rig.record(0)), `TAGS\x01A\x02UNIQ_KEY\x01K1\x02${SUFFIX}`);
  assert.is(rig.drain().length, 0, 'answered once');
});

test('a missing separator and a missing unique key are added', () => {
  const rig = new SendRig();
  rig.send({ fields: sendFields({ i: 'TAGS\x01A' }) });
  rig.send({ fields: sendFields() });
  rig.write();
  const key = 'UNIQ_KEY\x010A00000900000000000000000000ABCD\x02';
  assert.is(propertiesOf(rig.record(0)), `TAGS\x01A\x02${key}${SUFFIX}`);
  assert.is(propertiesOf(rig.record(rig.record(0).length)), `${key}${SUFFIX}`);
  assert.equal(
    rig.drain().map((reply) => reply.fields['transactionId']),
    ['0A00000900000000000000000000ABCD', '0A00000900000000000000000000ABCD'],
  );
});

test('long names, letters, batches of one and binary headers mean the same', () => {
  const rig = new SendRig();
  const long = {
    producerGroup: 'P',
    topic: 'T',
    defaultTopic: 'TBW102',
    defaultTopicQueueNums: '4',
    queueId: '1',
    sysFlag: '0',
    bornTimestamp: '1700000000000',
    flag: '9',
    properties: 'UNIQ_KEY\x01K\x02',
  };
  rig.send({ code: RequestCode.SEND_MESSAGE, fields: long });
  rig.send({
    fields: sendFields({ e: '1', h: '9', i: 'UNIQ_KEY\x01K\x02' }),
    serializeType: SERIALIZE_BINARY,
  });
  rig.write();
  const first = rig.record(0);
  const second = rig.record(first.length);
  const strip = (record: Uint8Array) => [
    ...record.subarray(0, 20),
    ...record.subarray(36, 56),
    ...record.subarray(64),
  ];
  assert.equal(strip(second), strip(first));
  assert.equal(
    rig.drain().map((reply) => reply.serializeType),
    [0, SERIALIZE_BINARY],
  );
});

test('checks come in the order of RocketMQ, each with its code', () => {
  const rig = new SendRig();
  rig.view.apply(topicDelta('ordered', { order: true, queues: [5, 6, 7, 8] }));
  const settings = { ...rig.view.settings, brokerPermission: 4, writable: true, notWritableRemark: '' };
  const cases: [fields: Record<string, string>, code: number, remark: RegExp][] = [
    [{}, ResponseCode.SYSTEM_ERROR, /<producerGroup> is null/],
    [sendFields({ e: 'x' }), ResponseCode.SYSTEM_ERROR, /<queueId> is null/],
    [sendFields({ e: '4' }), ResponseCode.INVALID_PARAMETER, /queueId\[4\] is illegal/],
  ];
  for (const [fields, code, remark] of cases) {
    assert.is(rig.send({ fields }), CUT_ALL);
    const [found, text] = refusal(rig);
    assert.is(found, code, String(remark));
    assert.match(text ?? '', remark);
  }
  rig.view.apply(settings);
  rig.send({ fields: sendFields({ b: 'ordered', e: '9' }) });
  assert.is(refusal(rig)[0], ResponseCode.NO_PERMISSION, 'before the queue id');
  rig.send({ fields: sendFields({ e: '0' }) });
  assert.is(rig.write(), 1, 'topics without order are still served');
  rig.view.apply({ ...settings, writable: false, notWritableRemark: 'disk full' });
  rig.drain();
  rig.send({ fields: sendFields({ b: 'ordered' }) });
  assert.equal(refusal(rig), [ResponseCode.SERVICE_NOT_AVAILABLE, 'disk full']);
  assert.is(rig.write(), 0);
});

test('what is refused is counted for the log, with the first client and topic of each reason', () => {
  const rig = new SendRig();
  const notWritableRemark = 'service not available now. The disk of the store is 95 % full';
  rig.send({ fields: sendFields({ e: '9' }) });
  rig.view.apply({ ...rig.view.settings, brokerPermission: 6, writable: false, notWritableRemark });
  for (let i = 0; i < 3; i++) rig.send({ fields: sendFields() });
  const client = rig.client.connection.remoteAddress;
  const told = rig.refusals.take();
  assert.equal(
    told.map(({ reason, count, client, topic }) => [reason, count, client, topic]),
    [
      ['illegal', 1, client, 'T'],
      ['notWritable', 3, client, 'T'],
    ],
  );
  assert.is(told[1]?.remark, notWritableRemark);
  assert.equal(rig.refusals.take(), []);
});

test('a delayed send waits for room in the ring like any other', () => {
  const rig = new SendRig({ ringBytes: 64 * 1024 });
  rig.view.apply(topicDelta(SCHEDULE_TOPIC, { queues: [10], readQueueNums: 1, writeQueueNums: 1 }));
  const fields = sendFields({ i: 'DELAY\x011\x02' });
  const body = Buffer.alloc(5_000);
  let taken = 0;
  while (rig.send({ fields, body }) === CUT_ALL) taken++;
  assert.ok(taken > 5, `${taken}`);
  assert.is(rig.write(), taken);
  assert.is(rig.send({ fields, body }), CUT_ALL);
});

test('bodies: none and too large are illegal, the largest is stored by way of a slab', () => {
  const rig = new SendRig();
  for (const body of [new Uint8Array(0), new Uint8Array(512 * 1024 + 1)]) {
    rig.send({ fields: sendFields(), body });
    assert.is(refusal(rig)[0], ResponseCode.MESSAGE_ILLEGAL);
  }
  const body = Buffer.alloc(512 * 1024, 'x');
  rig.send({ fields: sendFields(), body });
  rig.send({ fields: sendFields(), body });
  assert.is(rig.send({ fields: sendFields(), body }), CUT_BLOCKED, 'both slabs are under way');
  const batch = { code: RequestCode.SEND_BATCH_MESSAGE, fields: sendFields({ m: 'true' }), body };
  assert.is(rig.send(batch), CUT_BLOCKED, 'its lengths lie, but nobody looks before there is room');
  rig.write();
  assert.ok(Buffer.from(decodeRecord(rig.record(0))?.body ?? []).equals(body));
  assert.is(rig.send(batch), CUT_ALL);
  assert.is(refusal(rig)[0], ResponseCode.MESSAGE_ILLEGAL);
  assert.is(rig.send({ fields: sendFields(), body }), CUT_ALL, 'a slab is free again');
});

test('properties past their limit are refused, however far past it', () => {
  const rig = new SendRig({ slabBytes: 600 * 1024 });
  for (const length of [32_760, 70_000, 300_000, 700_000, 3_000_000]) {
    assert.is(rig.send({ fields: sendFields({ i: `K\x01${'v'.repeat(length)}\x02` }) }), CUT_ALL);
    assert.is(refusal(rig)[0], ResponseCode.MESSAGE_ILLEGAL, `${length} characters`);
  }
  rig.send({ fields: sendFields({ i: `K\x01${'v'.repeat(32_000)}\x02` }) });
  assert.is(rig.write(), 1);
});

test('a topic named with escapes is the topic', () => {
  const rig = new SendRig();
  const frame = encodeCommand({
    ...requestCommand(RequestCode.SEND_MESSAGE_V2, sendFields()),
    body: Buffer.from('x'),
  });
  const text = frame.subarray(8).toString('latin1').replace('"b":"T"', '"b":"\\u0054"');
  const header = Buffer.from(text.slice(0, -1));
  const escaped = Buffer.concat([Buffer.alloc(4), header, Buffer.from('x')]);
  escaped.writeUIntBE(header.length, 1, 3);
  assert.is(rig.sendFrame(escaped), CUT_ALL);
  assert.equal(rig.awaited, []);
  assert.is(rig.write(), 1);
});

test('any queue: negative ids are spread over the queues that may be written', () => {
  const rig = new SendRig();
  for (let i = 0; i < 8; i++) rig.send({ fields: sendFields({ e: '-1' }) });
  rig.write();
  const counts = new Map<string, number>();
  for (const { fields } of rig.drain()) {
    counts.set(fields['queueId'] ?? '', (counts.get(fields['queueId'] ?? '') ?? 0) + 1);
  }
  assert.equal([...counts.values()], [2, 2, 2, 2]);
});

test('one-way sends are stored and never answered, nor refused', () => {
  const rig = new SendRig();
  rig.send({ fields: sendFields(), flag: FLAG_ONEWAY });
  rig.send({ fields: sendFields({ e: '99' }), flag: FLAG_ONEWAY });
  assert.is(rig.write(), 1);
  assert.equal(rig.drain(), []);
  assert.is(rig.sends.size, 0);
});

test('no more sends are under way than there are places for answers', () => {
  const rig = new SendRig({ pending: 4 });
  for (let i = 0; i < 4; i++) assert.is(rig.send({ fields: sendFields() }), CUT_ALL);
  assert.is(rig.send({ fields: sendFields() }), CUT_BLOCKED);
  rig.write();
  assert.is(rig.drain().length, 4);
  assert.is(rig.send({ fields: sendFields() }), CUT_ALL);
});

test('a full ring blocks the send and leaves nothing of it', () => {
  const rig = new SendRig({ ringBytes: 4096 });
  const body = Buffer.alloc(900, 'x');
  let taken = 0;
  while (rig.send({ fields: sendFields(), body }) === CUT_ALL) taken++;
  assert.ok(taken >= 2);
  assert.is(rig.sends.size, taken);
  assert.is(rig.write(), taken);
  assert.is(rig.send({ fields: sendFields(), body }), CUT_ALL);
  assert.is(rig.write(), 1);
});

test('numbers past their kind are none, as for RocketMQ', () => {
  const rig = new SendRig();
  const names = { e: 'queueId', f: 'sysFlag', h: 'flag', j: 'reconsumeTimes', g: 'bornTimestamp' };
  for (const [letter, name] of Object.entries(names)) {
    for (const value of [
      '99999999999999999999',
      '9'.repeat(400),
      '1.5',
      letter === 'g' ? 'x' : '2147483648',
    ]) {
      rig.send({ fields: sendFields({ [letter]: value }) });
      assert.equal(refusal(rig), [ResponseCode.SYSTEM_ERROR, `the custom field <${name}> is null`], value);
    }
  }
  rig.send({ fields: sendFields({ g: '9223372036854775807' }) });
  assert.is(rig.write(), 1);
});

test('what goes to control to make a topic is bounded', () => {
  const rig = new SendRig();
  rig.send({ fields: sendFields({ b: 'new', c: 'x'.repeat(1_200_000) }) });
  const [code, remark] = refusal(rig);
  assert.is(code, ResponseCode.INVALID_PARAMETER);
  assert.match(remark ?? '', /field defaultTopic: more than 255 \(limit MAX_NAME\)/);
  assert.equal(rig.awaited, []);
  rig.send({ fields: sendFields({ b: 'new', c: 'x'.repeat(255) }) });
  assert.equal(rig.awaited, ['new']);
});

test('a NUL among the properties is refused wherever it stands, however often, in every kind of header', () => {
  const rig = new SendRig();
  const sound = 'KEYS\x01abc\x02TAGS\x01T\x02UNIQ_KEY\x01K1\x02WAIT\x01true\x02';
  for (const serializeType of [0, SERIALIZE_BINARY]) {
    for (let at = 0; at <= sound.length; at++) {
      const i = `${sound.slice(0, at)}\0${sound.slice(at)}`;
      // The third time the header is known by its template.
      for (let time = 0; time < 3; time++) {
        rig.send({ serializeType, fields: sendFields({ i }) });
        assert.equal(refusal(rig), NUL_REFUSED, `at ${at}`);
      }
    }
    for (const i of ['\0', '\0\0\0\0', 'DELAY\x01\0\x02', 'a\x01\0']) {
      rig.send({ serializeType, fields: sendFields({ i }) });
      assert.equal(refusal(rig), NUL_REFUSED);
    }
  }
  assert.is(rig.write(), 0);
  assert.equal([rig.forwarded, rig.sends.size], [[], 0]);
  rig.send({ fields: sendFields({ i: sound }), body: Buffer.alloc(10) });
  assert.is(rig.write(), 1);
});

test('a NUL in one item of a batch refuses all of it', () => {
  const rig = new SendRig();
  const batch = (...properties: string[]) =>
    rig.send({
      code: RequestCode.SEND_BATCH_MESSAGE,
      fields: sendFields({ m: 'true' }),
      body: Buffer.concat(properties.map((text) => batchItem('\0body\0', text))),
    });
  for (const odd of ['\0', 'KEYS\x01a\0b\x02', 'TAGS\x01T\x02\0', 'ab\0\x01c\x02', 'TAGS\x01TTTTTTTT\0']) {
    batch('TAGS\x01T\x02', odd);
    assert.equal(refusal(rig), NUL_REFUSED, JSON.stringify(odd));
    batch(odd, 'TAGS\x01T\x02');
    assert.equal(refusal(rig), NUL_REFUSED);
  }
  batch('TAGS\x01T\x02', '', 'KEYS\x01\x02');
  assert.is(rig.write(), 1);
});

test('a batch one of whose messages names a second queue is refused; in a body that is only text', () => {
  const rig = new SendRig();
  const batch = (body: string, ...properties: string[]) =>
    rig.send({
      code: RequestCode.SEND_BATCH_MESSAGE,
      fields: sendFields({ m: 'true' }),
      body: Buffer.concat(properties.map((text) => batchItem(body, text))),
    });
  const named = 'INNER_MULTI_DISPATCH\x01%LMQ%$t$y\x02';
  const plain = 'TAGS\x01T\x02UNIQ_KEY\x010123456789ABCD\x02';
  assert.is(named.length, plain.length);
  for (let i = 0; i < 3; i++) {
    for (const properties of [
      [named],
      [plain, named],
      [named, plain],
      [plain, plain, `TAGS\x01T\x02${named}`],
    ]) {
      batch('body', ...properties);
      const [code, remark] = refusal(rig);
      assert.is(code, ResponseCode.MESSAGE_ILLEGAL);
      assert.match(remark ?? '', /INNER_MULTI_DISPATCH/);
    }
    batch(named, plain, plain, plain, 'INNER_MULTI_DISPATCHED\x01%LMQ%$t$y\x02');
    assert.is(rig.write(), 1);
  }
});

test('a reply is checked like any send, then handed to control as it is', () => {
  const rig = new SendRig();
  const { SEND_REPLY_MESSAGE, SEND_REPLY_MESSAGE_V2 } = RequestCode;
  const fields = sendFields({ e: '3', i: 'CORRELATION_ID\x01c\x02' });
  const names = ['producerGroup', 'topic', 'defaultTopic', 'defaultTopicQueueNums', 'queueId', 'sysFlag'];
  const full = Object.fromEntries(
    [...names, 'bornTimestamp', 'flag'].map((name, i) => [name, fields[String.fromCharCode(97 + i)] ?? '']),
  );
  assert.is(rig.send({ code: SEND_REPLY_MESSAGE_V2, fields: { ...fields, m: 'true' } }), CUT_ALL);
  assert.is(rig.send({ code: SEND_REPLY_MESSAGE, fields: full }), CUT_ALL);
  assert.equal([rig.forwarded.length, rig.client.replies().length, rig.write()], [2, 0, 0]);
  for (const [more, code] of [
    [{ e: '4' }, ResponseCode.INVALID_PARAMETER],
    [{ h: '' }, ResponseCode.SYSTEM_ERROR],
  ] as const) {
    rig.send({ code: SEND_REPLY_MESSAGE_V2, fields: sendFields(more) });
    assert.is(refusal(rig)[0], code);
  }
  rig.send({ code: SEND_REPLY_MESSAGE_V2, fields, body: Buffer.alloc(512 * 1024 + 1) });
  assert.is(refusal(rig)[0], ResponseCode.MESSAGE_ILLEGAL);
  rig.send({ code: SEND_REPLY_MESSAGE, fields: { ...full, topic: 'unknown' } });
  assert.equal([rig.awaited, rig.forwarded.length], [['unknown'], 2]);
});

test('whether clients may trace is said as it is now, by messages, answers and refusals', () => {
  const rig = new SendRig();
  for (const traceOn of [false, true]) {
    rig.view.apply({ ...rig.view.settings, traceOn });
    for (const more of [{}, { DELAY: '3' }]) {
      const properties = Object.entries(more).map(([name, value]) => `${name}\x01${value}\x02`);
      rig.view.apply(topicDelta(SCHEDULE_TOPIC, { queues: Array.from({ length: 18 }, (_, i) => 10 + i) }));
      rig.send({ fields: sendFields({ i: properties.join('') }) });
    }
    const start = rig.log.position;
    assert.is(rig.write(), 2);
    assert.equal(
      rig.drain().map(({ fields }) => fields['TRACE_ON']),
      [String(traceOn), String(traceOn)],
    );
    for (let at = start; at < rig.log.position; at += rig.record(at).length) {
      assert.is(decodeRecord(rig.record(at))?.properties.get('TRACE_ON'), String(traceOn));
    }
    rig.send({ fields: sendFields({ e: '99' }) });
    assert.is(rig.client.replies()[0]?.fields['TRACE_ON'], String(traceOn));
  }
});

test('a priority is the number of a queue, for messages of no other type', () => {
  const rig = new SendRig();
  const shown: [properties: string, queue: string, kept: boolean][] = [
    ['_SYS_MSG_PRIORITY_\x010\x02', '0', true],
    ['_SYS_MSG_PRIORITY_\x012\x02', '2', true],
    ['_SYS_MSG_PRIORITY_\x0199\x02', '3', true],
    ['_SYS_MSG_PRIORITY_\x01-1\x02', '1', true],
    ['_SYS_MSG_PRIORITY_\x01high\x02', '1', true],
    ['_SYS_MSG_PRIORITY_\x0199999999999\x02', '1', true],
    ['_SYS_MSG_PRIORITY_\x012\x02__SHARDINGKEY\x01k\x02', '1', false],
    ['TIMER_DELAY_MS\x010\x02_SYS_MSG_PRIORITY_\x012\x02', '1', false],
  ];
  for (const [properties, queue, kept] of shown) {
    const start = rig.log.position;
    rig.send({ fields: sendFields({ e: '1', i: properties }) });
    assert.is(rig.write(), 1, properties);
    const [answer] = rig.drain();
    assert.equal([answer?.code, answer?.fields['queueId']], [0, queue], properties);
    const message = decodeRecord(rig.record(start));
    assert.is(String(message?.queueId), queue);
    assert.is(message?.properties.has('_SYS_MSG_PRIORITY_'), kept, properties);
  }
});

test.run();
