/** Answers from templates, byte by byte against the general encoder, in both forms of headers. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { FieldAnswers } from '../../../src/broker/field-answers.ts';
import { ReplyTemplate } from '../../../src/broker/reply-template.ts';
import { responseTo, SERIALIZE_BINARY, SERIALIZE_JSON } from '../../../src/protocol/command.ts';
import { encodeCommand } from '../../../src/protocol/command-codec.ts';
import { fakeConnection } from '../../support/fake-connection.ts';

const test = suite('reply template');
const FORMS = [SERIALIZE_JSON, SERIALIZE_BINARY];

test('any opaque in either form is answered as the general encoder would', () => {
  const success = new ReplyTemplate(0, undefined, {});
  const client = fakeConnection();
  const opaques = [0, 7, 9, 10, 99_999, 2147483647, -1, -9, -10, -2147483648, 12_345, 54_321, 1];
  for (const opaque of [...opaques, ...opaques.toReversed()]) {
    for (const serializeType of FORMS) {
      success.begin(client.connection, opaque, serializeType === SERIALIZE_BINARY).endHeader();
      const expected = encodeCommand(responseTo({ opaque, serializeType }, 0));
      assert.equal(client.frames(), [expected], `${opaque}`);
    }
  }
});

test('values that vary stand between those that are fixed, whatever these look like', () => {
  const client = fakeConnection();
  const fixed = ['', '0', '"b":"', '"opaque":0', 'Köln', '\\', '\ud800'];
  for (const value of fixed) {
    for (const remark of [undefined, value]) {
      const template = new ReplyTemplate(11, remark, { a: value, b: undefined, 'ü"': value, c: undefined });
      for (const serializeType of FORMS) {
        const binary = serializeType === SERIALIZE_BINARY;
        for (const opaque of [0, -5, 1_000_000]) {
          const reply = template.begin(client.connection, opaque, binary, 4);
          reply.number(-(2 ** 60));
          assert.ok(reply.text('text'));
          reply.out.set(Buffer.from('body'), reply.endHeader(4));
          const fields = { a: value, b: String(-(2 ** 60)), 'ü"': value, c: 'text' };
          const answer = responseTo({ opaque, serializeType }, 11, remark, fields, Buffer.from('body'));
          assert.equal(client.frames(), [encodeCommand(answer)], JSON.stringify(answer));
        }
      }
    }
  }
});

test('an answer of fields that may not stand as they are, or of too many kinds, is left to the general encoder', () => {
  const client = fakeConnection();
  const answers = new FieldAnswers();
  for (let i = 0; i < 200; i++) {
    const value = ['plain', 'a"b', 'ü', '\n', '\\', '', '中'][i % 7] as string;
    const remark = [undefined, `remark ${i}`, 'FOUND', 'x'.repeat(100), ''][i % 5];
    const fields: Record<string, string> = i % 3 === 0 ? { a: value } : { b: value, a: 'x', 'c"d': '' };
    for (const serializeType of FORMS) {
      const body = Buffer.alloc(i % 4, 'b');
      const answer = responseTo({ opaque: i, serializeType }, i % 6, remark, fields);
      const at = answers.write(client.connection, answer, body.length);
      client.connection.output.set(body, at);
      assert.equal(client.frames(), [encodeCommand({ ...answer, body })], JSON.stringify(answer));
    }
  }
});

test.run();
