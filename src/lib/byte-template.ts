/**
 * Bytes that were met before, and which of them may differ in others of the same length. Comparing costs one load for
 * eight bytes; only where they differ is looked at closer.
 *
 * Eight bytes are compared as a double. A normal number differs from any other exactly when its bytes do. Zeros and
 * denormal numbers may equal others (0 and -0; a processor can be told to take denormals for zero), so a NaN stands for
 * them in the template: it differs from everything, and their bytes are looked at closer each time. ASCII without NUL
 * is always normal; where there are zeros, the steps are laid so that few of them end with some.
 */

/** What may stand in place of a byte. */
export const FIXED = 0;
/** Printable ASCII, and DEL, but quote and backslash: what means itself in JSON and is no separator of properties. */
export const PLAIN_TEXT = 1;
export const DIGIT = 2;
/** 1 to 9 */
export const FIRST_DIGIT = 3;
/** Anything but NUL and the separators of properties, \x01 and \x02. */
export const UNSEPARATED = 4;
export const ANY = 5;
/** Of four bytes: not all of one kind. */
const MIXED = 6;

const HALF = 4;
const STEP = 8;

const SPACE = 0x20;
const DELETE = 0x7f;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const ZERO = 0x30;
const ONE = 0x31;
const NINE = 0x39;

const LETTER_A = 0x41;

/** The least byte that is UNSEPARATED. */
const THREE = 3;
/** No number with less magnitude is normal. */
const LEAST_NORMAL = 2 ** -1022;

const HIGH_BITS = 0x80808080 | 0;
const ONES = 0x01010101;
const SPACES = 0x20202020;
const QUOTES = 0x22222222;
const BACKSLASHES = 0x5c5c5c5c;
const ZEROS = 0x30303030;
const THREES = 0x03030303;
/** Carries every byte above '9' to its highest bit. */
const ABOVE_NINE = 0x46464646;

/** Less has no eight bytes to compare. */
export const MIN_TEMPLATE_BYTES = STEP;

export class ByteTemplate {
  readonly bytes: Uint8Array;
  /** In steps of eight bytes, of which the first two and the last two may overlap (`stepPlaces`). */
  readonly #doubles: Float64Array;
  /** Where the second step begins. */
  readonly #second: number;
  /** Of each half of a step: its bytes, and the kind that all of them are of. */
  readonly #words: Int32Array;
  readonly #halves: Uint8Array;
  /** Of halves that are MIXED, MIXED_WORDS each. */
  readonly #mixed: Int32Array;

  /** `bytes` are kept: at least MIN_TEMPLATE_BYTES. `kinds` has one for each. */
  constructor(bytes: Uint8Array, kinds: Uint8Array) {
    this.bytes = bytes;
    const view = new DataView(bytes.buffer, bytes.byteOffset);
    const places = stepPlaces(view, bytes.length);
    this.#second = places[1] ?? STEP;
    this.#doubles = new Float64Array(places.length);
    this.#words = new Int32Array(places.length * 2);
    this.#halves = new Uint8Array(places.length * 2);
    this.#mixed = new Int32Array(places.length * 2 * MIXED_WORDS);
    for (let step = 0; step < places.length; step++) {
      const place = places[step] as number;
      this.#doubles[step] = comparable(view.getFloat64(place, true));
      this.#setHalf(step * 2, view, kinds, place);
      this.#setHalf(step * 2 + 1, view, kinds, place + HALF);
    }
  }

