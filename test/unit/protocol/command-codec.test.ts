import * as fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { MAX_FRAME_BYTES, MAX_REMARK_BYTES } from '../../../src/lib/limits.ts';
import {
  FLAG_ONEWAY,
  FLAG_RESPONSE,
  type RemotingCommand,
  SERIALIZE_BINARY,
  SERIALIZE_JSON,
} from '../../../src/protocol/command.ts';
import { decodeCommand, encodeAnswer, encodeCommand } from '../../../src/protocol/command-codec.ts';
import { ProtocolError } from '../../../src/protocol/errors.ts';

function routeRequest(serializeType: number): RemotingCommand {
  return {
    code: 105,
    language: 'JAVA',
    version: 479,
    opaque: 1,
    flag: 0,
    remark: undefined,
    fields: Object.assign(Object.create(null), { topic: 'T' }),
    body: undefined,
    serializeType,
  };
}

const binaryVector = Buffer.from(
  '000000250100002100690001df0000000100000000000000000000000c0005746f7069630000000154',
  'hex',
);
const jsonVector = Buffer.concat([
  Buffer.from('0000007f0000007b', 'hex'),
  Buffer.from(
    '{"code":105,"extFields":{"topic":"T"},"flag":0,"language":"JAVA","opaque":1,' +
      '"serializeTypeCurrentRPC":"JSON","version":479}',
  ),
]);

/** A frame without its length field around any JSON header. */
function jsonFrame(header: string, body = ''): Buffer {
  const text = Buffer.from(header);
  const word = Buffer.alloc(4);
  word.writeUIntBE(text.length, 1, 3);
  return Buffer.concat([word, text, Buffer.from(body)]);
}

function refuses(frame: Uint8Array, code: string): void {
  try {
    decodeCommand(frame);
  } catch (error) {
    assert.instance(error, ProtocolError);
    assert.is((error as ProtocolError).code, code);
    return;
  }
  assert.unreachable('the frame should have been refused');
}

test('golden vectors, both ways', () => {
  assert.equal(encodeCommand(routeRequest(SERIALIZE_BINARY)), binaryVector);
  assert.equal(encodeCommand(routeRequest(SERIALIZE_JSON)), jsonVector);
  assert.equal(decodeCommand(binaryVector.subarray(4)), routeRequest(SERIALIZE_BINARY));
  assert.equal(decodeCommand(jsonVector.subarray(4)), routeRequest(SERIALIZE_JSON));
});

test('field values are text digit by digit', () => {
  const { fields } = decodeCommand(
    jsonFrame('{"code":11,"extFields":{"a":1700000000123456789,"b":true,"c":null,"d":1.50,"e":"x","f":-0}}'),
  );
  assert.equal({ ...fields }, { a: '1700000000123456789', b: 'true', d: '1.50', e: 'x', f: '-0' });
});

test('fields that are no text yet go out as strings', () => {
  const fields = { offset: 5, flag: false } as unknown as Record<string, string>;
  for (const serializeType of [SERIALIZE_JSON, SERIALIZE_BINARY]) {
    const frame = encodeCommand({ ...routeRequest(serializeType), fields });
    assert.equal({ ...decodeCommand(frame.subarray(4)).fields }, { offset: '5', flag: 'false' });
  }
});

test('no key reaches a prototype', () => {
  const { fields } = decodeCommand(jsonFrame('{"code":1,"extFields":{"__proto__":"x","constructor":"y"}}'));
  assert.is(Object.getPrototypeOf(fields), null);
  assert.equal(Object.keys(fields), ['__proto__', 'constructor']);
  assert.is(({} as Record<string, unknown>)['x'], undefined);
});

test('numbers of the header may come as text, languages by number', () => {
  const command = decodeCommand(jsonFrame('{"code":"34","language":9,"opaque":-7,"version":317,"flag":2}'));
  assert.is(command.code, 34);
  assert.is(command.language, 'GO');
  assert.is(command.opaque, -7);
  assert.is(command.flag, FLAG_ONEWAY);
});

