/** Answers from templates against the general encoder, byte by byte, both forms of headers in turn. */
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { FieldAnswers } from '../../src/broker/field-answers.ts';
import { writePullAnswer } from '../../src/broker/pull/pull-reply.ts';
import { ReplyTemplate } from '../../src/broker/reply-template.ts';
import { SendReply } from '../../src/broker/send/send-reply.ts';
import { isPlainText } from '../../src/lib/byte-template.ts';
import { PendingSends, SEND_BINARY, SEND_PLAIN_KEY } from '../../src/net/pending-sends.ts';
import { responseTo, SERIALIZE_BINARY, SERIALIZE_JSON } from '../../src/protocol/command.ts';
import { encodeCommand } from '../../src/protocol/command-codec.ts';
import { encodeMessageId } from '../../src/record/message-id.ts';
import { STATUS_NAMES } from '../../src/store/read/pull-reader.ts';
import { fakeConnection } from '../support/fake-connection.ts';
import { STORE_HOST } from '../support/messages.ts';
import { fuzz } from './run.ts';

const test = suite('replies');

const forms = fc.constantFrom(SERIALIZE_JSON, SERIALIZE_BINARY);
const opaques = fc.oneof(fc.constantFrom(0, 9, 10, -1, -(2 ** 31), 2 ** 31 - 1), fc.integer());
const whole = fc.oneof(fc.constantFrom(0, 9, 10, 2 ** 31, 2 ** 32, 2 ** 52), fc.maxSafeNat());
const text = fc.oneof(
  fc.constantFrom('', '0', 'true', '"queueId":"', '"opaque":0', '\\', '\ud800', '\x7f', 'é', '中'),
  fc.string({ unit: 'binary', maxLength: 20 }),
  fc.stringMatching(/^[0-9A-F]{32}$/),
);
const longer = fc.tuple(text, fc.nat(120)).map(([value, length]) => value.padEnd(length, 'k'));

const keys = fc.oneof(
  longer.map((value) => Buffer.from(value)),
  fc.uint8Array({ maxLength: 70 }).map((bytes) => Buffer.from(bytes)),
);
const handle = fc.option(fc.stringMatching(/^[A-Za-z0-9+/=_-]{1,30}$/), { nil: undefined });
const handles = fc.tuple(handle, fc.constantFrom(1, 1, 17, 40)).map(([some, times]) => some?.repeat(times));
const sizes = fc.option(fc.array(fc.nat(4_000_000), { minLength: 1, maxLength: 140 }), {
  nil: undefined,
  freq: 3,
});
const sent = fc.record({
  ...{ opaque: opaques, queueId: fc.nat(), queueOffset: whole, position: fc.nat(2 ** 52) },
  ...{
    serializeType: forms,
    key: keys,
    sizes,
    recallHandle: handles,
    code: fc.constantFrom(0, 0, 0, 10, 11, 12, 1, 16, -1),
  },
});

test('answers to sends', () => {
  const client = fakeConnection();
  const sends = new PendingSends(4);
  let traceOn = true;
  const replies = ['DefaultRegion', '"msgId":"', 'Köln\ud800'].map(
    (regionId) =>
      [regionId, new SendReply({ storeHost: STORE_HOST, regionId, traceOn: () => traceOn })] as const,
  );
  fuzz(
    fc.tuple(fc.array(sent, { maxLength: 4 }), fc.boolean()),
    ([some, trace]) => {
      traceOn = trace;
      for (const one of some) {
        const plain = isPlainText(one.key, 0, one.key.length);
        sends.clear(1);
        sends.opaque[1] = one.opaque;
        sends.queueId[1] = one.queueId;
        sends.queueOffset[1] = one.queueOffset;
        sends.physicalOffset[1] = one.position;
        // Who knows that a key is plain may say so.
        const says = plain && one.queueId % 2 === 0 ? SEND_PLAIN_KEY : 0;
        sends.flags[1] = says | (one.serializeType === SERIALIZE_BINARY ? SEND_BINARY : 0);
        sends.setKey(1, one.key, 0, one.key.length);
        if (one.recallHandle !== undefined) sends.recallHandles.set(1, one.recallHandle);
        if (one.sizes !== undefined) sends.batchSizes.set(1, Int32Array.from(one.sizes));
        for (const [regionId, reply] of replies) {
          reply.write(client.connection, sends, 1, one.code);
          assert.equal(client.frames(), [sendAnswer(one, regionId, trace)]);
        }
      }
    },
    1_500,
  );
});

type Sent = typeof sent extends fc.Arbitrary<infer T> ? T : never;

