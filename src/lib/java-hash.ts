/**
 * Java's `String.hashCode`: `h = 31 * h + unit` over UTF-16 units in int32 arithmetic.
 * RocketMQ derives tag codes and several stored keys from it, so it must agree bit for bit.
 */
export function javaHashCode(text: string): number {
  let hash = 0;
  for (let i = 0; i < text.length; i++) hash = (Math.imul(hash, 31) + text.charCodeAt(i)) | 0;
  return hash;
}

/**
 * The same over UTF-8 bytes [from, to), continuing from `seed` (the hash of a text in front). ASCII, the common case,
 * is hashed in place.
 */
export function javaHashOfBytes(bytes: Uint8Array, from: number, to: number, seed = 0): number {
  let hash = seed;
  let at = from;
  // Four at a time: the processor can multiply them side by side.
  for (; at + 4 <= to; at += 4) {
    const a = bytes[at] as number;
    const b = bytes[at + 1] as number;
    const c = bytes[at + 2] as number;
    const d = bytes[at + 3] as number;
    if ((a | b | c | d) >= 0x80) return continueHash(utf8.decode(bytes.subarray(from, to)), seed);
    hash = (Math.imul(hash, 31 ** 4) + a * 31 ** 3 + b * 31 ** 2 + c * 31 + d) | 0;
  }
  for (; at < to; at++) {
    const byte = bytes[at] as number;
    if (byte >= 0x80) return continueHash(utf8.decode(bytes.subarray(from, to)), seed);
    hash = (Math.imul(hash, 31) + byte) | 0;
  }
  return hash;
}

function continueHash(text: string, seed: number): number {
  let hash = seed;
  for (let i = 0; i < text.length; i++) hash = (Math.imul(hash, 31) + text.charCodeAt(i)) | 0;
  return hash;
}

const utf8 = new TextDecoder();
