/** Which texts are SQL filters and how they are read: tokens, precedence, chains. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { compileSql } from '../../../src/filter/sql-filter.ts';
import { check, outcomeOf } from '../../support/sql.ts';

const test = suite('sql grammar');

test('reserved words in any case, names in their own', () => {
  check([
    ["a Is NoT nUlL aNd b in ('x')", { a: '1', b: 'x' }, 'true'],
    ["A = 'x'", { a: 'x' }, 'null'],
    ["$_a1 = 'x'", { $_a1: 'x' }, 'true'],
    ["inner = 'x'", { inner: 'x' }, 'true'],
    ["isnull = 'x'", { isnull: 'x' }, 'true'],
  ]);
  assert.equal(compileSql("b = 'x' OR aa = b OR b IS NULL").names, ['b', 'aa']);
});

test('strings: quotes within are doubled', () => {
  check([
    ["a = 'it''s'", { a: "it's" }, 'true'],
    ["a = ''''", { a: "'" }, 'true'],
    ["a = 'x\ny'", { a: 'x\ny' }, 'true'],
    ["a = '\u65e5\ud83d\ude00'", { a: '\u65e5\ud83d\ude00' }, 'true'],
    ["a = '-- no /* comment'", { a: '-- no /* comment' }, 'true'],
  ]);
});

test('numbers', () => {
  check([
    ['a = 5L', { a: '5' }, 'true'],
    ['a = 3000000000l', { a: '3000000000' }, 'true'],
    ['a = .5', { a: '0.5' }, 'true'],
    ['a = 5.', { a: '5' }, 'true'],
    ['a = 5E10', { a: '50000000000' }, 'true'],
    ['a = 5.e-1', { a: '.5' }, 'true'],
    ['a = - + - 5', { a: '5' }, 'true'],
    ['a = 00.5', { a: '0.5' }, 'true'],
  ]);
});

test('blanks and comments', () => {
  check([
    ['a\t=\n5\r\f', { a: '5' }, 'true'],
    ['a /* = 6 **/ = /**/ 5', { a: '5' }, 'true'],
    ['-- a = 6\r\na = 5', { a: '5' }, 'true'],
    ['a = -- 6\r5', { a: '5' }, 'true'],
    ['--5 = a', { a: '5' }, 'true'],
    ["a='x'OR(b='y')", { b: 'y' }, 'true'],
  ]);
});

test('AND before OR, and both before nothing else', () => {
  check([
    ['TRUE OR FALSE AND FALSE', {}, 'true'],
    ['(TRUE OR FALSE) AND FALSE', {}, 'false'],
    ['FALSE AND FALSE OR TRUE', {}, 'true'],
    ['a BETWEEN 1 AND 5 AND b = 1', { a: '3', b: '1' }, 'true'],
    ['FALSE = FALSE AND FALSE', {}, 'false'],
  ]);
});

test('NOT and signs bind tighter than comparisons', () => {
  check([
    ['NOT a = TRUE', { a: 'x' }, 'true'],
    ['NOT (a = TRUE)', { a: 'true' }, 'false'],
    ['NOT NOT a', { a: 'true' }, 'false'],
    ['NOT a IS NULL', {}, 'true'],
    ['- 5 < a', { a: '-4' }, 'true'],
  ]);
});

test('chained comparisons are taken from the left', () => {
  check([
    ['a = 1 = TRUE', { a: '1' }, 'true'],
    ['a = 1 = 1', { a: '1' }, 'false'],
    ['a > 1 IS NULL', { a: '2' }, 'false'],
    ['a = b > 1', { a: 'true', b: '2' }, 'true'],
    ['a IS NULL IS NOT NULL', {}, 'true'],
    ["a CONTAINS 'x' CONTAINS 'y'", { a: 'x' }, 'false'],
    ['(a = 1) = (b = 2)', { a: '1', b: '2' }, 'true'],
  ]);
});

test('what follows a complete expression is ignored, as in RocketMQ', () => {
  const filter = compileSql("a = 'x' )  LIKE # ");
  assert.is(filter.ignored, ')  LIKE # ');
  assert.is(outcomeOf("a = 'x' b = 'y'", { a: 'x' }), 'true');
  assert.is(outcomeOf("a = 'x' -- no line end", { a: 'x' }), 'true');
  assert.is(compileSql("a = 'x' -- c\n").ignored, '');
  assert.is(compileSql('a = 007').ignored, '07', 'zeros in front are integers of their own');
});

test.run();
