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
