/** Headers as clients send them, and as nobody should. */
import fc from 'fast-check';

const NAMES = [
  'a',
  'b',
  'e',
  'i',
  'm',
  'topic',
  'queueId',
  'consumerGroup',
  'properties',
  '$ref',
  '__proto__',
  '0',
  '',
  'ü',
];
const MEMBERS = [
  'code',
  'flag',
  'opaque',
  'version',
  'language',
  'remark',
  'serializeTypeCurrentRPC',
  'extFields',
  'other',
];

const INTEGERS = [
  '0',
  '-0',
  '00',
  '1',
  '-1',
  '310',
  '2147483647',
  '2147483648',
  '-2147483648',
  '-2147483649',
  '9007199254740993',
  '123456789012345678901234567890',
  '1.0',
  '1.50',
  '1e3',
  '-',
  '+1',
  '.5',
  '1_0',
  '0x10',
];

const text = fc.oneof(
  fc.constantFrom('', 'T', '0', '-5', 'true', 'TRUE', '17000000000001', 'TAGS\x01A\x02WAIT\x01false\x02'),
  fc.string({ unit: 'binary', maxLength: 12 }),
  fc.string({ unit: 'grapheme', maxLength: 6 }),
  fc.constantFrom('\ud800', '\udc00x', '\ud83d\ude00', '\u0000', '\u2028', '"\\/\b\f\n\r\t'),
);

/** A text as a JSON string, some of its characters as escapes although they need none. */
const quoted = fc.tuple(text, fc.nat(7)).map(([value, mask]) => {
  let out = '"';
  for (let i = 0; i < value.length; i++) {
    const unit = value.charCodeAt(i);
    const plain = JSON.stringify(value[i]).slice(1, -1);
    const isEscaped = ((i + mask) & 3) === 3;
    out += isEscaped ? `\\u${unit.toString(16).padStart(4, '0')}` : plain;
  }
  return `${out}"`;
});

const scalar = fc.oneof(
  { weight: 6, arbitrary: quoted },
  { weight: 3, arbitrary: fc.constantFrom(...INTEGERS) },
  { weight: 1, arbitrary: fc.constantFrom('true', 'false', 'null', 'NaN', 'undefined', "'x'", '"open', '') },
  {
    weight: 1,
    arbitrary: fc.constantFrom('{}', '[]', '[1]', '{"a":"b"}', '"\\x41"', '"\\u12"', '"\\q"', '"\t"'),
  },
);

const blank = fc.oneof(
  { weight: 60, arbitrary: fc.constant('') },
  { weight: 1, arbitrary: fc.constantFrom(' ', '\n', '\t', '\v', '\u00a0', '\ufeff', '/**/', ',') },
);

const name = fc.oneof(
  { weight: 30, arbitrary: fc.constantFrom(...NAMES).map((value) => JSON.stringify(value)) },
  { weight: 1, arbitrary: fc.constantFrom('topic', "'topic'", '"t\\u006fpic"', '7', '{"x":1}') },
);

function objectOf(names: fc.Arbitrary<string>, values: fc.Arbitrary<string>, maxLength: number) {
  const member = fc
    .tuple(blank, names, blank, values, blank)
    .map(([a, key, b, value, c]) => `${a}${key}${b}:${value}${c}`);
  return fc.array(member, { maxLength }).map((members) => `{${members.join(',')}}`);
}

const fields = objectOf(name, scalar, 8);

const integer = fc.constantFrom('0', '1', '-1', '310', '2147483647', '-2147483648');

const plainFields = objectOf(
  fc.constantFrom(...NAMES).map((value) => JSON.stringify(value)),
  fc.oneof(quoted, quoted, integer, fc.constantFrom('true', 'null', '1.5', '-0')),
  3,
);

/** Members that each hold what they should, in any order, some twice. */
const plausibleHeader = fc
  .array(
    fc.oneof(
      fc.tuple(fc.constantFrom('code', 'flag', 'opaque', 'version'), integer),
      fc.tuple(fc.constantFrom('language', 'remark', 'serializeTypeCurrentRPC', 'other'), quoted),
      fc.tuple(fc.constant('extFields'), plainFields),
    ),
    { maxLength: 6 },
  )
  .map((members) => `{${members.map(([key, value]) => `"${key}":${value}`).join(',')}}`);

