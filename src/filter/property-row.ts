/**
 * The properties of one message that a filter asks for, found in one pass over the bytes: where their values lie, and
 * what they are as numbers, read once and when a comparison needs that. One instance is reused for many messages.
 */
import { JavaDouble, JavaInteger } from '../lib/java-numbers.ts';
import { decodeUtf8 } from '../lib/java-text.ts';
import { PROPERTY_NAME_END, PROPERTY_VALUE_END } from '../record/layout.ts';
import type { PropertyNames } from './property-names.ts';

const UNREAD = 0;
const GOOD = 1;
const BAD = 2;

const integer = new JavaInteger();
const double = new JavaDouble();
const NOTHING = new Uint8Array(0);

export class PropertyRow {
  /** Of the message. */
  bytes: Uint8Array = NOTHING;
  /** Where the value of each slot lies; -1 = the message has no such property. */
  readonly from: Int32Array;
  readonly to: Int32Array;
  /** After `integer`: the value as high × 10^15 + low. */
  readonly high: Float64Array;
  readonly low: Float64Array;
  /** After `isDouble`. */
  readonly double: Float64Array;

  readonly #names: PropertyNames;
  readonly #integerState: Uint8Array;
  readonly #doubleState: Uint8Array;
  /** BAD: a byte of it is no ASCII. */
  readonly #asciiState: Uint8Array;
  readonly #texts: (string | undefined)[];

  constructor(names: PropertyNames) {
    const slots = names.names.length;
    this.#names = names;
    this.from = new Int32Array(slots);
    this.to = new Int32Array(slots);
    this.high = new Float64Array(slots);
    this.low = new Float64Array(slots);
    this.double = new Float64Array(slots);
    this.#integerState = new Uint8Array(slots);
    this.#doubleState = new Uint8Array(slots);
    this.#asciiState = new Uint8Array(slots);
    this.#texts = new Array(slots).fill(undefined);
  }

  /** Finds the properties in bytes[from, to). The last of two of one name counts; those without a value do not. */
  read(bytes: Uint8Array, from: number, to: number): void {
    this.bytes = bytes;
    for (let slot = 0; slot < this.from.length; slot++) {
      this.from[slot] = -1;
      this.#integerState[slot] = UNREAD;
      this.#doubleState[slot] = UNREAD;
      this.#asciiState[slot] = UNREAD;
      this.#texts[slot] = undefined;
    }
    let at = from;
    while (at < to) {
      let nameEnd = at;
      let byte = bytes[nameEnd] as number;
      while (byte !== PROPERTY_NAME_END && byte !== PROPERTY_VALUE_END && ++nameEnd < to) {
        byte = bytes[nameEnd] as number;
      }
      let valueEnd = nameEnd;
      while (valueEnd < to && bytes[valueEnd] !== PROPERTY_VALUE_END) valueEnd++;
      if (valueEnd - nameEnd > 1) {
        const slot = this.#names.find(bytes, at, nameEnd);
        if (slot >= 0) {
          this.from[slot] = nameEnd + 1;
          this.to[slot] = valueEnd;
        }
      }
      at = valueEnd + 1;
    }
  }

  isAbsent(slot: number): boolean {
    return (this.from[slot] as number) < 0;
  }

  /** INT, LONG or NO_INTEGER. */
  integer(slot: number): number {
    const known = this.#integerState[slot] as number;
    if (known !== UNREAD) return known;
    const state = integer.read(this.bytes, this.from[slot] as number, this.to[slot] as number);
    this.high[slot] = integer.high;
    this.low[slot] = integer.low;
    this.#integerState[slot] = state;
    return state;
  }

  isDouble(slot: number): boolean {
    const known = this.#doubleState[slot] as number;
    if (known !== UNREAD) return known === GOOD;
    const isGood = double.read(this.bytes, this.from[slot] as number, this.to[slot] as number);
    this.double[slot] = double.value;
    this.#doubleState[slot] = isGood ? GOOD : BAD;
    return isGood;
  }

  text(slot: number): string {
    let text = this.#texts[slot];
    if (text === undefined) {
      text = decodeUtf8(this.bytes, this.from[slot] as number, this.to[slot] as number);
      this.#texts[slot] = text;
    }
    return text;
  }

  /** Whether two properties have the same text. */
  isSame(left: number, right: number): boolean {
    const { bytes } = this;
    const from = this.from[left] as number;
    const length = (this.to[left] as number) - from;
    const other = this.from[right] as number;
    let isSame = length === (this.to[right] as number) - other;
    for (let i = 0; isSame && i < length; i++) isSame = bytes[from + i] === bytes[other + i];
    if (isSame || this.#isAscii(left) || this.#isAscii(right)) return isSame;
    // Bytes that are no UTF-8 may differ and yet become the same text.
    return this.text(left) === this.text(right);
  }

  #isAscii(slot: number): boolean {
    if (this.#asciiState[slot] === UNREAD) {
      const to = this.to[slot] as number;
      let at = this.from[slot] as number;
      while (at < to && (this.bytes[at] as number) < 0x80) at++;
      this.#asciiState[slot] = at === to ? GOOD : BAD;
    }
    return this.#asciiState[slot] === GOOD;
  }
}
