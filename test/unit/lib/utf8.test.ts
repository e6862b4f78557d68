/** Cutting texts by bytes without cutting characters. */
import * as fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { cutToUtf8, utf8Length, writeCodePoint, writeUtf8 } from '../../../src/lib/utf8.ts';

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

test('texts are counted and written as Buffer does, short ones and long ones', () => {
  const endings = ['', 'x', 'é', '中', '\u{1f600}', '\ud800', '\udc00y', '\0'];
  for (let length = 0; length < 70; length++) {
    for (const ending of endings) {
      const text = 'a'.repeat(length) + ending;
      const expected = Buffer.from(text);
      assert.is(utf8Length(text), expected.length);
      const bytes = Buffer.alloc(expected.length + 6, 0xee);
      assert.is(writeUtf8(bytes, 3, text), 3 + expected.length);
      assert.equal(bytes.subarray(3, -3), expected);
      assert.equal([bytes[2], bytes.at(-3)], [0xee, 0xee], 'nothing else is written to');
    }
  }
});

test('each character is written as Buffer does, half pairs too', () => {
  const bytes = Buffer.alloc(8);
  for (let point = 0; point <= 0x10ffff; point += point < 0x11000 ? 1 : 61) {
    bytes.fill(0xee);
    const expected = Buffer.from(String.fromCodePoint(point));
    const end = writeCodePoint(bytes, 2, point);
    assert.ok(end === 2 + expected.length && bytes.subarray(2, end).equals(expected), `${point}`);
    assert.ok(bytes[1] === 0xee && bytes[end] === 0xee, `beside ${point}`);
  }
});

test.run();
