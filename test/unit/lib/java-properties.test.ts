import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { formatJavaProperties, parseJavaProperties } from '../../../src/lib/java-properties.ts';

const test = suite('java properties');

const parse = (text: string) => Object.fromEntries(parseJavaProperties(text));

test('separators, blanks, comments and line ends', () => {
  assert.equal(parse('a=1\r\n  b : 2\rc 3\n# x=1\n! y=2\n\nd\ne=\nf==x\n'), {
    a: '1',
    b: '2',
    c: '3',
    d: '',
    e: '',
    f: '=x',
  });
});

test('escapes and continued lines', () => {
  assert.equal(parse('a\\=b=\\u0041\\tc\\\\\nlist=1,\\\n   2,\\\n   3\nend=x\\'), {
    'a=b': 'A\tc\\',
    list: '1,2,3',
    end: 'x',
  });
});

test('a line goes on after an odd number of backslashes, of however many', () => {
  assert.equal(parse('a=\\\\\nb=1'), { a: '\\', b: '1' });
  assert.equal(parse('a=\\\\\\\n\\\nb=1'), { a: '\\b=1' });
  const many = '\\'.repeat(200_000);
  assert.equal(Object.keys(parse(`a=${many}x\n${many}\\\nb=1`)).length, 2);
  const continued = 'x\\\n'.repeat(100_000);
  assert.is(parse(`a=${continued}`)['a'], 'x'.repeat(100_000));
});

test('the last of equal keys wins; values keep their trailing blanks', () => {
  assert.equal(parse('a=1\na=2 '), { a: '2 ' });
});

test('prints one line each', () => {
  assert.is(
    formatJavaProperties([
      ['a', '1'],
      ['b', 'x=y'],
    ]),
    'a=1\nb=x=y\n',
  );
});

test('what is printed is read back as it was, also by a reader of Latin-1 as Java is', () => {
  const odd = {
    path: 'C:\\store\\new\ttab',
    ' key: with=all ': ' leading and trailing ',
    '#hash': '!bang',
    name: 'für 消息 🙂',
    lines: 'a\r\nb\f',
    empty: '',
  };
  const text = formatJavaProperties(Object.entries(odd));
  assert.match(text, /^[\x20-\x7e\n]*$/);
  assert.equal(parse(text), odd);
  assert.is(formatJavaProperties([['p', '/a\\b']]), 'p=/a\\\\b\n');
});

test.run();