function sendAnswer(one: Sent, regionId: string, traceOn: boolean): Buffer {
  let { position } = one;
  const ids = (one.sizes ?? [0]).map((size) => {
    const id = encodeMessageId(STORE_HOST, position);
    position += size;
    return id;
  });
  const fields: Record<string, string> = {
    ...{ MSG_REGION: regionId, TRACE_ON: String(traceOn), msgId: ids.join(',') },
    ...{ queueId: String(one.queueId), queueOffset: String(one.queueOffset) },
  };
  if (one.key.length > 0) fields['transactionId'] = one.key.toString();
  if (one.recallHandle !== undefined) fields['recallHandle'] = one.recallHandle;
  return encodeCommand(responseTo(one, one.code, undefined, fields));
}

test('answers to pulls', () => {
  const client = fakeConnection();
  const answers = fc.record({
    ...{ opaque: opaques, serializeType: forms, code: fc.constantFrom(0, 19, 20, 21) },
    ...{ status: fc.nat(STATUS_NAMES.length - 1), suggestedBrokerId: fc.nat() },
    ...{ nextBeginOffset: fc.maxSafeInteger(), minOffset: whole, maxOffset: whole },
  });
  fuzz(
    answers,
    (answer) => {
      writePullAnswer(client.connection, answer);
      const fields = {
        ...{ groupSysFlag: '0', maxOffset: String(answer.maxOffset), minOffset: String(answer.minOffset) },
        ...{ nextBeginOffset: String(answer.nextBeginOffset), offsetDelta: '0' },
        ...{ suggestWhichBrokerId: String(answer.suggestedBrokerId), topicSysFlag: '0' },
      };
      const expected = encodeCommand(responseTo(answer, answer.code, STATUS_NAMES[answer.status], fields));
      assert.equal(client.frames(), [expected]);
    },
    5_000,
  );
});

const names = fc.constantFrom('a', 'popTime', 'hasMsg', 'x"y', 'ü', '7', '12', '__x', 'opaque');
const fieldLists = fc.dictionary(names, text, { maxKeys: 5 });
const remarks = fc.option(text, { nil: undefined });
const codes = fc.constantFrom(0, 1, 210, -1);

test('answers of any fields, one after the other', () => {
  const client = fakeConnection();
  const answers = fc.record({
    ...{ opaque: opaques, serializeType: forms, code: codes },
    ...{ remark: remarks, fields: fieldLists, body: fc.uint8Array({ maxLength: 5 }) },
  });
  fuzz(
    fc.array(answers, { minLength: 1, maxLength: 8 }),
    (some) => {
      const written = new FieldAnswers();
      for (const { code, remark, fields, body, ...request } of some) {
        // Twice: a template that is there already, and with other values if it can have some.
        for (const value of [undefined, '7']) {
          const other = Object.fromEntries(Object.entries(fields).map(([name, old]) => [name, value ?? old]));
          const answer = responseTo(request, code, remark, other);
          const at = written.write(client.connection, answer, body.length);
          client.connection.output.set(body, at);
          assert.equal(client.frames(), [encodeCommand({ ...answer, body })]);
        }
      }
    },
    2_000,
  );
});

test('templates of fixed and varying fields', () => {
  const client = fakeConnection();
  const field = fc.tuple(names, text, fc.option(whole, { nil: undefined, freq: 2 }));
  fuzz(
    fc.tuple(fc.uniqueArray(field, { selector: ([name]) => name, maxLength: 6 }), remarks, codes, opaques),
    ([fields, remark, code, opaque]) => {
      const template = new ReplyTemplate(
        code,
        remark,
        Object.fromEntries(
          fields.map(([name, fixed, number]) => [name, number === undefined ? fixed : undefined]),
        ),
      );
      const values = Object.fromEntries(
        fields.map(([name, fixed, number]) => [name, String(number ?? fixed)]),
      );
      const numbers = new Map<string, number | undefined>(fields.map(([name, , number]) => [name, number]));
      for (const serializeType of [SERIALIZE_JSON, SERIALIZE_BINARY]) {
        const reply = template.begin(client.connection, opaque, serializeType === SERIALIZE_BINARY);
        // The order of an object's keys, in which numbers come first.
        for (const name in values) {
          const number = numbers.get(name);
          if (number !== undefined) reply.number(number);
        }
        reply.endHeader();
        const expected = encodeCommand(responseTo({ opaque, serializeType }, code, remark, values));
        assert.equal(client.frames(), [expected]);
      }
    },
    3_000,
  );
});

test.run();
