/**
 * Numbers in texts as Java reads them (`Integer.valueOf`, `Long.valueOf`, `Double.valueOf`), from UTF-8 in place. The
 * common forms cost no string; the odd ones (digits of other scripts, exponents, hexadecimal floats) do.
 */
import { decodeUtf8 } from './java-text.ts';

export const MAX_INT = 2 ** 31 - 1;
const MIN_INT = -(2 ** 31);

/** What a text is for Java: an Integer (and a Long), only a Long, or neither. */
export const INT = 1;
export const LONG = 2;
export const NO_INTEGER = 3;

/** Integers below this are exact as numbers, and so are their sums with a digit. */
const HALF = 1e15;
const HALF_DIGITS = 15;
/** The largest Long is 9223 × 10^15 + this. */
const MAX_HIGH = 9223;
const MAX_LOW = 372_036_854_775_807;

const PLUS = 0x2b;
const MINUS = 0x2d;
const POINT = 0x2e;
const ZERO = 0x30;
const NINE = 0x39;

/** A 64-bit integer as high × 10^15 + low; both have its sign. */
export class JavaInteger {
  high = 0;
  low = 0;

  /** Reads bytes[from, to): INT, LONG or NO_INTEGER. */
  read(bytes: Uint8Array, from: number, to: number): number {
    const sign = bytes[from] as number;
    let at = sign === PLUS || sign === MINUS ? from + 1 : from;
    if (at >= to) return NO_INTEGER;
    while (at < to - 1 && bytes[at] === ZERO) at++;
    const middle = Math.max(at, to - HALF_DIGITS);
    let high = 0;
    let low = 0;
    for (; at < to; at++) {
      const digit = (bytes[at] as number) - ZERO;
      if (digit < 0 || digit > 9) return digit < 0x50 ? NO_INTEGER : this.#readForeign(bytes, from, to);
      if (at < middle) high = high * 10 + digit;
      else low = low * 10 + digit;
      // Digits of more than one byte may follow, which make less of them than there are bytes.
      if (high > MAX_HIGH) return this.#readForeign(bytes, from, to);
    }
    if (high === MAX_HIGH && low > (sign === MINUS ? MAX_LOW + 1 : MAX_LOW)) return NO_INTEGER;
    this.high = sign === MINUS ? -high : high;
    this.low = sign === MINUS ? -low : low;
    return high === 0 && this.low >= MIN_INT && this.low <= MAX_INT ? INT : LONG;
  }

  /** Java takes the decimal digits of every script, as long as they are single UTF-16 units. */
  #readForeign(bytes: Uint8Array, from: number, to: number): number {
    let foreign = false;
    for (let at = from; at < to && !foreign; at++) foreign = (bytes[at] as number) >= 0x80;
    if (!foreign) return NO_INTEGER;
    const text = decodeUtf8(bytes, from, to).replace(FOREIGN_DIGIT, asciiDigit);
    if (!/^[+-]?[0-9]+$/.test(text)) return NO_INTEGER;
    return this.read(Buffer.from(text), 0, text.length);
  }

  set(value: bigint): void {
    this.high = Number(value / BigInt(HALF));
    this.low = Number(value % BigInt(HALF));
  }

  /** Below, equal or above 0. */
  compare(high: number, low: number): number {
    return this.high === high ? this.low - low : this.high - high;
  }
}

const FOREIGN_DIGIT = /\p{Nd}/gu;

/** The digits of a script stand in a row from its zero on, and no two rows of the BMP touch. */
function asciiDigit(digit: string): string {
  if (digit.length > 1) return digit;
  const code = digit.charCodeAt(0);
  let zero = code;
  while (/\p{Nd}/u.test(String.fromCharCode(zero - 1))) zero--;
  return String(code - zero);
}

/** Powers of ten that a double holds exactly, as far as they are needed. */
const TENS = Array.from({ length: HALF_DIGITS + 1 }, (_, i) => 10 ** i);

export class JavaDouble {
  /** Of the last text that was one. */
  value = 0;

