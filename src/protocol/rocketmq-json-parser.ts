/**
 * Reads JSON and the dialect that fastjson, its successor and the JSON writers of C++ and Go clients send:
 * keys without quotes, numbers and objects as keys, single quotes, trailing commas, `$ref`.
 * Nothing may follow the document.
 */
import { ProtocolError } from './errors.ts';
import type { RocketJson, RocketJsonMap, RocketJsonObject } from './rocketmq-json.ts';
import { resolveReferences } from './rocketmq-json-references.ts';

export interface ParseOptions {
  /**
   * `value` (default): integers past 2^53 become bigint, all other numbers number.
   * `text`: every number becomes the string that stands in the input.
   */
  numbers?: 'value' | 'text';
  /** Longest input in UTF-16 units. Default: 64 Mi. */
  maxLength?: number;
  /** Deepest nesting of objects and arrays. Default: MAX_JSON_DEPTH. */
  maxDepth?: number;
}

/** Deep enough for every body there is, and small enough for the stack. */
export const MAX_JSON_DEPTH = 200;

const DEFAULT_MAX_LENGTH = 64 * 1024 * 1024;

/** Throws a ProtocolError that names the position; never anything else, whatever the text. */
export function parseRocketJson(text: string, options: ParseOptions = {}): RocketJson {
  const maxLength = options.maxLength ?? DEFAULT_MAX_LENGTH;
  if (text.length > maxLength) {
    throw new ProtocolError('LENGTH', `JSON of ${text.length} characters exceeds ${maxLength}`);
  }
  return new Parser(text, options).document();
}

const numberPattern = /-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?/y;
const wordPattern = /[\p{ID_Start}$_][\p{ID_Continue}$]*/uy;
const hex4Pattern = /[0-9a-fA-F]{4}/y;
const hex2Pattern = /[0-9a-fA-F]{2}/y;

const words: ReadonlyMap<string, RocketJson> = new Map<string, RocketJson>([
  ['true', true],
  ['false', false],
  ['null', null],
  ['NaN', null],
]);

const escapes: ReadonlyMap<string, string> = new Map([
  ['"', '"'],
  ["'", "'"],
  ['\\', '\\'],
  ['/', '/'],
  ['b', '\b'],
  ['f', '\f'],
  ['n', '\n'],
  ['r', '\r'],
  ['t', '\t'],
  ['v', '\v'],
  ['0', '\0'],
]);

class Parser {
  readonly #text: string;
  readonly #numbersAsText: boolean;
  readonly #maxDepth: number;
  #position = 0;
  /** No backslash stands between the position of the last search and here. */
  #backslash = -1;
  #depth = 0;
  #hasReferences = false;

  constructor(text: string, options: ParseOptions) {
    this.#text = text;
    this.#numbersAsText = options.numbers === 'text';
    this.#maxDepth = options.maxDepth ?? MAX_JSON_DEPTH;
  }

  document(): RocketJson {
    const value = this.#value();
    if (this.#peek() !== '') throw this.#unexpected();
    return this.#hasReferences ? resolveReferences(value) : value;
  }

  #value(): RocketJson {
    const next = this.#peek();
    if (next === '{') return this.#object();
    if (next === '[') return this.#array();
    if (next === '"' || next === "'") return this.#string(next);
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
      if (key === '$ref' && typeof value === 'string') this.#hasReferences = true;
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
    if (next === '"' || next === "'") return this.#string(next);
    if (next === '{') return this.#object();
    const key = this.#take(next === '-' || isDigit(next) ? numberPattern : wordPattern);
    if (key === '') throw this.#unexpected();
    return key;
  }

  #number(): RocketJson {
    numberPattern.lastIndex = this.#position;
    const match = numberPattern.exec(this.#text);
    if (match === null) throw this.#unexpected();
    const [text, fraction, exponent] = match;
    this.#position += text.length;
    if (this.#numbersAsText) return text;
    const number = Number(text);
    const exact = fraction !== undefined || exponent !== undefined || Number.isSafeInteger(number);
    return exact ? number : BigInt(text);
  }

  #string(quote: string): string {
    const start = this.#position + 1;
    const end = this.#text.indexOf(quote, start);
    if (end < 0) {
      throw new ProtocolError('SYNTAX', `JSON string at position ${this.#position} does not end`);
    }
    if (this.#nextBackslash(start) < end) return this.#escapedString(quote);
    this.#position = end + 1;
    return this.#text.slice(start, end);
  }

  #escapedString(quote: string): string {
    const opening = this.#position;
    this.#position += 1;
    let result = '';
    for (;;) {
      const next = this.#text[this.#position];
      if (next === undefined) {
        throw new ProtocolError('SYNTAX', `JSON string at position ${opening} does not end`);
      }
      this.#position += 1;
      if (next === quote) return result;
      result += next === '\\' ? this.#escape() : next;
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
    this.#position += 1;
    const digits = letter === 'u' ? this.#take(hex4Pattern) : letter === 'x' ? this.#take(hex2Pattern) : '';
    if (digits === '') {
      this.#position -= 1;
      throw this.#unexpected();
    }
    return String.fromCharCode(Number.parseInt(digits, 16));
  }

  #open(): void {
    this.#position += 1;
    this.#depth += 1;
    if (this.#depth > this.#maxDepth) {
      throw new ProtocolError(
        'SYNTAX',
        `JSON nested deeper than ${this.#maxDepth} at position ${this.#position}`,
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

  #unexpected(): ProtocolError {
    const found = this.#text[this.#position];
    const what = found === undefined ? 'end of text' : JSON.stringify(found);
    return new ProtocolError('SYNTAX', `JSON has unexpected ${what} at position ${this.#position}`);
  }
}

function isDigit(character: string): boolean {
  return character >= '0' && character <= '9';
}

/** Space, tab, line feed, vertical tab, form feed, carriage return. */
function isBlank(code: number): boolean {
  return code === 0x20 || (code >= 0x09 && code <= 0x0d);
}
