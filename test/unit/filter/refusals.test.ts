/** What is refused, where the error points, and the limits: no text brings down the parser or its thread. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { compileSql } from '../../../src/filter/sql-filter.ts';
import {
  MAX_EXPRESSION,
  MAX_SQL_DEPTH,
  MAX_SQL_ELEMENTS,
  MAX_SQL_SEARCHES,
} from '../../../src/lib/limits.ts';
import { outcomeOf, refusal } from '../../support/sql.ts';

const test = suite('sql refusals');

/** Every row: expression, 1-based column, what the sentence ends with. */
function refuses(rows: readonly (readonly [string, number, string])[]): void {
  for (const [sql, column, end] of rows) {
    const error = refusal(sql);
    assert.is(error.message, `the SQL filter is wrong at line 1, column ${column}: ${end}`, sql);
    assert.is(error.offset, column - 1);
  }
}

const OPERAND = 'a property, a string, a number, TRUE, FALSE, NULL, NOT, "+", "-" or "("';

test('what is no expression', () => {
  refuses([
    ['', 1, `found the end where ${OPERAND} is expected`],
    ['  ', 3, `found the end where ${OPERAND} is expected`],
    ['a = ', 5, `found the end where ${OPERAND} is expected`],
    ['a = OR b', 5, `found "OR" where ${OPERAND} is expected`],
    ['(a = 1', 7, 'found the end where an operator or ")" is expected'],
    ['a IS 5', 6, 'found "5" where NULL or NOT NULL is expected'],
    ['a IS NOT b', 10, 'found "b" where NULL is expected'],
    ["a NOT = 'x'", 7, 'found "=" where BETWEEN, IN, CONTAINS, STARTSWITH or ENDSWITH is expected'],
    ['a BETWEEN 1, 2', 12, 'found "," where AND is expected'],
    ["a IN 'x'", 6, 'found "\'x\'" where "(" is expected'],
    ['a IN ()', 7, 'found ")" where a string in single quotes is expected'],
    ["a IN ('x' 'y')", 11, 'found "\'y\'" where "," or ")" is expected'],
    ['a IN (1)', 7, 'found "1" where a string in single quotes is expected'],
    ['a CONTAINS b', 12, 'found "b" where a string in single quotes is expected'],
  ]);
});

test('what is no token', () => {
  refuses([
    ['a = #', 5, 'found "#", which begins nothing'],
    ['a == 1', 4, `found "=" where ${OPERAND} is expected`],
    ['a != 1', 3, 'found "!", which begins nothing'],
    ["a = 'x", 5, "the string that begins here has no closing quote (')"],
    ['a = 1 /* and', 7, 'the comment that begins here has no end (*/)'],
    ['a = "x"', 5, 'found """, which begins nothing'],
    ['\u00fc = 1', 1, 'found "\u00fc", which begins nothing'],
    ['a\v= 1', 2, 'found "\v", which begins nothing'],
  ]);
});

test('what cannot be meant', () => {
  const real = 'is out of range, a number written like this is from 4.9e-324 to 1.7976931348623157e308';
  const whole = 'is out of range, a number written like this is at most 9223372036854775807';
  const order = 'cannot be compared by order, only numbers and properties can';
  refuses([
    ['a > 0.0', 5, `0.0 ${real}`],
    ['a > 1e400', 5, `1e400 ${real}`],
    ['a > 1e-400', 5, `1e-400 ${real}`],
    ['a = 9223372036854775808', 5, `9223372036854775808 ${whole}`],
    ['a BETWEEN 5 AND 1', 11, 'BETWEEN 5 AND 1: the first must not be the larger one'],
    ['a BETWEEN 5 AND 4.5', 11, 'BETWEEN 5 AND 4.5: the first must not be the larger one'],
    ["a > 'x'", 5, `the string 'x' ${order}`],
    ['TRUE < a', 1, `TRUE ${order}`],
    ['a BETWEEN NULL AND 5', 11, `NULL ${order}`],
    ["'x' NOT BETWEEN 1 AND 5", 1, `the string 'x' ${order}`],
    ['1 < a < 5', 1, `a condition ${order}`],
    ['a = NULL', 5, 'NULL cannot be compared, use IS NULL or IS NOT NULL'],
    ['(NULL) <> a', 2, 'NULL cannot be compared, use IS NULL or IS NOT NULL'],
    ["TRUE = 'x'", 1, "TRUE cannot be compared with the string 'x'"],
    ["5 IN ('5')", 1, 'the number 5 stands before IN where a property is needed'],
    ["-a IN ('5')", 1, 'a negative value stands before IN where a property is needed'],
    ['5', 1, 'the number 5 stands here where a condition is needed'],
    ["a AND 'x'", 7, "the string 'x' stands here where a condition is needed"],
    ['NOT -5', 5, 'the number -5 stands here where a condition is needed'],
    ['a = 1 OR -a', 10, 'a negative value stands here where a condition is needed'],
  ]);
});

