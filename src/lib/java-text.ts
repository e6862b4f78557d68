/** UTF-8 as Java decodes it. */

/** First byte of what would be half a surrogate pair, which no UTF-8 has. */
const LEAD = 0xed;

/**
 * The text of bytes[from, to). What is no UTF-8 becomes U+FFFD as everywhere else, but for half a surrogate pair: Java
 * puts one for all its bytes, others put one for each.
 */
export function decodeUtf8(bytes: Uint8Array, from: number, to: number): string {
  let text = '';
  let start = from;
  for (let at = from; at + 1 < to; at++) {
    if (bytes[at] !== LEAD || (bytes[at + 1] as number) >> 5 !== 0b101) continue;
    text += `${plain(bytes, start, at)}\ufffd`;
    at += at + 2 < to && (bytes[at + 2] as number) >> 6 === 0b10 ? 2 : 1;
    start = at + 1;
  }
  return text + plain(bytes, start, to);
}

function plain(bytes: Uint8Array, from: number, to: number): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset + from, to - from).toString();
}
