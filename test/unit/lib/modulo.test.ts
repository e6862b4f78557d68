import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { modulo } from '../../../src/lib/modulo.ts';

const SIZES = [1, 20, 4096, 6_000_000, 2 ** 30, 0x7ffff000, 1_000_003];

function expected(value: number, size: number): number {
  return Number(BigInt(value) % BigInt(size));
}

test('exact on both sides of every multiple, up to 2^53', () => {
  for (const size of SIZES) {
    const last = Math.floor(Number.MAX_SAFE_INTEGER / size);
    for (const multiple of [0, 1, 2, 3, 1000, Math.floor(last / 3), Math.floor(last / 2), last - 1, last]) {
      for (const step of [-1, 0, 1]) {
        const value = multiple * size + step;
        if (value < 0 || value > Number.MAX_SAFE_INTEGER) continue;
        assert.is(modulo(value, size), expected(value, size), `${value} modulo ${size}`);
      }
    }
  }
});

test('exact anywhere', () => {
  for (let i = 0; i < 20_000; i++) {
    const value = Math.floor(Math.abs(Math.sin(i + 1)) * Number.MAX_SAFE_INTEGER);
    for (const size of SIZES)
      assert.is(modulo(value, size), expected(value, size), `${value} modulo ${size}`);
  }
});

test.run();
