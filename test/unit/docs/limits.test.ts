/** docs/limits.md lists every limit of src/lib/limits.ts with its number, and nothing else. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import * as limits from '../../../src/lib/limits.ts';
import { readProjectFile, sourceFiles } from '../../support/source-files.ts';

const test = suite('limits');

const numbers = Object.entries(limits)
  .filter(([, value]) => typeof value === 'number')
  .map(([name, value]): [string, number] => [name, value as number]);

test('the page and the file are equal', () => {
  const rows = readProjectFile('docs/limits.md').matchAll(/^\| (\w+) \| (\d+) \| \S.* \|$/gm);
  const listed = [...rows].map(([, name, number]): [string, number] => [name as string, Number(number)]);
  assert.ok(listed.length > 30, 'the tables of docs/limits.md were found');
  assert.equal(listed.sort(), numbers.sort(), 'each row is: | NAME | number | of what |');
});

test('every limit is enforced somewhere', () => {
  const texts = sourceFiles('src').filter(({ path }) => path !== 'src/lib/limits.ts');
  const unused = numbers
    .map(([name]) => name)
    .filter(
      (name) =>
        name !== 'MAX_REMARK_BYTES' && !texts.some(({ text }) => new RegExp(`\\b${name}\\b`).test(text)),
    );
  assert.equal(unused, []);
});

test('a remark says what, how many and which limit', () => {
  assert.is(limits.limitRemark('topics', 5, 'MAX_TOPICS'), 'topics: more than 5 (limit MAX_TOPICS)');
});

test.run();
