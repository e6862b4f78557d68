/** Texts by their length in UTF-8. */

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
