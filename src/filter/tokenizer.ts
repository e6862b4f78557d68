/**
 * An SQL filter's text as tokens, one at a time: RocketMQ's parser never looks at what follows the token behind a
 * complete expression, so neither may this. At each place the longest token counts, and among equals a reserved word.
 */
import { quote } from '../lib/quote.ts';
import { SqlError } from './sql-error.ts';

/** Reserved words in upper case and signs stand for themselves. */
export type TokenKind = string;
export const WORD = 'a property';
export const INTEGER = 'an integer';
export const DOUBLE = 'a number with a point or exponent';
export const STRING = 'a string in single quotes';
export const END = 'the end';

export interface Token {
  readonly kind: TokenKind;
  /** Offset of its first character. */
  readonly at: number;
  /** As written. */
  readonly text: string;
}

const RESERVED = new Set([
  'NOT',
  'AND',
  'OR',
  'BETWEEN',
  'IN',
  'TRUE',
  'FALSE',
  'NULL',
  'IS',
  'CONTAINS',
  'STARTSWITH',
  'ENDSWITH',
]);

const WORD_TEXT = /[A-Za-z_$][A-Za-z0-9_$]*/y;
const DOUBLE_TEXT = /(?:\d+\.\d*|\.\d+)(?:[eE][+-]?\d+)?|\d+[eE][+-]?\d+/y;
/** No zeros lead an integer: `007` is three of them. */
const INTEGER_TEXT = /0|[1-9]\d*[lL]?/y;
const SIGN = /<>|<=|>=|[=<>(),+-]/y;
const BLANK = /[ \t\n\r\f]*/y;
const LINE_END = /\r\n|\n|\r/g;

export class Tokenizer {
  readonly #sql: string;
  #at = 0;

  constructor(sql: string) {
    this.#sql = sql;
  }

  next(): Token {
    this.#skipBlanks();
    const sql = this.#sql;
    const at = this.#at;
    if (at === sql.length) return { kind: END, at, text: '' };
    const first = sql.charAt(at);
    if (first === "'") return this.#token(STRING, this.#string(at));
    const word = match(WORD_TEXT, sql, at);
    if (word !== undefined) {
      const upper = word.toUpperCase();
      return this.#token(RESERVED.has(upper) ? upper : WORD, word);
    }
    const double = match(DOUBLE_TEXT, sql, at);
    if (double !== undefined) return this.#token(DOUBLE, double);
    const integer = match(INTEGER_TEXT, sql, at);
    if (integer !== undefined) return this.#token(INTEGER, integer);
    const sign = match(SIGN, sql, at);
    if (sign !== undefined) return this.#token(sign, sign);
    if (sql.startsWith('/*', at)) throw new SqlError(sql, at, 'the comment that begins here has no end (*/)');
    throw new SqlError(
      sql,
      at,
      `found ${quoted(String.fromCodePoint(sql.codePointAt(at) as number))}, which begins nothing`,
    );
  }

  #token(kind: TokenKind, text: string): Token {
    const { length } = text;
    this.#at += length;
    return { kind, at: this.#at - length, text };
  }

  /** Blanks and comments. A line comment needs a line end behind it: without one it is a row of minus signs. */
  #skipBlanks(): void {
    const sql = this.#sql;
    for (;;) {
      this.#at += (match(BLANK, sql, this.#at) as string).length;
      let end = -1;
      if (sql.startsWith('--', this.#at)) end = endOfMatch(LINE_END, sql, this.#at);
      else if (sql.startsWith('/*', this.#at)) end = endOf('*/', sql, this.#at + 2);
      if (end < 0) return;
      this.#at = end;
    }
  }

  /** From quote to quote, doubled ones within. Where the last quote is missing the longest string before it counts. */
  #string(from: number): string {
    const sql = this.#sql;
    let longest = -1;
    for (let at = from + 1; ; ) {
      const end = endOf("'", sql, at);
      if (end < 0) break;
      longest = end;
      if (sql.charAt(end) !== "'") break;
      at = end + 1;
    }
    if (longest < 0) throw new SqlError(sql, from, "the string that begins here has no closing quote (')");
    return sql.slice(from, longest);
  }
}

/** A token as an error repeats it. */
export function describe({ kind, text }: Token): string {
  return kind === END ? 'the end' : quoted(text);
}

function quoted(text: string): string {
  return `"${quote(text)}"`;
}

function match(sticky: RegExp, sql: string, at: number): string | undefined {
  sticky.lastIndex = at;
  return sticky.exec(sql)?.[0];
}

function endOf(what: string, sql: string, from: number): number {
  const at = sql.indexOf(what, from);
  return at < 0 ? -1 : at + what.length;
}

function endOfMatch(pattern: RegExp, sql: string, from: number): number {
  pattern.lastIndex = from;
  return pattern.test(sql) ? pattern.lastIndex : -1;
}