const memberName = fc.constantFrom(...MEMBERS).map((value) => JSON.stringify(value));

/** Members at their usual places with values that may be anything. */
const anyHeader = objectOf(
  memberName,
  fc.oneof({ weight: 3, arbitrary: scalar }, { weight: 2, arbitrary: fields }),
  9,
);

/** What a well-behaved client sends. */
const usualHeader = fc
  .tuple(
    fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
    fc.integer({ min: 0, max: 3 }),
    fc.array(fc.tuple(fc.constantFrom('a', 'b', 'e', 'i', 'topic', 'queueId'), quoted), { maxLength: 8 }),
  )
  .map(([opaque, flag, entries]) => {
    const members = entries.map(([key, value]) => `"${key}":${value}`).join(',');
    return (
      `{"code":310,"extFields":{${members}},"flag":${flag},"language":"JAVA","opaque":${opaque},` +
      '"serializeTypeCurrentRPC":"JSON","version":513}'
    );
  });

const jsonText = fc.oneof(usualHeader, plausibleHeader, plausibleHeader, anyHeader);

interface Mutation {
  at: number;
  kind: number;
  byte: number;
}

const mutation: fc.Arbitrary<Mutation> = fc.record({ at: fc.nat(400), kind: fc.nat(3), byte: fc.nat(255) });

function mutate(bytes: Uint8Array, { at, kind, byte }: Mutation): Uint8Array {
  const i = bytes.length === 0 ? 0 : at % bytes.length;
  switch (kind) {
    case 0: // one byte replaced
      return Uint8Array.from([...bytes.subarray(0, i), byte, ...bytes.subarray(i + 1)]);
    case 1: // one inserted
      return Uint8Array.from([...bytes.subarray(0, i), byte, ...bytes.subarray(i)]);
    case 2: // one removed
      return Uint8Array.from([...bytes.subarray(0, i), ...bytes.subarray(i + 1)]);
    default: // cut off
      return bytes.slice(0, i);
  }
}

const mutated = (bytes: fc.Arbitrary<Uint8Array>) =>
  fc
    .tuple(bytes, fc.array(mutation, { maxLength: 3 }))
    .map(([start, mutations]) => mutations.reduce(mutate, start));

const jsonBytes = jsonText.map((value) => Uint8Array.from(Buffer.from(value)));
export const jsonHeaders = fc.oneof(jsonBytes, mutated(jsonBytes));

const binaryEntry = fc
  .tuple(fc.constantFrom(...NAMES), fc.oneof(text, fc.constantFrom(...INTEGERS)), fc.nat(40))
  .map(([key, value, lie]) => {
    const keyBytes = Buffer.from(key);
    const valueBytes = Buffer.from(value);
    const head = Buffer.alloc(2);
    const length = Buffer.alloc(4);
    head.writeInt16BE(lie === 1 ? -1 : keyBytes.length);
    length.writeInt32BE(lie === 2 ? 0x7fffffff : lie === 3 ? -1 : valueBytes.length);
    return Buffer.concat([head, keyBytes, length, valueBytes]);
  });

const binaryBytes = fc
  .tuple(
    fc.record({ code: fc.integer({ min: -32768, max: 32767 }), opaque: fc.integer(), flag: fc.nat(3) }),
    text,
    fc.array(binaryEntry, { maxLength: 6 }),
    fc.constantFrom(0, 0, 0, 0, -1, 1, 4, 0x7fffffff),
  )
  .map(([{ code, opaque, flag }, remark, entries, lie]) => {
    const remarkBytes = Buffer.from(remark);
    const body = Buffer.concat(entries);
    const header = Buffer.alloc(21 + remarkBytes.length);
    header.writeInt16BE(code, 0);
    header.writeInt16BE(513, 3);
    header.writeInt32BE(opaque, 5);
    header.writeInt32BE(flag, 9);
    header.writeInt32BE(remarkBytes.length, 13);
    header.set(remarkBytes, 17);
    header.writeInt32BE(lie === 0x7fffffff ? lie : body.length + lie, 17 + remarkBytes.length);
    return Uint8Array.from(Buffer.concat([header, body]));
  });

export const binaryHeaders = fc.oneof(binaryBytes, mutated(binaryBytes));
