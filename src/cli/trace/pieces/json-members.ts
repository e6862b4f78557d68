/** Where the members of a JSON header lie: its own, and those of its `extFields`. */
import { textOf } from './piece.ts';

export interface Member {
  name: string;
  /** As it stands there. */
  value: string;
  /** Behind the member and what separates it from the next. */
  end: number;
  /** Of the header itself; else one of `extFields`. */
  isMember: boolean;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPEN = 0x7b;
const CLOSE = 0x7d;
const COMMA = 0x2c;
const COLON = 0x3a;

/** `from` is behind the brace that opens the header. The bytes are those of a header that a reader has taken. */
export function* jsonMembers(bytes: Uint8Array, from: number, to: number): Iterable<Member> {
  let at = from;
  let inFields = false;
  while (at < to) {
    at = skipBlank(bytes, at, to);
    if (bytes[at] === CLOSE) {
      if (!inFields) return;
      inFields = false;
      at = behind(bytes, at + 1, to);
      yield { name: 'extFields end', value: '}', end: at, isMember: true };
      continue;
    }
    const name = stringAt(bytes, at);
    at = skipBlank(bytes, name.end, to);
    if (bytes[at] !== COLON) return;
    at = skipBlank(bytes, at + 1, to);
    if (!inFields && bytes[at] === OPEN) {
      inFields = true;
      at++;
      yield { name: name.text, value: '{', end: at, isMember: true };
      continue;
    }
    const end = valueEnd(bytes, at, to);
    const isText = bytes[at] === QUOTE;
    const value = isText ? shown(bytes, at, end) : Buffer.from(bytes.subarray(at, end)).toString().trim();
    at = behind(bytes, end, to);
    yield { name: name.text, value, end: at, isMember: !inFields };
  }
}

function shown(bytes: Uint8Array, from: number, to: number): string {
  try {
    const text = JSON.parse(Buffer.from(bytes.subarray(from, to)).toString()) as string;
    return text === '' ? '""' : textOf(Buffer.from(text));
  } catch {
    return textOf(bytes.subarray(from, to));
  }
}

/** Behind a comma, if one follows. */
function behind(bytes: Uint8Array, from: number, to: number): number {
  const at = skipBlank(bytes, from, to);
  return bytes[at] === COMMA ? at + 1 : from;
}

function skipBlank(bytes: Uint8Array, from: number, to: number): number {
  let at = from;
  while (at < to && (bytes[at] as number) <= 0x20) at++;
  return at;
}

function stringAt(bytes: Uint8Array, from: number): { text: string; end: number } {
  const end = stringEnd(bytes, from);
  return { text: Buffer.from(bytes.subarray(from + 1, end - 1)).toString(), end };
}

function stringEnd(bytes: Uint8Array, from: number): number {
  let at = from + 1;
  while (at < bytes.length && bytes[at] !== QUOTE) at += bytes[at] === BACKSLASH ? 2 : 1;
  return at + 1;
}

/** Behind a string, or before what ends a number or a word. */
function valueEnd(bytes: Uint8Array, from: number, to: number): number {
  if (bytes[from] === QUOTE) return stringEnd(bytes, from);
  let at = from;
  while (at < to && bytes[at] !== COMMA && bytes[at] !== CLOSE) at++;
  return at;
}
