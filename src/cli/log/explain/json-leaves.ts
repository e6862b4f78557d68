/**
 * The values of a JSON text with the bytes at which they stand, in the dialect of RocketMQ's files: names may be
 * numbers or words without quotes, and a comma may follow the last member. Whether a broker takes the text is for its
 * parser to say; this one tells where things are.
 */
import { MAX_JSON_DEPTH } from '../../../lib/limits.ts';
import type { Damage } from '../item.ts';

export interface Leaf {
  /** Names from the outside in; elements of lists are `[]`. */
  path: readonly string[];
  /** Byte of the text at which its name begins; of its value, in a list. */
  at: number;
  /** As it stands there: a number, word or text in quotes, or `{}` and `[]`. */
  text: string;
}

const WORD = /[^\s,:{}[\]"]+/y;

const VALUE = /^(?:true|false|null|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)$/;

/** The text cannot be read on from this byte. */
class Unreadable extends Error {
  readonly at: number;

  constructor(at: number, message: string) {
    super(message);
    this.at = at;
  }
}

/** Calls `take` for each value, in order; the damage at which that ended, if any. */
export function eachLeaf(bytes: Uint8Array, take: (leaf: Leaf) => void): Damage | undefined {
  try {
    new Leaves(bytes, take).document();
    return undefined;
  } catch (error) {
    if (error instanceof Unreadable) return { at: error.at, text: error.message };
    throw error;
  }
}

class Leaves {
  /** A character a byte. */
  readonly #text: string;
  readonly #take: (leaf: Leaf) => void;
  readonly #path: string[] = [];
  #at = 0;

  constructor(bytes: Uint8Array, take: (leaf: Leaf) => void) {
    this.#text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');
    this.#take = take;
  }

  document(): void {
    this.#value(this.#skip());
    const end = this.#skip();
    if (end < this.#text.length) throw new Unreadable(end, 'more stands behind the end of the document');
  }

  #value(start: number): void {
    const next = this.#text[this.#at];
    if (next === '{') this.#container('}', start);
    else if (next === '[') this.#container(']', start);
    else this.#leaf(start, this.#word());
  }

  #leaf(at: number, text: string): void {
    this.#take({ path: [...this.#path], at, text });
  }

  #container(close: '}' | ']', start: number): void {
    const opening = this.#at++;
    if (this.#path.length >= MAX_JSON_DEPTH)
      throw new Unreadable(opening, `it is nested deeper than ${MAX_JSON_DEPTH}`);
    if (this.#text[this.#skip()] === close) this.#leaf(start, close === '}' ? '{}' : '[]');
    while (this.#text[this.#skip()] !== close) {
      this.#member(close, opening);
      const next = this.#skip();
      if (this.#text[next] === ',') this.#at++;
      else if (this.#text[next] !== close) throw this.#unexpected(`, or ${close}`, opening);
    }
    this.#at++;
  }

  #member(close: '}' | ']', opening: number): void {
    const at = this.#at;
    this.#path.push(close === ']' ? '[]' : unquoted(this.#scalar()));
    if (close === '}') {
      if (this.#text[this.#skip()] !== ':') throw this.#unexpected(':', opening);
      this.#at++;
      this.#skip();
    }
    this.#value(at);
    this.#path.pop();
  }

  #scalar(): string {
    const from = this.#at;
    if (this.#text[from] === '"') {
      let end = from + 1;
      while (end < this.#text.length && this.#text[end] !== '"') end += this.#text[end] === '\\' ? 2 : 1;
      if (end >= this.#text.length) throw new Unreadable(from, 'a text begins here and does not end');
      this.#at = end + 1;
      return this.#slice(from);
    }
    WORD.lastIndex = from;
    const word = WORD.exec(this.#text)?.[0];
    if (word === undefined) throw this.#unexpected('a value or a name', from);
    this.#at = from + word.length;
    return word;
  }

  /** A value that is no container. */
  #word(): string {
    const from = this.#at;
    const text = this.#scalar();
    if (text.startsWith('"') || VALUE.test(text)) return text;
    throw new Unreadable(from, `${JSON.stringify(text.slice(0, 20))} stands here, which is no value`);
  }

  #slice(from: number): string {
    return Buffer.from(this.#text.slice(from, this.#at), 'latin1').toString('utf8');
  }

  #skip(): number {
    while (this.#at < this.#text.length && ' \t\r\n'.includes(this.#text[this.#at] as string)) this.#at++;
    return this.#at;
  }

  #unexpected(wanted: string, opening: number): Unreadable {
    const at = this.#at;
    if (at >= this.#text.length)
      return new Unreadable(at, `the text ends here, and what began at byte ${opening} does not`);
    return new Unreadable(at, `${JSON.stringify(this.#text[at])} stands here, ${wanted} belongs there`);
  }
}

/** A name without its quotes; as it stands there when it has escapes that nobody knows. */
export function unquoted(text: string): string {
  if (!text.startsWith('"')) return text;
  try {
    return JSON.parse(text) as string;
  } catch {
    return text.slice(1, -1);
  }
}
