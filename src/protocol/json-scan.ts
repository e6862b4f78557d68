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

/** Members of a header, in the order in which Java writes them. */
const CODE = 0;
const EXT_FIELDS = 1;
const FLAG = 2;
const OPAQUE = 4;
const VERSION = 7;
const MEMBERS = [
  'code',
  'extFields',
  'flag',
  'language',
  'opaque',
  'remark',
  'serializeTypeCurrentRPC',
  'version',
];
/** A name is compared with its quotes and colon: nothing else is that member without being another text. */
const MEMBER_HEADS = MEMBERS.map((name) => new Uint8Array(Buffer.from(`"${name}":`)));

const TRUE = new Uint8Array(Buffer.from('true'));
const FALSE = new Uint8Array(Buffer.from('false'));

/** No place. */
const NOWHERE = -1;
const MAX_DIGITS = 19;

/** What a byte means inside a string: one look-up instead of four comparisons for each byte. */
const PLAIN = 0;
const ENDS = 1;
const ESCAPES = 2;
const NOT_ASCII = 3;
const FORBIDDEN = 4;
const MEANING = new Uint8Array(256).fill(FORBIDDEN, 0, 0x20).fill(NOT_ASCII, 0x80);
MEANING[QUOTE] = ENDS;
MEANING[BACKSLASH] = ESCAPES;

/** Bytes that may follow a backslash, besides u and its four hex digits. */
const SIMPLE_ESCAPES = new Set([...'"\\/bfnrt'].map((c) => c.charCodeAt(0)));

/**
 * Functions of one step take the place where it begins and return the place behind it, or NOWHERE. Places stay in local
 * variables that way, and so in registers; kept in fields they cost a third of a scan's time.
 */
export class JsonScan {
  code = 0;
  flag = 0;
  opaque = 0;
  version = 0;
  /** Where the digits of the opaque stand. */
  opaqueFrom = NOWHERE;
  opaqueTo = NOWHERE;
  /** Place of the last escape: a string that begins at or before it has some. */
  #lastEscape = NOWHERE;
  /** All strings so far are ASCII. */
  #ascii = true;
  /** The last integer scanned. */
  #integer = 0;

  /** Every byte of the header scanned last is ASCII. */
  get ascii(): boolean {
    return this.#ascii;
  }

  /** Scans the header in bytes[from, to) and lists its extFields in `table`. False: ask the general decoder. */
  scan(bytes: Uint8Array, from: number, to: number, table: FieldTable): boolean {
    this.#ascii = true;
    this.#lastEscape = NOWHERE;
    this.code = 0;
    this.flag = 0;
    this.opaque = 0;
    this.opaqueFrom = NOWHERE;
    this.version = 0;
    table.reset(bytes);
    if (from >= to || bytes[from] !== OPEN) return false;
    const end = this.#members(bytes, from + 1, to, table);
    return end === to && (this.#ascii || isUtf8(bytes.subarray(from, to)));
  }

  /** The rest of the outer object. */
  #members(bytes: Uint8Array, from: number, end: number, table: FieldTable): number {
    let at = from;
    if (at < end && bytes[at] === CLOSE) return at + 1;
    let member = 0;
    while (at < end) {
      member = memberAt(bytes, at, end, member);
      if (member === NOWHERE) return NOWHERE;
      at = this.#value(bytes, at + (MEMBER_HEADS[member] as Uint8Array).length, end, member, table);
      if (at === NOWHERE || at >= end) return NOWHERE;
      if (bytes[at] !== COMMA) return bytes[at] === CLOSE ? at + 1 : NOWHERE;
      at++;
    }
    return NOWHERE;
  }