test('unknown languages and missing header fields are no reason to refuse', () => {
  assert.is(decodeCommand(jsonFrame('{"language":"COBOL"}')).language, 'COBOL');
  assert.is(decodeCommand(jsonFrame(`{"language":"${'x'.repeat(1000)}"}`)).language, 'OTHER');
  const empty = decodeCommand(jsonFrame('{}'));
  assert.is(empty.language, 'OTHER');
  assert.is(empty.code, 0);
  const binary = Buffer.from(binaryVector.subarray(4));
  binary.writeUInt8(99, 6);
  assert.is(decodeCommand(binary).language, 'OTHER');
});

test('binary headers: truncated request codes are restored, response codes are left alone', () => {
  const pop = { ...routeRequest(SERIALIZE_BINARY), code: 200_050 };
  assert.is(decodeCommand(encodeCommand(pop).subarray(4)).code, 200_050);
  const response = { ...routeRequest(SERIALIZE_BINARY), code: 3442, flag: FLAG_RESPONSE };
  assert.is(decodeCommand(encodeCommand(response).subarray(4)).code, 3442);
});

test('the body is a view of the frame', () => {
  const frame = jsonFrame('{"code":1}', 'hello');
  const { body } = decodeCommand(frame);
  assert.is(body?.buffer, frame.buffer);
  assert.is(Buffer.from(body ?? []).toString(), 'hello');
});

test('lengths that lie', () => {
  refuses(new Uint8Array(0), 'LENGTH');
  refuses(new Uint8Array(3), 'LENGTH');
  refuses(Buffer.from('00ffffff7b7d', 'hex'), 'LENGTH');
  refuses(Buffer.from('01000000', 'hex'), 'LENGTH');
  for (const offset of [17, 21]) {
    for (const lie of [0x7f_ff_ff_ff, -1, 13]) {
      const frame = Buffer.from(binaryVector.subarray(4));
      frame.writeInt32BE(lie, offset);
      refuses(frame, 'LENGTH');
    }
  }
});

test('headers that are none', () => {
  refuses(Buffer.from('02000000', 'hex'), 'SERIALIZE_TYPE');
  refuses(jsonFrame('{"code":'), 'SYNTAX');
  refuses(jsonFrame('[1]'), 'VALUE');
  refuses(jsonFrame('{"code":4294967296}'), 'VALUE');
  refuses(jsonFrame('{"code":1.5}'), 'VALUE');
  refuses(jsonFrame('{"code":""}'), 'VALUE');
  refuses(jsonFrame('{"extFields":[]}'), 'VALUE');
  refuses(jsonFrame('{"extFields":{"a":{}}}'), 'VALUE');
});

test('fields are counted, and there are no references', () => {
  const fields = (count: number) =>
    Object.fromEntries(Array.from({ length: count }, (_, i) => [`f${i}`, 'x']));
  const header = (count: number) => JSON.stringify({ code: 1, extFields: fields(count) });
  assert.is(Object.keys(decodeCommand(jsonFrame(header(64))).fields).length, 64);
  for (const count of [65, 100, 10_000]) {
    refuses(jsonFrame(header(count)), 'LENGTH');
    const binary = encodeCommand({ ...routeRequest(SERIALIZE_BINARY), fields: fields(count) });
    refuses(binary.subarray(4), 'LENGTH');
  }
  const named = decodeCommand(jsonFrame('{"extFields":{"$ref":"$.code"},"code":7}'));
  assert.is(named.fields['$ref'], '$.code');
});

test('frames that are too large are not sent', () => {
  const body = new Uint8Array(MAX_FRAME_BYTES);
  assert.throws(
    () => encodeCommand({ ...routeRequest(SERIALIZE_JSON), body }),
    (error: unknown) => error instanceof ProtocolError && error.code === 'LENGTH',
  );
});

