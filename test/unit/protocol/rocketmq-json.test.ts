import * as fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { ProtocolError } from '../../../src/protocol/errors.ts';
import {
  parseRocketJson,
  REQUEST_JSON,
  type RocketJson,
  writeRocketJson,
} from '../../../src/protocol/rocketmq-json.ts';

/** Null prototypes and Maps in a form that compares and prints well. */
function plain(json: RocketJson): unknown {
  if (json instanceof Map) return { map: [...json].map(([key, value]) => [plain(key), plain(value)]) };
  if (Array.isArray(json)) return json.map(plain);
  if (typeof json !== 'object' || json === null) return json;
  assert.is(Object.getPrototypeOf(json), null);
  return Object.fromEntries(Object.entries(json).map(([key, value]) => [key, plain(value)]));
}

function refuses(text: string, message: RegExp, options = {}): void {
  assert.throws(
    () => parseRocketJson(text, options),
    (error: unknown) => error instanceof ProtocolError && message.test(error.message),
  );
}

test('integer keys, quoted or not', () => {
  assert.equal(plain(parseRocketJson('{0:"a",1:"b"}')), { 0: 'a', 1: 'b' });
  assert.equal(plain(parseRocketJson('{"0":"a",-1:"b"}')), { 0: 'a', '-1': 'b' });
});

test('objects as keys make a Map', () => {
  const text = '{{"brokerName":"b","queueId":0,"topic":"t"}:{"maxOffset":7},{"brokerName":"b"}:1}';
  assert.equal(plain(parseRocketJson(text)), {
    map: [
      [{ brokerName: 'b', queueId: 0, topic: 't' }, { maxOffset: 7 }],
      [{ brokerName: 'b' }, 1],
    ],
  });
});

test('what lenient writers send', () => {
  assert.equal(plain(parseRocketJson('{"a":"it",b:[1,2,],}')), { a: 'it', b: [1, 2] });
  assert.equal(plain(parseRocketJson('\n{ $a_1 :\t"\\u4e2d\\u0041\\/\'" , } ')), { $a_1: "中A/'" });
  assert.equal(plain(parseRocketJson('[true,false,null,1.0E10,-0.5]')), [true, false, null, 1e10, -0.5]);
});

test('what no client and no file of RocketMQ holds is refused', () => {
  refuses("{'a':1}", /"'" at position 1/);
  refuses('["\\x41"]', /"x" at position 3/);
  refuses('["\\v"]', /"v" at position 3/);
  refuses('["\\0"]', /"0" at position 3/);
  refuses('[NaN]', /"N" at position 1/);
  refuses('{1.5:2}', /"\." at position 2/);
  refuses('[1,\v2]', /at position 3/);
});

test('escapes are resolved wherever they stand', () => {
  assert.is(parseRocketJson('"\\n"'), '\n');
  assert.is(parseRocketJson('"ab\\"c\\\\d\\u00e9"'), 'ab"c\\d\u00e9');
  assert.is(parseRocketJson(`"${'\\u0001'.repeat(100_000)}"`), '\u0001'.repeat(100_000));
});

test('integers keep all digits', () => {
  assert.equal(plain(parseRocketJson('[9007199254740991,9007199254740992,-9223372036854775808]')), [
    9007199254740991,
    9007199254740992n,
    -9223372036854775808n,
  ]);
  assert.equal(plain(parseRocketJson('[9223372036854775807,1.50]', { numbers: 'text' })), [
    '9223372036854775807',
    '1.50',
  ]);
});

test('references to what stood before are resolved', () => {
  const text =
    '{"a":{"%R%.x":{"v":[{"n":1}]}},"b":{"$ref":"$.a"},"c":{"$ref":"$.a.%R%\\\\.x.v[0]"},"d":{"$ref":"$.a[\'%R%.x\'].v"}}';
  const value = parseRocketJson(text) as Record<string, RocketJson>;
  assert.is(value['b'], value['a']);
  assert.equal(plain(value['c'] ?? null), { n: 1 });
  assert.equal(plain(value['d'] ?? null), [{ n: 1 }]);
});

