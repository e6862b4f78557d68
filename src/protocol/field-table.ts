/**
 * The extension fields of one request, as places in a byte array, counted from `base`. Reused from request to request.
 * A field that occurs twice counts as its last occurrence, as in a parsed object.
 */
import { MAX_HEADER_FIELDS } from '../lib/limits.ts';
import { writeCodePoint } from '../lib/utf8.ts';
import { hexUnit } from './json-scan.ts';

/** No such field. */
export const ABSENT = -1;

const BACKSLASH = 0x5c;
const LOWER_U = 0x75;
const MINUS = 0x2d;
const ZERO = 0x30;

/** Values that are longer in bytes are none, whatever zeros they begin with. */
const LONGEST_INTEGER = 128;
/** `true`, each character as an escape. */
const LONGEST_TRUE = 24;
/** A long is read as the nearest double, which this bounds. */
const INT64 = 2 ** 63;

const SIMPLE_ESCAPES = new Map<number, number>([
  [0x22, 0x22],
  [0x5c, 0x5c],
  [0x2f, 0x2f],
  [0x62, 0x08],
  [0x66, 0x0c],
  [0x6e, 0x0a],
  [0x72, 0x0d],
  [0x74, 0x09],
]);

export class FieldTable {
  /** Where names and values lie. */
  bytes: Uint8Array = new Uint8Array(0);
  base = 0;
  count = 0;
  /**
   * Of a table that keeps its fields from request to request (`HeaderTemplate`): where its reader has found what it
   * looks for. Undefined until somebody has looked.
   */
  located: Int32Array | undefined;
  /** Whether the fields stay the same, so that `located` may be set. */
  readonly lasting: boolean;
  readonly nameOffset = new Int32Array(MAX_HEADER_FIELDS);
  readonly nameLength = new Int32Array(MAX_HEADER_FIELDS);
  readonly valueOffset = new Int32Array(MAX_HEADER_FIELDS);
  readonly valueLength = new Int32Array(MAX_HEADER_FIELDS);
  readonly #escaped = new Uint8Array(MAX_HEADER_FIELDS);

  constructor(lasting = false) {
    this.lasting = lasting;
  }

  reset(bytes: Uint8Array): void {
    this.bytes = bytes;
    this.base = 0;
    this.count = 0;
  }

  /** The same fields in another header, which begins at bytes[base]. */
  moveTo(bytes: Uint8Array, base: number): void {
    this.bytes = bytes;
    this.base = base;
  }

  /** Copies the fields of a header that begins at bytes[from], so that `moveTo` may follow. */
  adopt(table: FieldTable, from: number): void {
    this.count = table.count;
    for (let i = 0; i < table.count; i++) {
      this.nameOffset[i] = table.nameStart(i) - from;
      this.nameLength[i] = table.nameLength[i] as number;
      this.valueOffset[i] = table.valueStart(i) - from;
      this.valueLength[i] = table.valueLength[i] as number;
      this.#escaped[i] = table.isEscaped(i) ? 1 : 0;
    }
  }

  /** Where a reader notes what it has found: kept as `located` when the fields last, else `own`. */
  notes(own: Int32Array): Int32Array {
    if (!this.lasting) return own;
    this.located = new Int32Array(own.length);
    return this.located;
  }

  /** Where in `bytes` the name stands. */
  nameStart(field: number): number {
    return this.base + (this.nameOffset[field] as number);
  }

  /** Where in `bytes` the value stands. */
  valueStart(field: number): number {
    return this.base + (this.valueOffset[field] as number);
  }

  clear(): void {
    this.count = 0;
  }

  /** False when there is no room for another field. */
  add(
    nameOffset: number,
    nameLength: number,
    valueOffset: number,
    valueLength: number,
    escaped: boolean,
  ): boolean {
    const i = this.count;
    if (i === MAX_HEADER_FIELDS) return false;
    this.nameOffset[i] = nameOffset;
    this.nameLength[i] = nameLength;
    this.valueOffset[i] = valueOffset;
    this.valueLength[i] = valueLength;
    this.#escaped[i] = escaped ? 1 : 0;
    this.count = i + 1;
    return true;
  }