  /** The value of a member. */
  #value(bytes: Uint8Array, at: number, end: number, member: number, table: FieldTable): number {
    switch (member) {
      case EXT_FIELDS:
        return bytes[at] === OPEN ? this.#fields(bytes, at + 1, end, table) : NOWHERE;
      case CODE:
      case FLAG:
      case OPAQUE:
      case VERSION:
        return this.#number(bytes, at, end, member);
      default: {
        // The data path has no use for the others, which are text.
        const close = this.#closingQuote(bytes, at, end);
        return close === NOWHERE ? NOWHERE : close + 1;
      }
    }
  }

  #number(bytes: Uint8Array, at: number, end: number, member: number): number {
    const next = this.#int32(bytes, at, end);
    if (next === NOWHERE) return NOWHERE;
    if (member === CODE) this.code = this.#integer;
    else if (member === FLAG) this.flag = this.#integer;
    else if (member === OPAQUE) {
      this.opaque = this.#integer;
      this.opaqueFrom = bytes[at] === MINUS ? at + 1 : at;
      this.opaqueTo = next;
    } else this.version = this.#integer;
    return next;
  }

  /** The rest of `"extFields":{…}`. */
  #fields(bytes: Uint8Array, from: number, end: number, table: FieldTable): number {
    let at = from;
    table.clear();
    if (at < end && bytes[at] === CLOSE) return at + 1;
    while (at < end) {
      const name = at + 1;
      // The fields of a send have names of one letter.
      const short =
        bytes[at] === QUOTE && bytes[at + 2] === QUOTE && MEANING[bytes[name] as number] === PLAIN;
      const nameEnd = short ? at + 2 : this.#closingQuote(bytes, at, end);
      if (nameEnd <= name || this.#lastEscape >= name || nameEnd + 2 >= end || bytes[nameEnd + 1] !== COLON)
        return NOWHERE;
      // `$ref` may stand for another object (fastjson), which is for the general decoder to find out.
      if (bytes[name] === DOLLAR) return NOWHERE;
      const quoted = bytes[nameEnd + 2] === QUOTE ? 1 : 0;
      const value = nameEnd + 2 + quoted;
      const valueEnd =
        quoted === 1 ? this.#closingQuote(bytes, nameEnd + 2, end) : wordEnd(bytes, value, end);
      if (valueEnd === NOWHERE) return NOWHERE;
      if (!table.add(name, nameEnd - name, value, valueEnd - value, this.#lastEscape >= value))
        return NOWHERE;
      at = valueEnd + quoted;
      if (at >= end) return NOWHERE;
      if (bytes[at] !== COMMA) return bytes[at] === CLOSE ? at + 1 : NOWHERE;
      at++;
    }
    return NOWHERE;
  }

  /** A plain int32. */
  #int32(bytes: Uint8Array, from: number, end: number): number {
    const next = digitsEnd(bytes, from, end);
    if (next === NOWHERE) return NOWHERE;
    const negative = bytes[from] === MINUS;
    let value = 0;
    for (let i = negative ? from + 1 : from; i < next; i++) value = value * 10 + (bytes[i] as number) - ZERO;
    this.#integer = negative ? -value : value;
    return value > MAX_INT32 ? NOWHERE : next;
  }

  /** The closing quote of the string that opens at `from`. */
  #closingQuote(bytes: Uint8Array, from: number, end: number): number {
    if (bytes[from] !== QUOTE) return NOWHERE;
    let at = from + 1;
    while (at < end) {
      const meaning = MEANING[bytes[at] as number];
      if (meaning === PLAIN) {
        at++;
        continue;
      }
      if (meaning === ENDS) return at;
      const length = meaning === ESCAPES ? escapeLength(bytes, at, end) : meaning === NOT_ASCII ? 1 : 0;
      if (length === 0) return NOWHERE;
      if (length === 1) this.#ascii = false;
      else this.#lastEscape = at;
      at += length;
    }
    return NOWHERE;
  }
}

/** The member that begins at `at`, most likely `first` or one of those behind it; NOWHERE for any other name. */
function memberAt(bytes: Uint8Array, at: number, end: number, first: number): number {
  for (let n = 0; n < MEMBER_HEADS.length; n++) {
    const member = (first + n) % MEMBER_HEADS.length;
    const head = MEMBER_HEADS[member] as Uint8Array;
    if (at + head.length < end && startsWith(bytes, at, head)) return member;
  }
  return NOWHERE;
}

function startsWith(bytes: Uint8Array, at: number, text: Uint8Array): boolean {
  for (let i = 0; i < text.length; i++) if (bytes[at + i] !== text[i]) return false;
  return true;
}

/** The end of an unquoted field value: plain digits, true or false. */
function wordEnd(bytes: Uint8Array, at: number, end: number): number {
  const next = digitsEnd(bytes, at, end);
  if (next !== NOWHERE) return next;
  if (at + TRUE.length <= end && startsWith(bytes, at, TRUE)) return at + TRUE.length;
  if (at + FALSE.length <= end && startsWith(bytes, at, FALSE)) return at + FALSE.length;
  return NOWHERE;
}

/** The end of -?digits without leading zero; NOWHERE also when what follows would make it another number. */
function digitsEnd(bytes: Uint8Array, from: number, end: number): number {
  const first = bytes[from] === MINUS ? from + 1 : from;
  let at = first;
  while (at < end && (bytes[at] as number) >= ZERO && (bytes[at] as number) <= NINE) at++;
  if (at === first || at >= end || at - first > MAX_DIGITS) return NOWHERE;
  if (bytes[first] === ZERO && (at - first > 1 || first !== from)) return NOWHERE;
  return bytes[at] === COMMA || bytes[at] === CLOSE ? at : NOWHERE;
}

/** Length of the escape at `at`, 0 when it is none. */
export function escapeLength(bytes: Uint8Array, at: number, end: number): number {
  const kind = bytes[at + 1] as number;
  if (kind !== LOWER_U) return at + 1 < end && SIMPLE_ESCAPES.has(kind) ? 2 : 0;
  return at + 6 <= end && hexUnit(bytes, at + 2) >= 0 ? 6 : 0;
}

/** Values of hex digits, -1 for any other byte. */
const HEX = new Int8Array(256).fill(-1);
for (const [value, digit] of [...'0123456789abcdef'].entries()) {
  HEX[digit.charCodeAt(0)] = value;
  HEX[digit.toUpperCase().charCodeAt(0)] = value;
}

/** The UTF-16 unit that four hex digits spell, negative when one of them is none. */
export function hexUnit(bytes: Uint8Array, at: number): number {
  return (
    ((HEX[bytes[at] as number] as number) << 12) |
    ((HEX[bytes[at + 1] as number] as number) << 8) |
    ((HEX[bytes[at + 2] as number] as number) << 4) |
    (HEX[bytes[at + 3] as number] as number)
  );
}
