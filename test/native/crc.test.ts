import { Buffer } from 'node:buffer';
import { crc32 } from 'node:zlib';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { addon } from '../../src/native/addon.ts';

const SIZE = 1 << 17;
const region = addon.allocateRegion(SIZE);
const bytes = new Uint8Array(addon.attach(region));

/** Small and repeatable: a failing length must fail again. */
function pseudoRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

const random = pseudoRandom(7);
for (let offset = 0; offset < SIZE; offset += 1) bytes[offset] = Math.floor(random() * 256);

test('known vectors', () => {
  const vectors: readonly [string, number][] = [
    ['', 0],
    ['a', 0xe8b7be43],
    ['123456789', 0xcbf43926],
    ['hello', 907060870],
  ];
  for (const [text, expected] of vectors) {
    const data = Buffer.from(text);
    assert.is(addon.crcOfBytes(data, 0, data.length), expected, text);
  }
});

test('every length up to 600 at every alignment agrees with zlib', () => {
  for (let length = 0; length <= 600; length += 1) {
    const offset = length % 64;
    const expected = crc32(bytes.subarray(offset, offset + length));
    assert.is(addon.crcOfRegion(region, offset, length), expected, `length ${length}`);
    assert.is(addon.crcOfBytes(bytes, offset, length), expected, `length ${length}`);
  }
});

test('random ranges agree with zlib', () => {
  for (let round = 0; round < 3000; round += 1) {
    const offset = Math.floor(random() * SIZE);
    const length = Math.floor(random() * (SIZE - offset));
    const expected = crc32(bytes.subarray(offset, offset + length));
    assert.is(addon.crcOfRegion(region, offset, length), expected, `${offset} + ${length}`);
  }
});

test('copyWithCrc copies all and checks the part asked for', () => {
  const target = addon.allocateRegion(SIZE);
  const copied = new Uint8Array(addon.attach(target));
  const checksum = addon.copyWithCrc(target, 5, region, 1000, 2048, 1100, 1024);
  assert.is(checksum, crc32(bytes.subarray(1100, 2124)));
  assert.equal(copied.subarray(5, 2053), bytes.subarray(1000, 3048));
  assert.is(copied[4], 0);
  assert.is(copied[2053], 0);
});

test('a view over shared memory is read as well', () => {
  const shared = new Uint8Array(new SharedArrayBuffer(1024));
  shared.set(bytes.subarray(0, 1024));
  assert.is(addon.crcOfBytes(shared, 3, 1000), crc32(bytes.subarray(3, 1003)));
});

test('misuse throws a RangeError and touches nothing', () => {
  const target = addon.allocateRegion(4096);
  const untouched = new Uint8Array(addon.attach(target));
  const misuses: readonly (() => unknown)[] = [
    () => addon.copy(target, 0, region, 0, 4097),
    () => addon.copy(target, 4096, region, 0, 1),
    () => addon.copy(target, 0, region, SIZE - 1, 2),
    () => addon.copy(target, -1, region, 0, 1),
    () => addon.copy(target, 0.5, region, 0, 1),
    () => addon.copy(target, 0, region, 0, Number.NaN),
    () => addon.copy(target, 0, region, 0, 2 ** 53),
    () => addon.copy(target, 0, 12345678, 0, 1),
    () => addon.copy(target, 0, -1, 0, 1),
    () => addon.copy(target, 0, target, 10, 11),
    () => addon.copyWithCrc(target, 0, region, 0, 16, SIZE, 1),
    () => addon.crcOfRegion(region, SIZE, 1),
    () => addon.crcOfRegion(0, 0, 0),
    () => addon.crcOfBytes(bytes, SIZE - 3, 4),
    () => addon.crcOfBytes(new Uint16Array(4) as unknown as Uint8Array, 0, 1),
    () => addon.crcOfBytes({} as Uint8Array, 0, 0),
  ];
  for (const misuse of misuses) {
    assert.throws(misuse, (error: Error) => error instanceof RangeError, String(misuse));
  }
  assert.ok(untouched.every((byte) => byte === 0));
});

test.run();
