/**
 * HalfSipHash-1-3 of bytes (Aumasson and Bernstein; 32-bit words, a key of 64 bits, 32 bits come out). Who does not
 * know the key cannot choose texts whose hashes collide, as is possible with FNV or Murmur whatever they begin with.
 */

const ROUNDS_AT_END = 3;

/** Of bytes[offset, +length), an int32. The key is two words of secret bits. */
export function halfSipHash(
  key0: number,
  key1: number,
  bytes: Uint8Array,
  offset: number,
  length: number,
): number {
  let v0 = key0 | 0;
  let v1 = key1 | 0;
  let v2 = key0 ^ 0x6c796765;
  let v3 = key1 ^ 0x74656462;
  const words = length >> 2;
  // Each word of the text, what is left with the length, the rounds at the end: one body, so nothing is called.
  for (let i = 0, at = offset; i <= words + ROUNDS_AT_END; i++, at += 4) {
    let word = 0;
    if (i < words) {
      const low = (bytes[at] as number) | ((bytes[at + 1] as number) << 8);
      word = low | ((bytes[at + 2] as number) << 16) | ((bytes[at + 3] as number) << 24);
    } else if (i === words) {
      word = length << 24;
      for (let left = length & 3; left > 0; left--)
        word |= (bytes[at + left - 1] as number) << (8 * left - 8);
    } else if (i === words + 1) {
      v2 ^= 0xff;
    }
    v3 ^= word;
    v0 = (v0 + v1) | 0;
    v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0;
    v0 = (v0 << 16) | (v0 >>> 16);
    v2 = (v2 + v3) | 0;
    v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2;
    v0 = (v0 + v3) | 0;
    v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0;
    v2 = (v2 + v1) | 0;
    v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2;
    v2 = (v2 << 16) | (v2 >>> 16);
    v0 ^= word;
  }
  return v1 ^ v3;
}
