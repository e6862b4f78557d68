import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { wrapped } from '../../../src/lib/wrapped.ts';

const test = suite('wrapped');

test('lines have at most the width, and later ones are indented', () => {
  const lines = wrapped(`- ${'word '.repeat(60)}end`, 118, '  ').split('\n');
  assert.ok(lines.length === 3 && lines.every((line) => line.length <= 118));
  assert.ok(lines.slice(1).every((line) => line.startsWith('  w')));
  assert.is(lines.map((line) => line.trim()).join(' '), `- ${'word '.repeat(60)}end`);
});

test('a word that is longer than a line has one of its own', () => {
  assert.is(wrapped('x'.repeat(20), 10), 'x'.repeat(20));
  assert.is(wrapped(`a ${'x'.repeat(20)} b`, 10), `a\n${'x'.repeat(20)}\nb`);
});

test.run();
