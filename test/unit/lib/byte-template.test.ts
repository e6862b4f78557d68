/** A template against its own definition, byte by byte. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  ANY,
  ByteTemplate,
  DIGIT,
  FIRST_DIGIT,
  FIXED,
  PLAIN_TEXT,
  UNSEPARATED,
} from '../../../src/lib/byte-template.ts';
import { Random } from '../../support/random.ts';

const test = suite('byte template');
const KINDS = [FIXED, PLAIN_TEXT, DIGIT, FIRST_DIGIT, UNSEPARATED, ANY];
const SOME = [
  0, 1, 2, 3, 0x1f, 0x20, 0x22, 0x2f, 0x30, 0x31, 0x39, 0x3a, 0x41, 0x5b, 0x5c, 0x5d, 0x7f, 0x80, 0x81, 0xff,
];

function allowed(kind: number, byte: number, own: number): boolean {
  if (kind === PLAIN_TEXT) return byte >= 0x20 && byte < 0x80 && byte !== 0x22 && byte !== 0x5c;
  if (kind === DIGIT) return byte >= 0x30 && byte <= 0x39;
  if (kind === FIRST_DIGIT) return byte >= 0x31 && byte <= 0x39;
  if (kind === UNSEPARATED) return byte > 2;
  return kind === ANY || byte === own;
}

/** Fixed bytes are often zeros, as lengths in a binary header are. */
const FIXED_BYTES = [0, 0, 0, 0, 1, 0x41, 0x5a, 0x80, 0xff];

/** Bytes that their kinds allow, mostly runs of one kind as in real texts. */
function sample(random: Random, length: number): { text: Uint8Array; kinds: Uint8Array } {
  const kinds = new Uint8Array(length);
  for (let at = 0; at < length; ) {
    const end = Math.min(length, at + random.int(1, 12));
    kinds.fill(random.pick(KINDS), at, end);
    at = end;
  }
  const text = kinds.map((kind) => {
    if (kind === FIXED || kind === ANY) return random.pick(FIXED_BYTES);
    return kind === PLAIN_TEXT ? random.int(0x41, 0x5a) : 0x31;
  });
  return { text, kinds };
}

test('every byte in every place is judged as its kind says', () => {
  const random = new Random(7);
  for (let length = 8; length <= 40; length++) {
    const { text, kinds } = sample(random, length);
    const template = new ByteTemplate(text, kinds);
    for (let place = 0; place < length; place++) {
      for (const byte of SOME) {
        const buffer = new Uint8Array(length + 6).fill(0x5c);
        buffer.set(text, 3);
        buffer[3 + place] = byte;
        const expected = allowed(kinds[place] as number, byte, text[place] as number);
        const found = template.matches(new DataView(buffer.buffer), 3);
        assert.is(found, expected, `length ${length}, place ${place}, byte ${byte}, kind ${kinds[place]}`);
      }
    }
  }
});

test('many differences at once', () => {
  const random = new Random(11);
  let fits = 0;
  for (let run = 0; run < 20_000; run++) {
    const { text, kinds } = sample(random, random.int(8, 60));
    const template = new ByteTemplate(text, kinds);
    const other = text.slice();
    for (let n = random.int(0, 6); n > 0; n--) {
      const place = random.int(0, text.length - 1);
      const kind = kinds[place] as number;
      const fitting = kind === FIXED ? text[place] : kind === PLAIN_TEXT ? random.int(0x23, 0x5b) : 0x35;
      other[place] = random.next() < 0.9 ? (fitting as number) : random.pick(SOME);
    }
    const expected = other.every((byte, at) => allowed(kinds[at] as number, byte, text[at] as number));
    assert.is(template.matches(new DataView(other.buffer), 0), expected);
    if (expected) fits++;
  }
  assert.ok(fits > 5000 && fits < 19_000, `${fits} of 20,000 fitted`);
});

test('fixed bytes of every value: those of zeros, of denormal and infinite numbers and of NaNs too', () => {
  const random = new Random(13);
  const ends = [0, 0x01, 0x0f, 0x10, 0x7f, 0x80, 0xef, 0xf0, 0xf8, 0xff];
  for (const last of ends) {
    for (const beforeLast of ends) {
      for (const rest of [0, 1, 0xff]) {
        // The bytes of one number, the highest last, twice: once a step of its own, once the step at the end.
        const number = [rest, ...Array<number>(5).fill(0), beforeLast, last];
        const bytes = Uint8Array.from([...number, ...number.slice(0, random.int(0, 8))]);
        const template = new ByteTemplate(bytes.slice(), new Uint8Array(bytes.length).fill(FIXED));
        assert.ok(template.matches(new DataView(bytes.buffer), 0), `${bytes} is itself`);
        for (let place = 0; place < bytes.length; place++) {
          for (const byte of ends) {
            const other = bytes.slice();
            other[place] = byte;
            const same = byte === bytes[place];
            assert.is(template.matches(new DataView(other.buffer), 0), same, `${bytes} and ${other}`);
          }
        }
      }
    }
  }
});

test.run();
