/** Whatever bytes come as an SQL filter and as properties: it is compiled or refused by an SqlError, and answers. */
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { FAILED, FALSE, NULL, TRUE } from '../../src/filter/outcome.ts';
import { SqlError } from '../../src/filter/sql-error.ts';
import { compileSql, type SqlFilter } from '../../src/filter/sql-filter.ts';
import { parseProperties } from '../../src/record/properties.ts';
import { fuzz } from './run.ts';

const test = suite('sql filter');

const WORDS = [
  ...[
    'NOT',
    'and',
    'OR',
    'BETWEEN',
    'IN',
    'TRUE',
    'FALSE',
    'NULL',
    'IS',
    'CONTAINS',
    'STARTSWITH',
    'ENDSWITH',
  ],
  ...[
    '(',
    ')',
    ',',
    '=',
    '<>',
    '<',
    '<=',
    '>',
    '>=',
    '+',
    '-',
    '--',
    '/*',
    '*/',
    "'",
    "''",
    '\n',
    '.',
    '0',
    'L',
    'e',
  ],
  ...[
    'a',
    'b',
    'TAGS',
    '$',
    '5',
    '5L',
    '.5',
    '5.',
    '1e3',
    '9223372036854775807',
    "'x'",
    "'5'",
    "'\ud83d'",
    '\ufffd',
  ],
];
const words = fc.array(fc.constantFrom(...WORDS), { maxLength: 30 });
const expressions = fc.oneof(
  words.map((some) => some.join(' ')),
  words.map((some) => some.join('')),
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes).toString('latin1')),
);
const pieces = fc.oneof(
  fc.constantFrom('a', 'b', 'TAGS', '$', '\x01', '\x02', '5', '-', '1e3', ' ', 'NaN', '0x1p3', 'true', '\0'),
  fc.string({ unit: 'binary', maxLength: 4 }),
);
const properties = fc.oneof(
  fc.array(pieces, { maxLength: 20 }).map((some) => Uint8Array.from(Buffer.from(some.join('')))),
  fc.uint8Array({ maxLength: 60 }),
  fc
    .array(fc.constantFrom(0, 1, 2, 0x61, 0x62, 0x35, 0xed, 0xa0, 0x80), { maxLength: 40 })
    .map((some) => Uint8Array.from(some)),
);

function compiled(sql: string): SqlFilter | undefined {
  try {
    return compileSql(sql);
  } catch (error) {
    if (!(error instanceof SqlError)) throw error;
    assert.ok(error.offset >= 0 && error.offset <= sql.length, 'it points into the text');
    assert.ok(error.line >= 1 && error.column >= 1);
    return undefined;
  }
}

test('an expression is compiled or refused, and a filter answers', () => {
  let answers = 0;
  const inputs = fc.tuple(expressions, properties);
  fuzz(
    inputs,
    ([sql, bytes]) => {
      const filter = compiled(sql);
      if (filter === undefined) return;
      const outcome = filter.evaluate(bytes, 0, bytes.length);
      assert.ok([TRUE, FALSE, NULL, FAILED].includes(outcome));
      assert.is(filter.matches(bytes, 0, bytes.length), outcome === TRUE, 'and the same once more');
      answers++;
    },
    20_000,
  );
  assert.ok(answers > 500, `only ${answers} expressions were compiled`);
});

test('a filter sees the properties that the map of them holds', () => {
  const filter = compileSql('a IS NULL');
  const texts = fc.array(pieces, { maxLength: 20 }).map((some) => some.join(''));
  fuzz(
    texts,
    (text) => {
      const bytes = Buffer.from(text);
      const value = parseProperties(bytes.toString()).get('a');
      assert.is(filter.matches(bytes, 0, bytes.length), value === undefined);
      if (value === undefined) return;
      const equals = compileSql(`a = '${value.replaceAll("'", "''")}'`);
      assert.ok(equals.matches(bytes, 0, bytes.length), 'value');
    },
    20_000,
  );
});

test.run();
