/**
 * Reads JSON and what RocketMQ's own writers put beside it: integers and objects as keys, keys without quotes, `$ref`.
 * Trailing commas pass too, since a Java broker takes a configuration file in which a person has left one. Nothing may
 * follow the document.
 *
 * What a text can cost is in proportion to its length and, for what others send, bounded: values, depth, length of a
 * text. A limit that is exceeded is named in the error.
 */
import { MAX_JSON_BODY, MAX_JSON_DEPTH, MAX_JSON_TEXT, MAX_JSON_VALUES } from '../lib/limits.ts';
import { limitError, ProtocolError } from './errors.ts';
import type { RocketJson, RocketJsonMap, RocketJsonObject } from './rocketmq-json.ts';
import { resolveReferences, tooManyValues } from './rocketmq-json-references.ts';

export interface ParseOptions {
  /**
   * `value` (default): integers past 2^53 become bigint, all other numbers number.
   * `text`: every number becomes the string that stands in the input.
   */
  numbers?: 'value' | 'text';
  /** Longest input in UTF-16 units. Default: 256 Mi. */
  maxLength?: number;
  /** Deepest nesting of objects and arrays. Default: MAX_JSON_DEPTH. */
  maxDepth?: number;
  /** Most values, references written out; with the name of the limit for the error. Default: no limit. */
  maxValues?: { count: number; limit: string };
  /** Longest string in UTF-16 units. Default: no limit. */
  maxText?: number;
  /** False: `$ref` is a name like any other. Default: true. */
  references?: boolean;
}

/** For bodies that clients send. Files that this process or RocketMQ has written are read with the defaults. */
export const REQUEST_JSON: ParseOptions = {
  maxLength: MAX_JSON_BODY,
  maxValues: { count: MAX_JSON_VALUES, limit: 'MAX_JSON_VALUES' },
  maxText: MAX_JSON_TEXT,
};

const DEFAULT_MAX_LENGTH = 256 * 1024 * 1024;

/** Throws a ProtocolError that names the position; never anything else, whatever the text. */
export function parseRocketJson(text: string, options: ParseOptions = {}): RocketJson {
  const maxLength = options.maxLength ?? DEFAULT_MAX_LENGTH;
  if (text.length > maxLength) {
    throw new ProtocolError(
      'LENGTH',
      `JSON of ${text.length} characters exceeds ${maxLength} (limit MAX_JSON_BODY)`,
    );
  }
  return new Parser(text, options).document();
}

const numberPattern = /-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?/y;
const wordPattern = /[\p{ID_Start}$_][\p{ID_Continue}$]*/uy;
const integerPattern = /-?(?:0|[1-9][0-9]*)/y;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
/** Longest number, in characters: an int64 has 20, a double 25. */
const LONGEST_NUMBER = 64;

const words: ReadonlyMap<string, RocketJson> = new Map<string, RocketJson>([
  ['true', true],
  ['false', false],
  ['null', null],
]);

const escapes: ReadonlyMap<string, string> = new Map([
  ['"', '"'],
  ['\\', '\\'],
  ['/', '/'],
  ['b', '\b'],
  ['f', '\f'],
  ['n', '\n'],
  ['r', '\r'],
  ['t', '\t'],
]);

class Parser {
  readonly #text: string;
  readonly #numbersAsText: boolean;
  readonly #maxDepth: number;
  readonly #maxValues: { count: number; limit: string };
  readonly #maxText: number;
  readonly #references: boolean;
  #values = 0;
  #position = 0;
  /** No backslash stands between the position of the last search and here. */
  #backslash = -1;
  #depth = 0;
  #hasReferences = false;

  constructor(text: string, options: ParseOptions) {
    this.#text = text;
    this.#numbersAsText = options.numbers === 'text';
    this.#maxDepth = options.maxDepth ?? MAX_JSON_DEPTH;
    this.#maxValues = options.maxValues ?? { count: Number.POSITIVE_INFINITY, limit: '' };
    this.#maxText = options.maxText ?? Number.POSITIVE_INFINITY;
    this.#references = options.references ?? true;
  }

