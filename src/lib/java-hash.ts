/**
 * Java's `String.hashCode`: `h = 31 * h + unit` over UTF-16 units in int32 arithmetic.
 * RocketMQ derives tag codes and several stored keys from it, so it must agree bit for bit.
 */
export function javaHashCode(text: string): number {
  let hash = 0;
  for (let i = 0; i < text.length; i++) hash = (Math.imul(hash, 31) + text.charCodeAt(i)) | 0;
  return hash;
}
