/**
 * Reads a JSON header in place: locates its fields without building a string or an object.
 *
 * It knows the shape that clients really send, and gives up (`scan` returns false) on anything else: nested values,
 * numbers that are not plain integers, text that is not JSON. Giving up is always right, since the general decoder
 * then has the last word; accepting something that the general decoder reads otherwise never is. A differential fuzz
 * test holds the two together.
 */
import { isUtf8 } from 'node:buffer';
import type { FieldTable } from './field-table.ts';

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COLON = 0x3a;
const COMMA = 0x2c;
const OPEN = 0x7b;
const CLOSE = 0x7d;
const MINUS = 0x2d;
const ZERO = 0x30;
const NINE = 0x39;
const LOWER_U = 0x75;
const DOLLAR = 0x24;
const MAX_INT32 = 0x7fffffff;

const CODE = 'code';
const FLAG = 'flag';
const OPAQUE = 'opaque';
const VERSION = 'version';
const EXT_FIELDS = 'extFields';
/** Members that the data path has no use for. */
const TEXT_MEMBERS = ['language', 'serializeTypeCurrentRPC', 'remark'];

/** Bytes that may follow a backslash, besides u and its four hex digits. */
const SIMPLE_ESCAPES = new Set([...'"\\/bfnrt'].map((c) => c.charCodeAt(0)));

export class JsonScan {
  code = 0;
  flag = 0;
  opaque = 0;
  version = 0;
  #bytes: Uint8Array = new Uint8Array(0);
  #at = 0;
  #end = 0;
  /** Of the last string scanned, without its quotes. */
  #from = 0;
  #to = 0;
  #escaped = false;
  #ascii = true;

  /** Scans the header in bytes[from, to) and lists its extFields in `table`. False: ask the general decoder. */
  scan(bytes: Uint8Array, from: number, to: number, table: FieldTable): boolean {
    this.#bytes = bytes;
    this.#at = from;
    this.#end = to;
    this.#ascii = true;
    this.code = 0;
    this.flag = 0;
    this.opaque = 0;
    this.version = 0;
    table.reset(bytes);
    if (!this.#take(OPEN)) return false;
    if (!this.#take(CLOSE)) {
      do {
        if (!this.#member(table)) return false;
      } while (this.#take(COMMA));
      if (!this.#take(CLOSE)) return false;
    }
    return this.#at === to && (this.#ascii || isUtf8(bytes.subarray(from, to)));
  }

  #member(table: FieldTable): boolean {
    if (!this.#string() || this.#escaped) return false;
    const nameFrom = this.#from;
    const nameLength = this.#to - nameFrom;
    if (!this.#take(COLON)) return false;
    const first = this.#bytes[this.#at];
    if (first === OPEN) return this.#is(nameFrom, nameLength, EXT_FIELDS) && this.#fields(table);
    if (first === QUOTE)
      return TEXT_MEMBERS.some((name) => this.#is(nameFrom, nameLength, name)) && this.#string();
    return this.#integerMember(nameFrom, nameLength);
  }

  /** `"extFields":{…}` */
  #fields(table: FieldTable): boolean {
    table.clear();
    this.#at++;
    if (this.#take(CLOSE)) return true;
    do {
      if (!this.#string() || this.#escaped) return false;
      const nameFrom = this.#from;
      const nameLength = this.#to - nameFrom;
      // `$ref` may stand for another object (fastjson), which is for the general decoder to find out.
      if (!this.#take(COLON) || nameLength === 0 || this.#bytes[nameFrom] === DOLLAR) return false;
      if (this.#bytes[this.#at] === QUOTE) {
        if (!this.#string()) return false;
      } else if (!this.#word()) {
        return false;
      }
      if (!table.add(nameFrom, nameLength, this.#from, this.#to - this.#from, this.#escaped)) return false;
    } while (this.#take(COMMA));
    return this.#take(CLOSE);
  }

  #integerMember(nameFrom: number, nameLength: number): boolean {
    const value = this.#int32();
    if (value === undefined) return false;
    if (this.#is(nameFrom, nameLength, CODE)) this.code = value;
    else if (this.#is(nameFrom, nameLength, FLAG)) this.flag = value;
    else if (this.#is(nameFrom, nameLength, OPAQUE)) this.opaque = value;
    else if (this.#is(nameFrom, nameLength, VERSION)) this.version = value;
    else return false;
    return true;
  }

  #is(from: number, length: number, name: string): boolean {
    if (length !== name.length) return false;
    for (let i = 0; i < length; i++) if (this.#bytes[from + i] !== name.charCodeAt(i)) return false;
    return true;
  }

  /** A plain int32, or undefined. */
  #int32(): number | undefined {
    const start = this.#at;
    if (!this.#digits()) return undefined;
    let value = 0;
    const negative = this.#bytes[start] === MINUS;
    for (let i = negative ? start + 1 : start; i < this.#at; i++)
      value = value * 10 + (this.#bytes[i] as number) - ZERO;
    if (value > MAX_INT32) return undefined;
    return negative ? -value : value;
  }

  /** An unquoted field value: plain digits, true or false. */
  #word(): boolean {
    const start = this.#at;
    this.#escaped = false;
    const found = this.#digits() || this.#literal('true') || this.#literal('false');
    this.#from = start;
    this.#to = this.#at;
    return found;
  }

  #literal(text: string): boolean {
    if (this.#at + text.length > this.#end || !this.#is(this.#at, text.length, text)) return false;
    this.#at += text.length;
    return true;
  }

  /** Steps over -?digits without leading zero; anything that would make it another number follows = false. */
  #digits(): boolean {
    const bytes = this.#bytes;
    let at = this.#at;
    if (bytes[at] === MINUS) at++;
    const first = at;
    while (at < this.#end && (bytes[at] as number) >= ZERO && (bytes[at] as number) <= NINE) at++;
    if (at === first || at >= this.#end || at - first > 19) return false;
    if (bytes[first] === ZERO && (at - first > 1 || first !== this.#at)) return false;
    const next = bytes[at];
    if (next !== COMMA && next !== CLOSE) return false;
    this.#at = at;
    return true;
  }

  /** Steps over a quoted string and notes where its content lies. */
  #string(): boolean {
    const bytes = this.#bytes;
    if (bytes[this.#at] !== QUOTE) return false;
    let at = this.#at + 1;
    this.#from = at;
    this.#escaped = false;
    for (; at < this.#end; at++) {
      const byte = bytes[at] as number;
      if (byte === QUOTE) {
        this.#to = at;
        this.#at = at + 1;
        return true;
      }
      if (byte === BACKSLASH) {
        const length = this.#escapeLength(at);
        if (length === 0) return false;
        this.#escaped = true;
        at += length - 1;
      } else if (byte < 0x20) {
        return false;
      } else if (byte >= 0x80) {
        this.#ascii = false;
      }
    }
    return false;
  }

  /** Length of the escape at `at`, 0 when it is none. */
  #escapeLength(at: number): number {
    const kind = this.#bytes[at + 1] as number;
    if (kind !== LOWER_U) return at + 1 < this.#end && SIMPLE_ESCAPES.has(kind) ? 2 : 0;
    if (at + 6 > this.#end) return 0;
    for (let i = at + 2; i < at + 6; i++) if (hexDigit(this.#bytes[i] as number) < 0) return 0;
    return 6;
  }

  #take(byte: number): boolean {
    if (this.#at >= this.#end || this.#bytes[this.#at] !== byte) return false;
    this.#at++;
    return true;
  }
}

/** Value of a hex digit, -1 for any other byte. */
export function hexDigit(byte: number): number {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const lower = byte | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1;
}