test('references that would make a cycle, look ahead or lead nowhere become null', () => {
  const text =
    '{"a":{"$ref":"$"},"b":{"$ref":"$.c"},"c":{"d":{"$ref":"$.c"}},"e":{"$ref":".."},"f":[{"$ref":"$.x[3]"}]}';
  assert.equal(plain(parseRocketJson(text)), { a: null, b: null, c: { d: null }, e: null, f: [null] });
});

test('no key reaches a prototype', () => {
  const value = parseRocketJson('{"__proto__":{"polluted":1},"constructor":2}');
  assert.equal(Object.keys(value as object), ['__proto__', 'constructor']);
  assert.is(({} as Record<string, unknown>)['polluted'], undefined);
});

test('errors name the position', () => {
  refuses('', /end of text at position 0/);
  refuses('{"a":1}x', /"x" at position 7/);
  refuses('{"a" 1}', /"1" at position 5/);
  refuses('{"a":tru}', /"t" at position 5/);
  refuses('[1 2]', /"2" at position 3/);
  refuses('[01]', /"1" at position 2/);
  refuses('"abc', /string at position 0 does not end/);
  refuses('  "ab\\"c', /string at position 2 does not end/);
  refuses('"\\q"', /"q" at position 2/);
  refuses('"\\u12"', /"u" at position 2/);
  refuses('{[1]:2}', /"\[" at position 1/);
  refuses('[', /end of text/);
});

test('a reference is charged what it stands for', () => {
  const item = `{${Array.from({ length: 9 }, (_, i) => `"m${i}":${i}`)}}`;
  const text = (refs: number) => `{"a":${item},"b":[${Array(refs).fill('{"$ref":"$.a"}')}]}`;
  const maxValues = { count: 112, limit: 'MAX_OF_THE_TEST' };
  const value = parseRocketJson(text(10), { maxValues }) as Record<string, RocketJson>;
  assert.is((value['b'] as RocketJson[])[9], value['a']);
  refuses(text(11), /values in a JSON text: more than 112 \(limit MAX_OF_THE_TEST\)/, { maxValues });
});

test('references to references grow no faster than they are charged', () => {
  const bomb = `{"x0":[1,2],${Array.from({ length: 30 }, (_, i) => `"x${i + 1}":[{"$ref":"$.x${i}"},{"$ref":"$.x${i}"}]`)}}`;
  refuses(bomb, /limit MAX_JSON_VALUES/, REQUEST_JSON);
  const texts = `{"t":["${'x'.repeat(60_000)}"],"b":[${Array(1000).fill('{"$ref":"$.t"}')}]}`;
  refuses(texts, /limit MAX_JSON_VALUES/, REQUEST_JSON);
});

test('a body of many references costs no more than its bytes', () => {
  const subscriptions = Array.from({ length: 2000 }, (_, i) => `{"topic":"t${i}","subString":"*"}`);
  const first = `{"groupName":"g","subscriptionDataSet":[${subscriptions}]}`;
  const body = `{"clientID":"c","consumerDataSet":[${first}${',{"$ref":"$.consumerDataSet[0]"}'.repeat(5000)}]}`;
  refuses(body, /limit MAX_JSON_VALUES/, REQUEST_JSON);
});

test('references can be switched off', () => {
  assert.equal(plain(parseRocketJson('{"a":[1],"b":{"$ref":"$.a"}}', { references: false })), {
    a: [1],
    b: { $ref: '$.a' },
  });
});

test('budgets of what clients send name themselves', () => {
  refuses(
    `[${'1,'.repeat(256 * 1024)}]`,
    /values in a JSON text: more than 262144 \(limit MAX_JSON_VALUES\)/,
    REQUEST_JSON,
  );
  refuses(' '.repeat(4 * 1024 * 1024 + 1), /limit MAX_JSON_BODY/, REQUEST_JSON);
  refuses(`[${'9'.repeat(65)}]`, /number of 65 digits at position 1/);
  refuses(`["${'x'.repeat(65_537)}"]`, /more than 65536 \(limit MAX_JSON_TEXT\)/, REQUEST_JSON);
  refuses(`["${'\\n'.repeat(65_537)}"]`, /limit MAX_JSON_TEXT/, REQUEST_JSON);
  assert.is((parseRocketJson(`["${'x'.repeat(65_536)}"]`, REQUEST_JSON) as string[])[0]?.length, 65_536);
  const ours = parseRocketJson(`[${'1,'.repeat(300 * 1024)}]`) as RocketJson[];
  assert.is(ours.length, 300 * 1024);
});