test('an answer that fits no frame becomes one that says so, in the same header format', () => {
  const binaryName = 'n'.repeat(0x80_00);
  for (const serializeType of [SERIALIZE_JSON, SERIALIZE_BINARY]) {
    const answer = { ...routeRequest(serializeType), opaque: -9, remark: 'x'.repeat(6 << 20) };
    const body = new Uint8Array(MAX_FRAME_BYTES);
    const { code, opaque, flag, remark } = decodeCommand(encodeAnswer({ ...answer, body }).subarray(4));
    assert.equal([code, opaque, flag], [1, -9, FLAG_RESPONSE]);
    assert.is(remark, 'no answer: bytes of a frame: more than 16777216 (limit MAX_FRAME_BYTES)');
    const small = { ...answer, body: undefined, fields: { a: 'b' } };
    assert.equal(encodeAnswer(small), encodeCommand(small));
  }
  const fields = { [binaryName]: '1' };
  const refused = decodeCommand(encodeAnswer({ ...routeRequest(SERIALIZE_BINARY), fields }).subarray(4));
  assert.match(refused.remark ?? '', /field name of 32768 bytes/);
});

test('remarks are cut, wherever they come from', () => {
  for (const serializeType of [SERIALIZE_JSON, SERIALIZE_BINARY]) {
    for (const unit of ['a', 'é', '語', '😀', '\ud800', '\0']) {
      const command = { ...routeRequest(serializeType), remark: unit.repeat(2 << 20) };
      const frame = encodeCommand(command);
      const remark = decodeCommand(frame.subarray(4)).remark ?? '';
      assert.ok(frame.length < 8 * MAX_REMARK_BYTES);
      assert.ok(Buffer.byteLength(remark) <= MAX_REMARK_BYTES);
      assert.ok(Buffer.byteLength(remark) > MAX_REMARK_BYTES - 4);
      const [first, ...rest] = new Set(remark);
      assert.equal([first, rest], [unit === '\ud800' ? '\ufffd' : unit, []]);
      const fits = { ...command, remark: 'r'.repeat(MAX_REMARK_BYTES) };
      assert.is(decodeCommand(encodeCommand(fits).subarray(4)).remark, fits.remark);
    }
  }
});

const int16 = fc.integer({ min: -0x80_00, max: 0x7f_ff });
const int32 = fc.integer({ min: -0x80_00_00_00, max: 0x7f_ff_ff_ff });
const text = fc.string({ unit: 'binary', minLength: 1, maxLength: 40 });

function commands(serializeType: number): fc.Arbitrary<RemotingCommand> {
  return fc.record({
    code: int16,
    language: fc.constantFrom('JAVA', 'CPP', 'GO', 'RUST', 'OTHER'),
    version: int16,
    opaque: int32,
    flag: int32.map((flag) => flag | FLAG_RESPONSE),
    remark: fc.option(text, { nil: undefined }),
    fields: fc
      .dictionary(text, text, { noNullPrototype: false })
      .map((fields) => Object.assign(Object.create(null), fields)),
    body: fc.option(fc.uint8Array({ minLength: 1, maxLength: 100 }), { nil: undefined }),
    serializeType: fc.constant(serializeType),
  });
}

for (const serializeType of [SERIALIZE_JSON, SERIALIZE_BINARY]) {
  test(`what is encoded is decoded, serialize type ${serializeType}`, () => {
    fc.assert(
      fc.property(commands(serializeType), (command) => {
        const frame = encodeCommand(command);
        const decoded = decodeCommand(frame.subarray(4));
        assert.is(frame.readInt32BE(0), frame.length - 4);
        assert.equal({ ...decoded, body: undefined }, { ...command, body: undefined });
        assert.equal(Buffer.from(decoded.body ?? []), Buffer.from(command.body ?? []));
      }),
    );
  });
}

test('any bytes give a command or a ProtocolError', () => {
  const header = fc.uint8Array({ maxLength: 60 });
  fc.assert(
    fc.property(fc.constantFrom(0, 1), header, header, (type, head, body) => {
      const word = Buffer.from([type, 0, 0, head.length]);
      try {
        decodeCommand(Buffer.concat([word, head, body]));
      } catch (error) {
        assert.instance(error, ProtocolError);
      }
    }),
    { numRuns: 2000 },
  );
});

test.run();
