/** MurmurHash3, x64 variant of 128 bits with seed 0: Guava's `murmur3_128`, of which RocketMQ takes the first half. */
const C1 = 0x87c37b91114253d5n;
const C2 = 0x4cf5ad432745937fn;

/** The first 64 bits, unsigned. */
export function murmur3(bytes: Uint8Array): bigint {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  let h1 = 0n;
  let h2 = 0n;
  const whole = bytes.length - (bytes.length % 16);
  for (let at = 0; at < whole; at += 16) {
    h1 ^= mixed1(view.getBigUint64(at, true));
    h1 = cut(cut(rotate(h1, 27n) + h2) * 5n + 0x52dce729n);
    h2 ^= mixed2(view.getBigUint64(at + 8, true));
    h2 = cut(cut(rotate(h2, 31n) + h1) * 5n + 0x38495ab5n);
  }
  const rest = new Uint8Array(16);
  rest.set(bytes.subarray(whole));
  const last = new DataView(rest.buffer);
  h2 ^= mixed2(last.getBigUint64(8, true));
  h1 ^= mixed1(last.getBigUint64(0, true));
  const length = BigInt(bytes.length);
  h1 ^= length;
  h2 ^= length;
  h1 = cut(h1 + h2);
  h2 = cut(h2 + h1);
  return cut(finished(h1) + finished(h2));
}

function cut(value: bigint): bigint {
  return BigInt.asUintN(64, value);
}

function rotate(value: bigint, bits: bigint): bigint {
  return cut(value << bits) | (value >> (64n - bits));
}

function mixed1(k: bigint): bigint {
  return cut(rotate(cut(k * C1), 31n) * C2);
}

function mixed2(k: bigint): bigint {
  return cut(rotate(cut(k * C2), 33n) * C1);
}

function finished(value: bigint): bigint {
  let h = value;
  h ^= h >> 33n;
  h = cut(h * 0xff51afd7ed558ccdn);
  h ^= h >> 33n;
  h = cut(h * 0xc4ceb9fe1a85ec53n);
  return h ^ (h >> 33n);
}
