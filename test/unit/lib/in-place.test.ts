/** Small things that work on bytes in place. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { BytesMap } from '../../../src/lib/bytes-map.ts';
import { decimalLength, writeDecimal, writeHex16 } from '../../../src/lib/digits.ts';
import { readInt64, writeInt64 } from '../../../src/lib/int64.ts';
import { javaHashCode, javaHashOfBytes } from '../../../src/lib/java-hash.ts';
import { UniqueIds } from '../../../src/lib/unique-id.ts';
import { Random } from '../../support/random.ts';

const test = suite('in place');

test('Java hashes, of text and of bytes, continued or not', () => {
  const vectors: [text: string, hash: number][] = [
    ['', 0],
    ['TagA', 2598919],
    ['TagB', 2598920],
    ['TagA || TagB', 1359775119],
    ['中文', 646394],
    ['order-created', -392709271],
  ];
  for (const [text, hash] of vectors) {
    assert.is(javaHashCode(text), hash);
    const bytes = Buffer.from(`##${text}##`);
    assert.is(javaHashOfBytes(bytes, 2, bytes.length - 2), hash, text);
    for (let cut = 0; cut <= text.length; cut++) {
      const rest = Buffer.from(text.slice(cut));
      assert.is(
        javaHashOfBytes(rest, 0, rest.length, javaHashCode(text.slice(0, cut))),
        hash,
        `${text} at ${cut}`,
      );
    }
  }
});

test('64-bit integers go there and back as BigInt has them', () => {
  const view = new DataView(new ArrayBuffer(16));
  const values = [
    0,
    1,
    -1,
    2 ** 31,
    2 ** 32 - 1,
    2 ** 32,
    -(2 ** 32),
    2 ** 53 - 1,
    -(2 ** 53 - 1),
    1_700_000_000_000,
  ];
  for (const value of values) {
    writeInt64(view, 4, value);
    assert.is(view.getBigInt64(4), BigInt(value));
    assert.is(readInt64(view, 4), value);
  }
});

test('decimal and hex digits as text has them', () => {
  const bytes = Buffer.alloc(40);
  const random = new Random(1);
  const powers = Array.from({ length: 16 }, (_, i) => [10 ** i - 1, 10 ** i, -(10 ** i)]).flat();
  const values = [...powers, 2147483647, 2147483648, -2147483648, Number.MAX_SAFE_INTEGER];
  for (let i = 0; i < 500; i++) values.push(random.int(0, 2 ** random.int(1, 52)));
  for (const value of values) {
    const end = writeDecimal(bytes, 3, value);
    assert.is(bytes.toString('latin1', 3, end), String(value));
    assert.is(decimalLength(value), end - 3);
    if (value < 0) continue;
    writeHex16(bytes, 3, value);
    assert.is(bytes.toString('latin1', 3, 19), value.toString(16).toUpperCase().padStart(16, '0'));
  }
});

test('a map asked with bytes is the map asked with text, through growth and deletion', () => {
  const map = new BytesMap<number>();
  const oracle = new Map<string, number>();
  const random = new Random(2);
  const name = () => `${random.pick(['topic', '%RETRY%', 'ü中', ''])}${random.int(0, 400)}`;
  let asked = name();
  for (let i = 0; i < 20_000; i++) {
    // Often the one that was asked for last.
    const key = random.chance(0.3) ? asked : name();
    if (random.chance(0.3)) assert.is(map.delete(key), oracle.delete(key));
    else if (random.chance(0.5)) {
      map.set(key, i);
      oracle.set(key, i);
    }
    if (random.chance(0.6)) asked = name();
    const bytes = Buffer.from(`<<${asked}>>`);
    assert.is(map.get(bytes, 2, bytes.length - 4), oracle.get(asked));
    assert.is(map.getByName(asked), oracle.get(asked));
    assert.is(map.size, oracle.size);
  }
  assert.equal([...map.values()], [...oracle.values()], 'in the order in which the names came');
});

test('unique ids: 32 digits, never twice, the time of the month in the middle', () => {
  const ids = new UniqueIds(Uint8Array.of(10, 0, 0, 1));
  const now = new Date(2024, 1, 15, 12).getTime();
  const made = Array.from({ length: 1000 }, () => ids.next(now));
  assert.is(new Set(made).size, 1000);
  for (const id of made) assert.match(id, /^0A000001[0-9A-F]{24}$/);
  const sinceMonth = now - new Date(2024, 1, 1).getTime();
  assert.is(Number.parseInt(made[0]?.slice(20, 28) ?? '', 16), sinceMonth);
  const march = new Date(2024, 2, 1).getTime() + 5;
  assert.is(Number.parseInt(ids.next(march).slice(20, 28), 16), 5);
});

test.run();