  /** Reads bytes[from, to); false when Java throws. */
  read(bytes: Uint8Array, from: number, to: number): boolean {
    const sign = bytes[from] as number;
    let at = sign === PLUS || sign === MINUS ? from + 1 : from;
    let digits = 0;
    let decimals = -1;
    let sum = 0;
    for (; at < to; at++) {
      const byte = bytes[at] as number;
      if (byte >= ZERO && byte <= NINE) {
        sum = sum * 10 + byte - ZERO;
        digits++;
        if (decimals >= 0) decimals++;
        if (digits > HALF_DIGITS) break;
      } else if (byte === POINT && decimals < 0) decimals = 0;
      else break;
    }
    if (at < to || digits === 0) return this.#readText(decodeUtf8(bytes, from, to));
    // Both are exact, so that their quotient is rounded once.
    if (decimals > 0) sum /= TENS[decimals] as number;
    this.value = sign === MINUS ? -sum : sum;
    return true;
  }

  #readText(text: string): boolean {
    const value = parseDouble(text);
    if (value === undefined) return false;
    this.value = value;
    return true;
  }
}

const DECIMAL = /^([+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?)[fFdD]?$/;
const HEXADECIMAL = /^([+-]?)0[xX](?:([\da-fA-F]+)\.?|([\da-fA-F]*)\.([\da-fA-F]+))[pP]([+-]?\d+)[fFdD]?$/;

/** `Double.valueOf`; undefined where that throws. */
export function parseDouble(untrimmed: string): number | undefined {
  const text = trim(untrimmed);
  const decimal = DECIMAL.exec(text);
  if (decimal !== null) return Number(decimal[1]);
  const hexadecimal = HEXADECIMAL.exec(text);
  if (hexadecimal !== null) return hexadecimalValue(hexadecimal);
  const named = /^([+-]?)(NaN|Infinity)$/.exec(text);
  if (named === null) return undefined;
  return named[1] === '-' ? -Number(named[2]) : Number(named[2]);
}

/** `String.trim`: all that is not above a space. */
function trim(text: string): string {
  let from = 0;
  let to = text.length;
  while (from < to && text.charCodeAt(from) <= 0x20) from++;
  while (to > from && text.charCodeAt(to - 1) <= 0x20) to--;
  return text.slice(from, to);
}

/** Hexadecimal digits that are kept; of the others it counts only whether one is not 0. */
const KEPT_DIGITS = 32;

function hexadecimalValue(parts: RegExpExecArray): number {
  const [, sign, integer, left = '', right = '', exponent = ''] = parts;
  const written = (integer ?? left) + right;
  const digits = written.replace(/^0+/, '');
  const kept = digits.slice(0, KEPT_DIGITS);
  const isInexact = /[^0]/.test(digits.slice(KEPT_DIGITS));
  // One more bit, so that what was cut off breaks ties.
  const significand = (BigInt(`0x${kept || '0'}`) << 1n) | (isInexact ? 1n : 0n);
  const shift = 4 * (digits.length - kept.length - right.length) - 1;
  const value = scale(significand, Number(exponent) + shift);
  return sign === '-' ? -value : value;
}

const DOUBLE_BITS = 53;
const SMALLEST_EXPONENT = -1074;
const LARGEST_EXPONENT = 1024;

/** significand × 2^exponent, rounded once, half to even. */
function scale(significand: bigint, exponent: number): number {
  if (significand === 0n) return 0;
  const bits = significand.toString(2).length;
  if (bits + exponent > LARGEST_EXPONENT) return Number.POSITIVE_INFINITY;
  if (bits + exponent < SMALLEST_EXPONENT) return 0;
  const drop = Math.max(bits - DOUBLE_BITS, SMALLEST_EXPONENT - exponent, 0);
  const kept = significand >> BigInt(drop);
  const rest = significand - (kept << BigInt(drop));
  const half = drop === 0 ? 1n : 1n << BigInt(drop - 1);
  const up = rest > half || (rest === half && (kept & 1n) === 1n);
  // In two steps: neither factor leaves the range of a double.
  const power = exponent + drop;
  const first = Math.trunc(power / 2);
  return Number(up ? kept + 1n : kept) * 2 ** first * 2 ** (power - first);
}

/** `Double.compareTo`: -0 is below 0, and NaN above everything and equal to itself. */
export function compareDoubles(left: number, right: number): number {
  if (left < right) return -1;
  if (left > right) return 1;
  if (left === right && left !== 0) return 0;
  return rank(left) - rank(right);
}

function rank(number: number): number {
  if (Number.isNaN(number)) return 2;
  return Object.is(number, -0) ? 0 : 1;
}
