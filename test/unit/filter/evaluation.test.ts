/** What comes of expressions: three values and failure, conversions, texts. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { compileSql } from '../../../src/filter/sql-filter.ts';
import { check, outcomeOf } from '../../support/sql.ts';

const test = suite('sql evaluation');

const OPERANDS = { true: 'TRUE', false: 'FALSE', null: '(x = 1)', failed: '(a = 1)' };

test('AND, OR and NOT over true, false, null and failure', () => {
  const table = [
    ['true', 'true', 'true', 'true'],
    ['true', 'false', 'false', 'true'],
    ['true', 'null', 'null', 'true'],
    ['true', 'failed', 'failed', 'true'],
    ['false', 'true', 'false', 'true'],
    ['false', 'false', 'false', 'false'],
    ['false', 'null', 'false', 'null'],
    ['false', 'failed', 'false', 'failed'],
    ['null', 'true', 'null', 'true'],
    ['null', 'false', 'false', 'null'],
    ['null', 'null', 'null', 'null'],
    ['null', 'failed', 'failed', 'failed'],
    ['failed', 'true', 'failed', 'failed'],
    ['failed', 'false', 'failed', 'failed'],
    ['failed', 'null', 'failed', 'failed'],
    ['failed', 'failed', 'failed', 'failed'],
  ] as const;
  for (const [left, right, and, or] of table) {
    const [a, b] = [OPERANDS[left], OPERANDS[right]];
    check([
      [`${a} AND ${b}`, { a: 'x' }, and],
      [`${a} OR ${b}`, { a: 'x' }, or],
      [`TRUE AND ${a} AND ${b}`, { a: 'x' }, and],
      [`FALSE OR ${a} OR ${b}`, { a: 'x' }, or],
    ]);
  }
  check([
    ['NOT (x = 1)', {}, 'null'],
    ['NOT (a = 1)', { a: 'x' }, 'failed'],
    ['NOT (a = 1)', { a: '1' }, 'false'],
  ]);
});

test('only what is true matches', () => {
  const properties = Buffer.from('a\x011\x02');
  const matching = ['a = 1', 'a = 2', 'x = 1', "a = 'y' = 'z'", 'a', 'TRUE', 'NULL'].filter((sql) =>
    compileSql(sql).matches(properties, 0, properties.length),
  );
  assert.equal(matching, ['a = 1', 'TRUE']);
});

test('null beside =', () => {
  check([
    ['x = 5', {}, 'null'],
    ['5 = x', {}, 'false'],
    ['x <> 5', {}, 'null'],
    ['5 <> x', {}, 'true'],
    ['x = y', {}, 'true'],
    ['a = x', { a: '1' }, 'false'],
    ['x = a', { a: '1' }, 'null'],
    ['x IS NULL', {}, 'true'],
    ['x IS NOT NULL', {}, 'false'],
    ['NULL IS NULL', {}, 'true'],
    ['(a = 1) IS NULL', { a: 'x' }, 'failed'],
    ['NULL', {}, 'null'],
  ]);
});

test('null beside the others', () => {
  check([
    ['x > 5', {}, 'null'],
    ['5 > x', {}, 'null'],
    ['a < x', { a: 'no number' }, 'null'],
    ['x BETWEEN 1 AND 2', {}, 'null'],
    ['x NOT BETWEEN 1 AND 2', {}, 'null'],
    ["x IN ('a')", {}, 'null'],
    ["x NOT IN ('a')", {}, 'null'],
    ["x CONTAINS 'a'", {}, 'false'],
    ["x NOT CONTAINS 'a'", {}, 'false'],
    ['x', {}, 'null'],
    ['NOT x', {}, 'null'],
  ]);
});

test('a property is an integer beside an integer, 32 bits wide where that one is', () => {
  check([
    ['a = 5', { a: '+05' }, 'true'],
    ['5 >= a', { a: '6' }, 'false'],
    ['5 < a', { a: '6' }, 'true'],
    ['a = 5', { a: '5.0' }, 'failed'],
    ['a > 5', { a: ' 6' }, 'failed'],
    ['a > 5', { a: '2147483648' }, 'failed'],
    ['a > 2147483648', { a: '5' }, 'false'],
    ['a > 2147483648', { a: '9223372036854775807' }, 'true'],
    ['a > 2147483648', { a: '9223372036854775808' }, 'failed'],
    ['a = 9007199254740993', { a: '9007199254740992' }, 'false'],
    ['a = 9007199254740993', { a: '9007199254740993' }, 'true'],
    ['a > -9223372036854775807', { a: '-9223372036854775808' }, 'false'],
    ['a < -9223372036854775807', { a: '-9223372036854775808' }, 'true'],
  ]);
});

test('it is a double beside a double, and so are two properties', () => {
  check([
    ['a > 1.5', { a: ' 0x1p3 ' }, 'true'],
    ['a > 1.5', { a: 'Infinity' }, 'true'],
    ['a > 1.5', { a: 'NaN' }, 'true'],
    ['a = 1.0', { a: '1d' }, 'true'],
    ['a < 1.5', { a: 'x' }, 'failed'],
    ['a < b', { a: '-0.0', b: '0' }, 'true'],
    ['a >= b', { a: 'NaN', b: '1e999' }, 'true'],
    ['a < b', { a: '9', b: '10' }, 'true'],
    ['a < b', { a: 'x', b: '10' }, 'failed'],
    ['a < b', { a: '1', b: 'y' }, 'failed'],
    ['a <= b', { a: '9007199254740993', b: '9007199254740992' }, 'true'],
  ]);
});

test('BETWEEN includes both ends, and looks at the second only when the first holds', () => {
  check([
    ['a BETWEEN 1 AND 5', { a: '1' }, 'true'],
    ['a BETWEEN 1 AND 5', { a: '5' }, 'true'],
    ['a BETWEEN 1 AND 5', { a: '6' }, 'false'],
    ['a NOT BETWEEN 1 AND 5', { a: '6' }, 'true'],
    ['a NOT BETWEEN 1 AND 5', { a: '5' }, 'false'],
    ['a BETWEEN 2 AND 1.5e1', { a: '1' }, 'false'],
    ['a BETWEEN b AND c', { a: '1', b: '2', c: 'x' }, 'false'],
    ['a BETWEEN b AND c', { a: '3', b: '2', c: 'x' }, 'failed'],
    ['a BETWEEN -1 AND -2', { a: '-1' }, 'false'],
    ['3 BETWEEN 1 AND a', { a: '3' }, 'true'],
  ]);
});

test('constants beside constants', () => {
  check([
    ['5 > 4', {}, 'true'],
    ['5 = 5.0', {}, 'true'],
    ['9007199254740993 = 9007199254740992.0', {}, 'true'],
    ['9007199254740993 = 9007199254740992', {}, 'false'],
    ["'5' = 5", {}, 'true'],
    ["5 = '5.0'", {}, 'failed'],
    ["'5.0' = 5.0", {}, 'true'],
    ["'x' = 'x'", {}, 'true'],
    ["'9223372036854775807' = 9223372036854775807", {}, 'true'],
    ["'5' = 9223372036854775807", {}, 'false'],
    ["'9223372036854775808' = 5", {}, 'failed'],
  ]);
});

test('texts are true when they say so, conditions cannot be compared with a text behind them', () => {
  check([
    ['a = TRUE', { a: 'tRue' }, 'true'],
    ['a = TRUE', { a: '1' }, 'false'],
    ['a = FALSE', { a: 'no' }, 'true'],
    ['TRUE = a', { a: 'true' }, 'failed'],
    ['TRUE = x', {}, 'false'],
    ["(a = 1) = 'true'", { a: '1' }, 'failed'],
    ['5 = TRUE', {}, 'false'],
    ["'TRUE' = TRUE", {}, 'true'],
    ['(a = 1) = 1', { a: '1' }, 'false'],
    ['a', { a: 'true' }, 'false'],
    ['NOT a', { a: 'true' }, 'true'],
  ]);
});

test('a minus in front of what is no number makes null of it', () => {
  check([
    ['-a = 5', { a: '5' }, 'null'],
    ['-a > 5', { a: '5' }, 'null'],
    ['5 > -a', { a: '5' }, 'null'],
    ["-'5' IS NULL", {}, 'true'],
    ['-TRUE = -NULL', {}, 'true'],
    ['-(a = 1) IS NULL', { a: 'x' }, 'failed'],
    ['a > -(a = 1)', { a: 'x' }, 'failed'],
    ['b > -(a = 1)', { a: 'x' }, 'null'],
  ]);
});

test('searches', () => {
  check([
    ["a CONTAINS 'aab'", { a: 'aaaab' }, 'true'],
    ["a CONTAINS 'abab'", { a: 'abaabab' }, 'true'],
    ["a CONTAINS 'abc'", { a: 'ababab' }, 'false'],
    ["a NOT CONTAINS 'x'", { a: 'abc' }, 'true'],
    ["a STARTSWITH 'ab'", { a: 'abc' }, 'true'],
    ["a STARTSWITH 'abcd'", { a: 'abc' }, 'false'],
    ["a NOT STARTSWITH 'b'", { a: 'abc' }, 'true'],
    ["a ENDSWITH 'bc'", { a: 'abc' }, 'true'],
    ["a NOT ENDSWITH 'bc'", { a: 'abc' }, 'false'],
    ["a NOT CONTAINS ''", { a: 'abc' }, 'false'],
    ["(a = 1) CONTAINS ''", { a: 'x' }, 'false'],
    ["(a = 1) CONTAINS 'x'", { a: 'x' }, 'failed'],
    ["5 NOT CONTAINS '5'", {}, 'false'],
    ["'abc' ENDSWITH 'c'", {}, 'true'],
    ["a CONTAINS '\ud83d'", { a: '\ud83d\ude00' }, 'true'],
    ["a STARTSWITH '\u65e5'", { a: '\u65e5\u672c' }, 'true'],
  ]);
});

test('lists', () => {
  const many = Array.from({ length: 300 }, (_, i) => `'${i}'`).join();
  check([
    ["a IN ('x', 'yy', '')", { a: 'yy' }, 'true'],
    ["a IN ('x', 'yy')", { a: 'y' }, 'false'],
    ["a NOT IN ('x')", { a: 'y' }, 'true'],
    ["(+a) IN ('\u00fc')", { a: '\u00fc' }, 'true'],
    [`a IN (${many})`, { a: '299' }, 'true'],
    [`a IN (${many})`, { a: '300' }, 'false'],
    [`a NOT IN (${many})`, { a: '07' }, 'true'],
  ]);
});

test('bytes that are no UTF-8 are U+FFFD', () => {
  const broken = Buffer.from('61016280ff02620162efbfbdefbfbd02', 'hex');
  assert.is(outcomeOf("a = 'b\ufffd\ufffd'", broken), 'true');
  assert.is(outcomeOf("a = 'b\ufffd'", broken), 'false');
  assert.is(outcomeOf("a IN ('x', 'b\ufffd\ufffd')", broken), 'true');
  assert.is(outcomeOf("a ENDSWITH '\ufffd'", broken), 'true');
  assert.is(outcomeOf('a = b', broken), 'true', 'other bytes, the same text');
  assert.is(outcomeOf("a = 'b'", broken), 'false');
});

test.run();