  document(): RocketJson {
    const value = this.#value();
    if (this.#peek() !== '') throw this.#unexpected();
    return this.#hasReferences ? resolveReferences(value, this.#maxValues) : value;
  }

  #value(): RocketJson {
    if (++this.#values > this.#maxValues.count) throw tooManyValues(this.#maxValues);
    const next = this.#peek();
    if (next === '{') return this.#object();
    if (next === '[') return this.#array();
    if (next === '"') return this.#string();
    if (next === '-' || isDigit(next)) return this.#number();
    const start = this.#position;
    const value = words.get(this.#take(wordPattern));
    if (value === undefined) {
      this.#position = start;
      throw this.#unexpected();
    }
    return value;
  }

  /** A Map as soon as one key is an object, else a plain object. */
  #object(): RocketJsonObject | RocketJsonMap {
    this.#open();
    const object: RocketJsonObject = Object.create(null);
    let map: RocketJsonMap | undefined;
    while (this.#peek() !== '}') {
      const key = this.#key();
      this.#expect(':');
      const value = this.#value();
      if (typeof key !== 'string') map ??= new Map(Object.entries(object));
      if (map !== undefined) map.set(key, value);
      else object[key as string] = value;
      if (key === '$ref' && typeof value === 'string') this.#hasReferences = this.#references;
      if (this.#peek() !== '}') this.#expect(',');
    }
    this.#close();
    return map ?? object;
  }

  #array(): RocketJson[] {
    this.#open();
    const array: RocketJson[] = [];
    while (this.#peek() !== ']') {
      array.push(this.#value());
      if (this.#peek() !== ']') this.#expect(',');
    }
    this.#close();
    return array;
  }

  #key(): string | RocketJsonObject | RocketJsonMap {
    const next = this.#peek();
    if (next === '"') return this.#string();
    if (next === '{') return this.#object();
    const key = this.#take(next === '-' || isDigit(next) ? integerPattern : wordPattern);
    if (key === '') throw this.#unexpected();
    return key;
  }

  #number(): RocketJson {
    numberPattern.lastIndex = this.#position;
    const match = numberPattern.exec(this.#text);
    if (match === null) throw this.#unexpected();
    const [text, fraction, exponent] = match;
    if (text.length > LONGEST_NUMBER) {
      const message = `JSON has a number of ${text.length} digits at position ${this.#position}`;
      throw new ProtocolError('VALUE', message);
    }
    this.#position += text.length;
    if (this.#numbersAsText) return text;
    const number = Number(text);
    const exact = fraction !== undefined || exponent !== undefined || Number.isSafeInteger(number);
    return exact ? number : BigInt(text);
  }

  #string(): string {
    const start = this.#position + 1;
    const end = this.#text.indexOf('"', start);
    if (end < 0) throw this.#endless(this.#position);
    if (this.#nextBackslash(start) < end) return this.#escapedString();
    if (end - start > this.#maxText) throw tooLong(this.#maxText);
    this.#position = end + 1;
    return this.#text.slice(start, end);
  }

  #escapedString(): string {
    const opening = this.#position;
    this.#position += 1;
    let result = '';
    for (;;) {
      const start = this.#position;
      let stop = start;
      let code = this.#text.charCodeAt(stop);
      while (code !== QUOTE && code !== BACKSLASH) {
        if (Number.isNaN(code)) throw this.#endless(opening);
        code = this.#text.charCodeAt(++stop);
      }
      if (stop > start) result += this.#text.slice(start, stop);
      this.#position = stop + 1;
      if (code === QUOTE) return result;
      result += this.#escape();
      if (result.length > this.#maxText) throw tooLong(this.#maxText);
    }
  }

  /** Remembered, so that a text without backslashes is searched once and not once per string. */
  #nextBackslash(from: number): number {
    if (this.#backslash < from) {
      const found = this.#text.indexOf('\\', from);
      this.#backslash = found < 0 ? Number.POSITIVE_INFINITY : found;
    }
    return this.#backslash;
  }

  #escape(): string {
    const letter = this.#text[this.#position] ?? '';
    const simple = escapes.get(letter);
    if (simple !== undefined) {
      this.#position += 1;
      return simple;
    }
    const unit = letter === 'u' ? this.#hexUnit(this.#position + 1) : -1;
    if (unit < 0) throw this.#unexpected();
    this.#position += 5;
    return String.fromCharCode(unit);
  }

  /** The UTF-16 unit that the four hex digits at `from` spell, or -1. */
  #hexUnit(from: number): number {
    let unit = 0;
    for (let at = from; at < from + 4; at++) {
      const digit = hexDigit(this.#text.charCodeAt(at));
      if (digit < 0) return -1;
      unit = unit * 16 + digit;
    }
    return unit;
  }

  #open(): void {
    this.#position += 1;
    this.#depth += 1;
    if (this.#depth > this.#maxDepth) {
      throw new ProtocolError(
        'SYNTAX',
        `JSON nested deeper than ${this.#maxDepth} (limit MAX_JSON_DEPTH) at position ${this.#position}`,
      );
    }
  }

  #close(): void {
    this.#position += 1;
    this.#depth -= 1;
  }

  #expect(character: string): void {
    if (this.#peek() !== character) throw this.#unexpected();
    this.#position += 1;
  }

  /** The next character that is not blank, or '' at the end. */
  #peek(): string {
    while (isBlank(this.#text.charCodeAt(this.#position))) this.#position += 1;
    return this.#text[this.#position] ?? '';
  }

  #take(pattern: RegExp): string {
    pattern.lastIndex = this.#position;
    const text = pattern.exec(this.#text)?.[0] ?? '';
    this.#position += text.length;
    return text;
  }

  #endless(opening: number): ProtocolError {
    return new ProtocolError('SYNTAX', `JSON string at position ${opening} does not end`);
  }

  #unexpected(): ProtocolError {
    const found = this.#text[this.#position];
    const what = found === undefined ? 'end of text' : JSON.stringify(found);
    return new ProtocolError('SYNTAX', `JSON has unexpected ${what} at position ${this.#position}`);
  }
}

function isDigit(character: string): boolean {
  return character >= '0' && character <= '9';
}

/** -1 for what is none. */
function hexDigit(code: number): number {
  if (code >= 0x30 && code <= 0x39) return code - 0x30;
  const lower = code | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1;
}

/** Space, tab, line feed, carriage return. */
function isBlank(code: number): boolean {
  return code === 0x20 || code === 0x0a || code === 0x09 || code === 0x0d;
}

function tooLong(maxText: number): ProtocolError {
  return limitError('characters in a text of the JSON body', maxText, 'MAX_JSON_TEXT');
}
