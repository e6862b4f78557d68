import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { copyBytes, copyWords } from '../../../src/lib/copy-words.ts';

const ROOM = 400;

/** Memory that does not begin with its buffer, filled with every byte value. */
function memory(fill: (i: number) => number) {
  const bytes = new Uint8Array(new ArrayBuffer(ROOM + 3), 3).map((_, i) => fill(i) & 0xff);
  const shifted = new Uint8Array(new ArrayBuffer(ROOM + 3), 3);
  shifted.set(bytes);
  return { bytes: shifted, view: new DataView(shifted.buffer, 3) };
}

test('every length from any place to any place, and not a byte more', () => {
  const source = memory((i) => i * 7 + 129);
  for (let length = 0; length <= 300; length++) {
    for (const [from, to] of [
      [0, 0],
      [1, 2],
      [3, 0],
    ] as const) {
      const expected = memory((i) => i);
      expected.bytes.set(source.bytes.subarray(from, from + length), to);
      const [words, whole] = [memory((i) => i), memory((i) => i)];
      copyWords(source.view, from, words.view, to, length);
      copyBytes(source, from, whole, to, length);
      assert.equal(words.bytes, expected.bytes, `${length} bytes by words`);
      assert.equal(whole.bytes, expected.bytes, `${length} bytes`);
    }
  }
});

test.run();
