/** Integers and doubles in UTF-8, as Java reads them. The oracle test in test/interop compares many more with Java. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  compareDoubles,
  INT,
  JavaDouble,
  JavaInteger,
  LONG,
  NO_INTEGER,
  parseDouble,
} from '../../../src/lib/java-numbers.ts';

const test = suite('java numbers');

/** Between other bytes, as in a record. */
function within(text: string): [bytes: Uint8Array, from: number, to: number] {
  const bytes = Buffer.from(text);
  return [Buffer.concat([Buffer.from('9-'), bytes, Buffer.from('99')]), 2, 2 + bytes.length];
}

function integer(text: string): [state: number, value?: bigint] {
  const number = new JavaInteger();
  const state = number.read(...within(text));
  if (state === NO_INTEGER) return [state];
  return [state, BigInt(number.high) * 10n ** 15n + BigInt(number.low)];
}

function double(text: string): number | undefined {
  const number = new JavaDouble();
  const isDouble = number.read(...within(text));
  assert.equal(isDouble ? number.value : undefined, parseDouble(text), `${text}: in place and as a text`);
  return isDouble ? number.value : undefined;
}

test('integers of 32 and of 64 bits', () => {
  for (const [text, value] of [
    ['0', 0n],
    ['-0', 0n],
    ['+5', 5n],
    ['007', 7n],
    [`-${'0'.repeat(60)}12`, -12n],
    ['2147483647', 2147483647n],
    ['-2147483648', -2147483648n],
  ] as const) {
    assert.equal(integer(text), [INT, value], text);
  }
  for (const value of [
    2147483648n,
    -2147483649n,
    9007199254740993n,
    2n ** 63n - 1n,
    -(2n ** 63n),
    10n ** 15n,
  ]) {
    assert.equal(integer(String(value)), [LONG, value]);
  }
});

test('what is no integer of 64 bits', () => {
  const texts = [
    '',
    '+',
    '-',
    '--5',
    '+-5',
    '5-',
    ' 5',
    '5 ',
    '1.0',
    '1e3',
    '5L',
    '0x10',
    'abc',
    '5\0',
    '1_000',
  ];
  for (const text of [...texts, String(2n ** 63n), String(-(2n ** 63n) - 1n), '1'.repeat(4000)]) {
    assert.equal(integer(text), [NO_INTEGER], text);
  }
});

test('digits of other scripts count in integers, not in doubles', () => {
  assert.equal(integer('-\u0665\uff16'), [INT, -56n]);
  assert.equal(integer(`99999${'\uff10'.repeat(5)}`), [LONG, 9_999_900_000n], 'more bytes than digits');
  for (const text of ['\u19da', '\ud835\udfce', '\u0665x', '\u00e4'])
    assert.equal(integer(text), [NO_INTEGER], text);
  assert.is(double('\u0665'), undefined);
});

test('64-bit integers are compared exactly', () => {
  const number = new JavaInteger();
  const order = (left: bigint, right: bigint) => {
    number.set(left);
    return Math.sign(number.compare(Number(right / 10n ** 15n), Number(right % 10n ** 15n)));
  };
  const values = [
    -(2n ** 63n) + 1n,
    -(10n ** 15n) - 1n,
    -(10n ** 15n),
    -1n,
    0n,
    1n,
    2n ** 53n,
    2n ** 53n + 1n,
  ];
  for (const [i, left] of values.entries()) {
    for (const [j, right] of values.entries())
      assert.is(order(left, right), Math.sign(i - j), `${left} ${right}`);
  }
});

test('decimal doubles', () => {
  for (const [text, value] of [
    ['5', 5],
    [' 1.5 ', 1.5],
    ['\t+.5\n', 0.5],
    ['5.', 5],
    ['1e3', 1000],
    ['-1.5E-3d', -0.0015],
    ['1f', 1],
    ['0.30000000000000004', 0.1 + 0.2],
    ['0.1', 0.1],
    ['9007199254740993', 2 ** 53],
    ['123456789012345.6', 123456789012345.6],
    ['1e400', Number.POSITIVE_INFINITY],
    ['-1e-400', -0],
    [`0.${'0'.repeat(400)}1e401`, 1],
    ['-0', -0],
    ['NaN', Number.NaN],
    ['-NaN', Number.NaN],
    ['+Infinity', Number.POSITIVE_INFINITY],
    [' -Infinity\0', Number.NEGATIVE_INFINITY],
  ] as const) {
    const found = double(text);
    assert.ok(Object.is(found, value), `${JSON.stringify(text)}: ${found}, expected ${value}`);
  }
});

test('hexadecimal doubles are rounded once, half to even', () => {
  for (const [text, value] of [
    ['0x1p3', 8],
    ['-0X1.8P+1f', -3],
    ['0x.8p1', 1],
    ['0x1.p0', 1],
    ['0x0p99999999999', 0],
    ['-0x0.0p1', -0],
    ['0x1.00000000000008p0', 1],
    ['0x1.000000000000080000000000000000000000000000000000001p0', 1 + Number.EPSILON],
    ['0x1.00000000000018p0', 1 + 2 * Number.EPSILON],
    ['0x1.fffffffffffff7p1023', Number.MAX_VALUE],
    ['0x1.fffffffffffff8p1023', Number.POSITIVE_INFINITY],
    ['0x1p1024', Number.POSITIVE_INFINITY],
    ['0x1p99999999999', Number.POSITIVE_INFINITY],
    ['0x1p-1074', Number.MIN_VALUE],
    ['0x1p-1075', 0],
    ['0x1.8p-1075', Number.MIN_VALUE],
    ['0x1p-99999999999', 0],
    [`0x1${'0'.repeat(300)}p-1200`, 1],
  ] as const) {
    const found = double(text);
    assert.ok(Object.is(found, value), `${text}: ${found}, expected ${value}`);
  }
});

test('what is no double', () => {
  const texts = [
    '',
    ' ',
    '.',
    '+',
    'e1',
    '1e',
    '1e+',
    '1..2',
    '1.2.3',
    '--1',
    '1df',
    '1L',
    '1,5',
    '1_0',
    '1 2',
    '\u00a01',
  ];
  const named = [
    'nan',
    'NaNd',
    'Inf',
    'infinity',
    'Infinityf',
    '0x10',
    '0x1p',
    '0x.p1',
    '0xp1',
    '0x1.2.3p1',
    '0b1',
  ];
  for (const text of [...texts, ...named]) assert.is(double(text), undefined, JSON.stringify(text));
});

test('doubles in the order of Double.compareTo', () => {
  const ascending = [
    Number.NEGATIVE_INFINITY,
    -1,
    -0,
    0,
    Number.MIN_VALUE,
    1,
    Number.POSITIVE_INFINITY,
    Number.NaN,
  ];
  for (const [i, left] of ascending.entries()) {
    for (const [j, right] of ascending.entries()) {
      assert.is(Math.sign(compareDoubles(left, right)), Math.sign(i - j), `${left} and ${right}`);
    }
  }
});

test.run();