test('the place counts lines and characters', () => {
  const error = refusal("a = 1\r\nAND b = 2\rAND '\ud83d\ude00' =\n\n  #");
  assert.equal([error.line, error.column, error.offset], [5, 3, 31]);
  assert.is(refusal("a = '\ud83d\ude00' AND #").column, 13);
  assert.ok(refusal(`a AND '${'x'.repeat(5000)}'`).message.length < 300, 'long texts are cut');
});

test('a text that is too long', () => {
  const longest = `a = '${'x'.repeat(MAX_EXPRESSION - 6)}'`;
  assert.is(longest.length, MAX_EXPRESSION);
  compileSql(longest);
  assert.match(refusal(`${longest} `).message, /more than 8192 \(limit MAX_EXPRESSION\)/);
  for (const huge of [
    '('.repeat(65_536),
    'NOT '.repeat(16_384),
    "'".repeat(65_536),
    'a AND '.repeat(11_000),
  ]) {
    assert.match(refusal(huge).message, /limit MAX_EXPRESSION/);
  }
});

test('nesting has a limit, in every form that it has', () => {
  const levels = MAX_SQL_DEPTH;
  const forms: [string, (n: number) => string][] = [
    ['parentheses', (n) => `${'('.repeat(n)}a = 1${')'.repeat(n)}`],
    ['NOT', (n) => `${'NOT '.repeat(n)}TRUE`],
    ['signs', (n) => `a = ${'- '.repeat(n)}1`],
    ['plus', (n) => `a = ${'+'.repeat(n)}1`],
    ['chains of =', (n) => `a${' = TRUE'.repeat(n)}`],
    ['chains of IS NULL', (n) => `a${' IS NULL'.repeat(n)}`],
    ['chains of CONTAINS', (n) => `a${" CONTAINS 'x'".repeat(n)}`],
  ];
  for (const [name, form] of forms) {
    outcomeOf(form(levels - 1), { a: '1' });
    assert.match(refusal(form(levels + 1)).message, /more than 200 \(limit MAX_SQL_DEPTH\)/, name);
  }
  // As deep as a text can be, without its end, so that nothing but the depth is wrong.
  for (const part of ['(', 'NOT ', '-', '+', '(a AND ', '(a = 1 OR (', 'NOT(']) {
    const text = part.repeat(Math.floor(MAX_EXPRESSION / part.length));
    assert.match(refusal(text).message, /limit MAX_SQL_DEPTH/, part);
  }
});

test('chains of AND and OR may be as long as a text', () => {
  const chain = (operator: string) => Array.from({ length: 1300 }, () => 'a').join(` ${operator} `);
  assert.is(outcomeOf(chain('AND'), {}), 'null');
  assert.is(outcomeOf(chain('OR'), { a: 'x' }), 'false');
});

test('lists and searches have their limits', () => {
  const list = (n: number) => `a IN (${Array.from({ length: n }, () => "'x'").join()})`;
  compileSql(list(MAX_SQL_ELEMENTS));
  assert.match(refusal(list(MAX_SQL_ELEMENTS + 1)).message, /more than 1024 \(limit MAX_SQL_ELEMENTS\)/);
  const searches = (n: number, one: string) => Array.from({ length: n }, () => one).join(' OR ');
  for (const one of ["a CONTAINS 'x'", 'a = b', "a STARTSWITH '\ufffd'"]) {
    compileSql(searches(MAX_SQL_SEARCHES, one));
    const { message } = refusal(searches(MAX_SQL_SEARCHES + 1, one));
    assert.match(message, /more than 128 \(limit MAX_SQL_SEARCHES\)/);
  }
  compileSql(searches(300, "a STARTSWITH 'x'"));
});

test.run();
