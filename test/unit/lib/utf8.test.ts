/** Cutting texts by bytes without cutting characters. */
import * as fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { cutToUtf8 } from '../../../src/lib/utf8.ts';

const test = suite('utf8');

test('what fits stays, the rest is cut before the character that does not fit', () => {
  const text = fc.string({ unit: 'grapheme', maxLength: 60 });
  fc.assert(
    fc.property(text, fc.nat({ max: 120 }), (whole, maxBytes) => {
      const cut = cutToUtf8(whole, maxBytes);
      assert.ok(whole.startsWith(cut));
      assert.ok(Buffer.byteLength(cut) <= maxBytes);
      const next = [...whole.slice(cut.length)][0];
      if (next !== undefined) assert.ok(Buffer.byteLength(cut + next) > maxBytes);
    }),
  );
});

test('texts of millions of characters and lone surrogates', () => {
  assert.is(cutToUtf8('n'.repeat(6 << 20), 1024), 'n'.repeat(1024));
  assert.is(cutToUtf8('é'.repeat(6 << 20), 1023), 'é'.repeat(511));
  assert.is(cutToUtf8('😀'.repeat(1 << 20), 1027), '😀'.repeat(256));
  const lone = cutToUtf8('\ud800'.repeat(10_000), 1024);
  assert.ok(Buffer.byteLength(lone) <= 1024 && lone.length === 341);
});

test.run();
