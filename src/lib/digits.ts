/** Numbers as text, written in place. */

const ZERO = 0x30;
const MAX_INT32 = 0x7fffffff;
const HEX = Buffer.from('0123456789ABCDEF');
const TWO_32 = 4294967296;

/** Characters of an integer in decimal. */
export function decimalLength(value: number): number {
  if (value < 0 || value > MAX_INT32) return String(value).length;
  let digits = 1;
  for (let limit = 10; digits < 10 && value >= limit; limit *= 10) digits++;
  return digits;
}

/** Writes an integer in decimal at `at`; returns the offset behind it. */
export function writeDecimal(bytes: Uint8Array, at: number, value: number): number {
  if (value < 0 || value > MAX_INT32) return writeText(bytes, at, String(value));
  const digits = decimalLength(value);
  let rest = value | 0;
  for (let i = at + digits - 1; i >= at; i--) {
    const quotient = (rest / 10) | 0;
    bytes[i] = ZERO + rest - quotient * 10;
    rest = quotient;
  }
  return at + digits;
}

/** Writes a non-negative integer below 2^53 in decimal, with zeros before it to fill `length` places. */
export function writePaddedDecimal(bytes: Uint8Array, at: number, value: number, length: number): void {
  writeText(bytes, at, String(value).padStart(length, '0'));
}

/** Writes a non-negative integer below 2^53 as 16 upper-case hex digits. */
export function writeHex16(bytes: Uint8Array, at: number, value: number): number {
  const high = Math.floor(value / TWO_32);
  writeHex8(bytes, at, high);
  writeHex8(bytes, at + 8, value - high * TWO_32);
  return at + 16;
}

function writeHex8(bytes: Uint8Array, at: number, value: number): void {
  let rest = value | 0;
  for (let i = at + 7; i >= at; i--) {
    bytes[i] = HEX[rest & 15] as number;
    rest >>>= 4;
  }
}

/** Writes ASCII text; returns the offset behind it. */
export function writeText(bytes: Uint8Array, at: number, text: string): number {
  for (let i = 0; i < text.length; i++) bytes[at + i] = text.charCodeAt(i);
  return at + text.length;
}
