/** Texts in UTF-8, and by their length in it. */

const REPLACEMENT = 0xfffd;

/** `text`, or as much of its head as fits into `maxBytes` of UTF-8; no character is cut in two. */
export function cutToUtf8(text: string, maxBytes: number): string {
  // A character of UTF-16 takes three bytes at most, and at least one.
  if (text.length * 3 <= maxBytes) return text;
  const bytes = Buffer.from(text.length > maxBytes ? text.slice(0, maxBytes + 1) : text);
  if (bytes.length <= maxBytes) return text;
  let end = maxBytes;
  while (end > 0 && ((bytes[end] as number) & 0xc0) === 0x80) end -= 1;
  return bytes.toString('utf8', 0, end);
}

/** Writes a character in UTF-8 at `at`, half a surrogate pair as the replacement character. The offset behind it. */
export function writeCodePoint(bytes: Uint8Array, at: number, point: number): number {
  if (point < 0x80) {
    bytes[at] = point;
    return at + 1;
  }
  if (point < 0x800) {
    bytes[at] = 0xc0 | (point >> 6);
    bytes[at + 1] = 0x80 | (point & 0x3f);
    return at + 2;
  }
  if (point < 0x10000) {
    const whole = point >= 0xd800 && point < 0xe000 ? REPLACEMENT : point;
    bytes[at] = 0xe0 | (whole >> 12);
    bytes[at + 1] = 0x80 | ((whole >> 6) & 0x3f);
    bytes[at + 2] = 0x80 | (whole & 0x3f);
    return at + 3;
  }
  bytes[at] = 0xf0 | (point >> 18);
  bytes[at + 1] = 0x80 | ((point >> 12) & 0x3f);
  bytes[at + 2] = 0x80 | ((point >> 6) & 0x3f);
  bytes[at + 3] = 0x80 | (point & 0x3f);
  return at + 4;
}

/** Longer ones are left to C++. */
const SHORT = 64;

/** Bytes of a text in UTF-8. A short one in ASCII, as most are in headers, is looped over: calls into C++ cost more. */
export function utf8Length(text: string): number {
  if (text.length > SHORT) return Buffer.byteLength(text);
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) > 0x7f) return Buffer.byteLength(text);
  return text.length;
}

/** Writes a text in UTF-8 at `at`; there must be room. Returns the offset behind it. */
export function writeUtf8(bytes: Buffer, at: number, text: string): number {
  if (text.length > SHORT) return at + bytes.write(text, at);
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit > 0x7f) return at + bytes.write(text, at);
    bytes[at + i] = unit;
  }
  return at + text.length;
}
