/** Copies of few bytes: a call of `set`, and a view for it, costs more than a loop over words. */

/** Up to so many bytes the loop is faster than `set` of a `subarray`. */
const FEW = 256;

/** Copies source[from, +length) to `to` of another memory, a word at a time. */
export function copyWords(
  source: DataView,
  from: number,
  target: DataView,
  to: number,
  length: number,
): void {
  let i = 0;
  for (; i + 4 <= length; i += 4) target.setInt32(to + i, source.getInt32(from + i, true), true);
  for (; i < length; i++) target.setInt8(to + i, source.getInt8(from + i));
}

/** Memory, as bytes and as words. */
export interface Bytes {
  readonly bytes: Uint8Array;
  readonly view: DataView;
}

/** Copies source[from, +length) to `to` of another memory: the quicker way for so many bytes. */
export function copyBytes(source: Bytes, from: number, target: Bytes, to: number, length: number): void {
  if (length <= FEW) copyWords(source.view, from, target.view, to, length);
  else target.bytes.set(source.bytes.subarray(from, from + length), to);
}