  #setHalf(half: number, view: DataView, kinds: Uint8Array, place: number): void {
    const kind = kinds[place] as number;
    let isMixed = false;
    for (let i = 0; i < HALF; i++) {
      const one = kinds[place + i] as number;
      isMixed ||= one !== kind;
      this.#addMixed(half * MIXED_WORDS, one, i * 8);
    }
    this.#words[half] = view.getInt32(place, true);
    this.#halves[half] = isMixed ? MIXED : kind;
  }

  /** Enters a byte of this kind, `shift` bits up, in the masks from `at` on. */
  #addMixed(at: number, kind: number, shift: number): void {
    const mixed = this.#mixed;
    const mask = 0xff << shift;
    if (kind === FIXED) mixed[at] = (mixed[at] as number) | mask;
    if (kind === DIGIT || kind === FIRST_DIGIT) mixed[at + 1] = (mixed[at + 1] as number) | mask;
    const least = kind === FIRST_DIGIT ? ONE : ZERO;
    mixed[at + 2] = (mixed[at + 2] as number) | (least << shift);
    if (kind === PLAIN_TEXT) mixed[at + 3] = (mixed[at + 3] as number) | mask;
    if (kind === UNSEPARATED) mixed[at + 4] = (mixed[at + 4] as number) | mask;
  }

  /** Whether as many bytes at `from` differ only where they may. */
  matches(view: DataView, from: number): boolean {
    const doubles = this.#doubles;
    const last = doubles.length - 1;
    for (let i = 0, at = from, next = from + this.#second; i < last; i++, at = next, next += STEP) {
      if (view.getFloat64(at, true) !== doubles[i] && !this.#allows(view, at, i)) return false;
    }
    const end = from + this.bytes.length - STEP;
    return view.getFloat64(end, true) === doubles[last] || this.#allows(view, end, last);
  }

  #allows(view: DataView, at: number, step: number): boolean {
    const words = this.#words;
    const first = view.getInt32(at, true);
    const second = view.getInt32(at + HALF, true);
    const half = step * 2;
    return (
      (first === words[half] || this.#allowsHalf(first, half)) &&
      (second === words[half + 1] || this.#allowsHalf(second, half + 1))
    );
  }

  /** Whether a word that differs may. */
  #allowsHalf(word: number, half: number): boolean {
    const kind = this.#halves[half];
    if (kind === PLAIN_TEXT) return isPlain(word);
    if (kind === DIGIT) return isDigits(word, ZEROS);
    if (kind === UNSEPARATED) return isUnseparated(word);
    if (kind === ANY) return true;
    return kind !== FIXED && this.#allowsMixed(word, half);
  }

  /** Each kind by itself, the bytes of the others replaced by what passes. */
  #allowsMixed(word: number, half: number): boolean {
    const mixed = this.#mixed;
    const at = half * MIXED_WORDS;
    const fixed = mixed[at] as number;
    if (((word ^ (this.#words[half] as number)) & fixed) !== 0) return false;
    const digits = mixed[at + 1] as number;
    const plain = mixed[at + 3] as number;
    const unseparated = mixed[at + 4] as number;
    return (
      isDigits((word & digits) | ((NINE * ONES) & ~digits), mixed[at + 2] as number) &&
      isPlain((word & plain) | ((LETTER_A * ONES) & ~plain)) &&
      isUnseparated((word & unseparated) | ~unseparated)
    );
  }
}

/** The places of all steps: of the ways to lay them, the one with the fewest numbers that may equal others. */
function stepPlaces(view: DataView, length: number): number[] {
  let best: number[] = [];
  let fewest = Number.POSITIVE_INFINITY;
  for (let second = STEP; second > 0 && fewest > 0; second--) {
    const places = placesFrom(second, length - STEP);
    let count = 0;
    for (const at of places) if (Number.isNaN(comparable(view.getFloat64(at, true)))) count++;
    if (count >= fewest) continue;
    best = places;
    fewest = count;
  }
  return best;
}

/** The first step at 0, the others from `second` on, the last at `last`. */
function placesFrom(second: number, last: number): number[] {
  const places = [0];
  for (let at = second; at < last; at += STEP) places.push(at);
  if (last > 0) places.push(last);
  return places;
}

/** What stands for a number that may equal others: one that equals none. */
function comparable(number: number): number {
  return Math.abs(number) < LEAST_NORMAL ? Number.NaN : number;
}

/** Masks of fixed bytes and of digits among four bytes, the least that each digit may be, masks of the two texts. */
const MIXED_WORDS = 5;

/** All four bytes are '0' (or what `least` says) to '9'. A byte borrows from the next only when it is too small. */
function isDigits(word: number, least: number): boolean {
  return (((word + ABOVE_NINE) | (word - least) | word) & HIGH_BITS) === 0;
}

/** Whether it is PLAIN_TEXT; no unit of UTF-16 beyond ASCII is. */
export function isPlainByte(byte: number): boolean {
  return byte >= SPACE && byte <= DELETE && byte !== QUOTE && byte !== BACKSLASH;
}

/** Whether bytes[from, +length) are PLAIN_TEXT: they mean themselves between JSON quotes. */
export function isPlainText(bytes: Uint8Array, from: number, length: number): boolean {
  for (let i = from; i < from + length; i++) if (!isPlainByte(bytes[i] as number)) return false;
  return true;
}

/**
 * All four bytes are PLAIN_TEXT. A subtraction borrows from the next byte only below a byte that is found out anyway,
 * so whether there is one is exact.
 */
function isPlain(word: number): boolean {
  const below = word - SPACES;
  const quotes = (word ^ QUOTES) - ONES;
  const backslashes = (word ^ BACKSLASHES) - ONES;
  return ((word | below | quotes | backslashes) & HIGH_BITS) === 0;
}

export function isUnseparatedByte(byte: number): boolean {
  return byte >= THREE;
}

/** All four bytes are UNSEPARATED; exact as `isPlain` is. */
function isUnseparated(word: number): boolean {
  return ((word - THREES) & ~word & HIGH_BITS) === 0;
}
