/** Finding the properties that a filter names, in the text of a record, whatever that holds. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { PropertyNames } from '../../../src/filter/property-names.ts';
import { compileSql } from '../../../src/filter/sql-filter.ts';
import { outcomeOf } from '../../support/sql.ts';

const test = suite('sql properties');

function valueIs(text: string, value: string): string {
  return outcomeOf(`a = '${value}'`, Buffer.from(text));
}

test('the last of two counts, unless it has no value', () => {
  assert.is(valueIs('a\x01x\x02a\x01y\x02', 'y'), 'true');
  assert.is(valueIs('a\x01x\x02a\x01\x02', 'x'), 'true');
  assert.is(valueIs('a\x01x\x02a\x02', 'x'), 'true');
});

test('the last end may be missing, and a value may hold the sign between name and value', () => {
  assert.is(valueIs('b\x01z\x02a\x01x', 'x'), 'true');
  assert.is(valueIs('a\x01x\x01y\x02', 'x\x01y'), 'true');
  assert.is(valueIs('b\x01a\x01x\x02', 'x'), 'null');
});

test('cut, empty and odd texts hold no property', () => {
  for (const text of [
    '',
    'a',
    'a\x01',
    'a\x02',
    'a\x01\x02',
    '\x01x\x02',
    '\x02\x02',
    'a\0\x01x\x02',
    'aa\x01x\x02',
  ]) {
    assert.is(valueIs(text, 'x'), 'null', JSON.stringify(text));
  }
  assert.is(valueIs('a\x01x\0y\x02', 'x\0y'), 'true');
});

test('a filter forgets the message before', () => {
  const filter = compileSql('a = 1 AND b > 1.5');
  const ask = (text: string) => filter.matches(Buffer.from(text), 0, text.length);
  const texts = [
    'a\x011\x02b\x012\x02',
    'a\x012\x02b\x012\x02',
    'a\x011\x02b\x011\x02',
    'b\x012\x02',
    'a\x011\x02b\x012\x02',
  ];
  assert.equal(texts.map(ask), [true, false, false, false, true]);
});

test('names are found among others of their length', () => {
  const names = ['b', 'a', 'zz', 'aa', 'ab', 'name', 'a'.repeat(300), 'Name'];
  const table = new PropertyNames(names);
  const find = (name: string) => {
    const bytes = Buffer.from(`x${name}x`);
    return table.names[table.find(bytes, 1, 1 + name.length)];
  };
  for (const name of names) assert.is(find(name), name);
  for (const name of ['', 'c', 'ac', 'a\x7f', 'nam', 'naMe', 'a'.repeat(299), 'a'.repeat(301), '\u00e4']) {
    assert.is(find(name), undefined, name);
  }
  assert.is(new PropertyNames([]).find(Buffer.from('a'), 0, 1), -1);
});

test('a filter says how often it goes through the properties at most', () => {
  assert.is(compileSql("a > 5 AND a = 'x' OR b IN ('y') OR a < b").passes, 1);
  assert.is(compileSql("a CONTAINS 'x' OR a NOT CONTAINS 'y' OR a = b").passes, 4);
});

test.run();