  /** Index of the field with this ASCII name, or ABSENT. */
  find(name: string): number {
    for (let i = this.count - 1; i >= 0; i--) {
      if (this.nameLength[i] === name.length && this.#named(this.nameStart(i), name)) return i;
    }
    return ABSENT;
  }

  isEscaped(field: number): boolean {
    return this.#escaped[field] === 1;
  }

  /**
   * An integer below 2^53 in magnitude, NaN when the value is absent or is none. Larger ones are rounded, as
   * far as a long goes.
   */
  integer(field: number): number {
    if (field === ABSENT) return Number.NaN;
    const from = this.valueStart(field);
    const length = this.valueLength[field] as number;
    if (length > 15 || this.isEscaped(field)) return this.#longInteger(field);
    const negative = this.bytes[from] === MINUS;
    let value = 0;
    const end = from + length;
    let at = negative ? from + 1 : from;
    if (at >= end) return Number.NaN;
    for (; at < end; at++) {
      const digit = (this.bytes[at] as number) - ZERO;
      if (digit < 0 || digit > 9) return Number.NaN;
      value = value * 10 + digit;
    }
    return negative ? -value : value;
  }

  /** True for the text `true` in any case, as Java's Boolean reads it. */
  isTrue(field: number): boolean {
    const length = this.valueLength[field] as number;
    if (field === ABSENT || (this.isEscaped(field) ? length > LONGEST_TRUE : length !== 4)) return false;
    return this.text(field).toLowerCase() === 'true';
  }

  /** The value as a string, escapes resolved; '' when absent. */
  text(field: number): string {
    if (field === ABSENT) return '';
    const from = this.valueStart(field);
    const length = this.valueLength[field] as number;
    if (!this.isEscaped(field))
      return Buffer.from(this.bytes.buffer, this.bytes.byteOffset + from, length).toString();
    const target = Buffer.allocUnsafe(length);
    return target.toString('utf8', 0, this.copyTo(field, target, 0));
  }

  /** Writes the value, escapes resolved, to target[at…]; returns its length, at most `valueLength`. */
  copyTo(field: number, target: Uint8Array, at: number): number {
    const from = this.valueStart(field);
    const end = from + (this.valueLength[field] as number);
    if (!this.isEscaped(field)) {
      for (let i = from, to = at; i < end; i++, to++) target[to] = this.bytes[i] as number;
      return end - from;
    }
    return unescapeJson(this.bytes, from, end, target, at);
  }

  #named(offset: number, name: string): boolean {
    for (let i = 0; i < name.length; i++) if (this.bytes[offset + i] !== name.charCodeAt(i)) return false;
    return true;
  }

  #longInteger(field: number): number {
    if ((this.valueLength[field] as number) > LONGEST_INTEGER) return Number.NaN;
    const text = this.text(field);
    const value = /^-?\d+$/.test(text) ? Number(text) : Number.NaN;
    return Math.abs(value) <= INT64 ? value : Number.NaN;
  }
}

/** Resolves JSON escapes of bytes[from, end), which the scanner has found well-formed. Returns the bytes written. */
function unescapeJson(bytes: Uint8Array, from: number, end: number, target: Uint8Array, at: number): number {
  let to = at;
  let i = from;
  while (i < end) {
    const byte = bytes[i] as number;
    if (byte !== BACKSLASH) {
      target[to++] = byte;
      i++;
      continue;
    }
    const kind = bytes[i + 1] as number;
    if (kind !== LOWER_U) {
      target[to++] = SIMPLE_ESCAPES.get(kind) as number;
      i += 2;
      continue;
    }
    const unit = hexUnit(bytes, i + 2);
    i += 6;
    const paired = unit >= 0xd800 && unit < 0xdc00 && bytes[i] === BACKSLASH && bytes[i + 1] === LOWER_U;
    const low = paired ? hexUnit(bytes, i + 2) : 0;
    const isPair = low >= 0xdc00 && low < 0xe000;
    if (isPair) i += 6;
    to = writeCodePoint(target, to, isPair ? ((unit & 0x3ff) << 10) + (low & 0x3ff) + 0x10000 : unit);
  }
  return to - at;
}
