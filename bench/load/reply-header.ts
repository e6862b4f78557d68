/**
 * Finds `code` and `opaque` in a JSON response header without parsing it. A broker writes all its responses in one
 * layout, so both members are looked for first where they were last time: the code counted from the start of the
 * header, the opaque (which stands behind fields of varying length) from its end. Only when they are not there the
 * header is walked.
 */

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const MINUS = 0x2d;
const ZERO = 0x30;
const OPEN = 0x7b;
const CLOSE = 0x7d;

const CODE = Buffer.from('"code":', 'latin1');
const OPAQUE = Buffer.from('"opaque":', 'latin1');

function matches(bytes: Uint8Array, at: number, end: number, name: Uint8Array): boolean {
  if (at < 0 || at + name.length > end) return false;
  for (let index = 0; index < name.length; index++) if (bytes[at + index] !== name[index]) return false;
  return true;
}

function readInteger(bytes: Uint8Array, at: number, end: number): number {
  const negative = bytes[at] === MINUS;
  let value = 0;
  for (let index = negative ? at + 1 : at; index < end; index++) {
    const digit = (bytes[index] as number) - ZERO;
    if (digit < 0 || digit > 9) break;
    value = value * 10 + digit;
  }
  return negative ? -value : value;
}

/** Place of a member of the outermost object, or -1. Text inside strings and nested objects never matches. */
function findMember(bytes: Uint8Array, start: number, end: number, name: Uint8Array): number {
  let depth = 0;
  for (let index = start; index < end; index++) {
    const byte = bytes[index] as number;
    if (byte === OPEN) depth++;
    else if (byte === CLOSE) depth--;
    else if (byte === QUOTE) {
      if (depth === 1 && matches(bytes, index, end, name)) return index;
      index = endOfString(bytes, index, end);
    }
  }
  return -1;
}

function endOfString(bytes: Uint8Array, quote: number, end: number): number {
  for (let index = quote + 1; index < end; index++) {
    if (bytes[index] === BACKSLASH) index++;
    else if (bytes[index] === QUOTE) return index;
  }
  return end;
}

/** What a header says when it has no code or no opaque: never a value that a broker sends. */
export const MISSING = -2_147_483_648;

/** One reader per connection: the remembered places belong to the broker behind it. */
export class JsonReplyHeader {
  #codeFromStart = 1;
  #opaqueFromEnd = 0;

  code(bytes: Uint8Array, start: number, end: number): number {
    let at = start + this.#codeFromStart;
    if (!matches(bytes, at, end, CODE)) {
      at = findMember(bytes, start, end, CODE);
      if (at < 0) return MISSING;
      this.#codeFromStart = at - start;
    }
    return readInteger(bytes, at + CODE.length, end);
  }

  opaque(bytes: Uint8Array, start: number, end: number): number {
    let at = end - this.#opaqueFromEnd;
    if (!matches(bytes, at, end, OPAQUE)) {
      at = findMember(bytes, start, end, OPAQUE);
      if (at < 0) return MISSING;
      this.#opaqueFromEnd = end - at;
    }
    return readInteger(bytes, at + OPAQUE.length, end);
  }
}