test('caps on depth and size', () => {
  refuses('['.repeat(201), /deeper than 200/);
  refuses('{"a":'.repeat(100_000), /deeper than 200/);
  refuses('[[1]]', /deeper than 1 /, { maxDepth: 1 });
  refuses('[1,2,3]', /exceeds 5/, { maxLength: 5 });
});

test('members sorted, nulls left out', () => {
  const value = { b: 1, a: undefined, c: null, Z: [undefined, null, NaN], d: { y: true, x: 'ü\n' } };
  assert.is(writeRocketJson(value), '{"Z":[null,null,null],"b":1,"d":{"x":"ü\\n","y":true}}');
});

test('maps write number and object keys raw', () => {
  const table = new Map<unknown, unknown>([
    [{ topic: 't', brokerName: 'b', queueId: 0 }, { maxOffset: 9223372036854775807n }],
    [10, 'x'],
    ['s', undefined],
    [7n, 1],
  ]);
  assert.is(
    writeRocketJson(table),
    '{{"brokerName":"b","queueId":0,"topic":"t"}:{"maxOffset":9223372036854775807},10:"x",7:1}',
  );
});

test('standard JSON on demand', () => {
  const text = writeRocketJson(
    new Map([
      [0, 9007199254740993n],
      [1, 5n],
    ]),
    { standard: true },
  );
  assert.is(text, '{"0":"9007199254740993","1":5}');
});

test('pretty as config files are', () => {
  const value = { table: new Map([[1, { b: [1, 2], a: {} }]]), list: [] };
  assert.is(
    writeRocketJson(value, { pretty: true }),
    '{\n\t"list":[],\n\t"table":{\n\t\t1:{\n\t\t\t"a":{},\n\t\t\t"b":[\n\t\t\t\t1,\n\t\t\t\t2\n\t\t\t]\n\t\t}\n\t}\n}',
  );
});

test('what is no data is not written', () => {
  const cycle: Record<string, unknown> = {};
  cycle['self'] = cycle;
  for (const value of [() => 1, Symbol('s'), cycle]) {
    assert.throws(
      () => writeRocketJson(value),
      (error: unknown) => error instanceof ProtocolError,
    );
  }
});

const scalars = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.boolean(),
  fc.maxSafeInteger(),
  // Integral doubles past 2^53 come back as bigint; Java writes none without an exponent.
  fc
    .double({ noNaN: true, noDefaultInfinity: true })
    .filter((value) => Number.isSafeInteger(value) || !Number.isInteger(value)),
  fc.bigInt({ min: 2n ** 53n, max: 2n ** 63n - 1n }),
);

const { document } = fc.letrec<{ document: unknown }>((tie) => ({
  document: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    scalars,
    fc.array(tie('document'), { maxLength: 4 }),
    fc.dictionary(fc.string({ unit: 'binary' }), tie('document'), { maxKeys: 4, noNullPrototype: true }),
  ),
}));

test('what is written is read back, pretty or not', () => {
  fc.assert(
    fc.property(document, fc.boolean(), (value, pretty) => {
      assert.equal(plain(parseRocketJson(writeRocketJson(value, { pretty }))), value);
    }),
  );
});

test('standard JSON is read as JSON.parse reads it, but for integers past 2^53', () => {
  const rounded = (_key: string, value: unknown) => (typeof value === 'bigint' ? Number(value) : value);
  fc.assert(
    fc.property(fc.json(), (text) => {
      assert.is(JSON.stringify(parseRocketJson(text), rounded), JSON.stringify(JSON.parse(text)));
    }),
  );
});

test('any text gives a value or a ProtocolError', () => {
  const pieces = fc.constantFrom(
    '{',
    '}',
    '[',
    ']',
    ',',
    ':',
    '"',
    "'",
    '\\',
    'a',
    '1',
    '-',
    '.',
    'e',
    ' ',
    '$ref',
    'null',
  );
  fc.assert(
    fc.property(fc.array(pieces, { maxLength: 25 }), (parts) => {
      try {
        parseRocketJson(parts.join(''));
      } catch (error) {
        assert.instance(error, ProtocolError);
      }
    }),
    { numRuns: 5000 },
  );
});

test.run();
