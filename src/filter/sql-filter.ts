/**
 * RocketMQ's SQL92 filter: compiled once for a subscription, then asked for each message over the properties as they
 * are stored. Every thread compiles its own; one is used by one call at a time.
 */
import { Compiler, type Test } from './compile.ts';
import { type Outcome, TRUE } from './outcome.ts';
import { parseSql } from './parser.ts';
import { PropertyNames } from './property-names.ts';
import { PropertyRow } from './property-row.ts';

/** Throws an SqlError, and nothing else, for an expression that RocketMQ refuses or that goes over a limit. */
export function compileSql(sql: string): SqlFilter {
  return new SqlFilter(sql);
}

export class SqlFilter {
  readonly sql: string;
  /** The properties that it looks at. */
  readonly names: readonly string[];
  /** The part of the text that it ignores, as RocketMQ does with all that stands behind a complete expression. */
  readonly ignored: string;

  /**
   * How often it goes through the bytes of a message's properties, at most, a few ns each: what a scan that asks it
   * about many messages may count to find its end.
   */
  readonly passes: number;

  readonly #row: PropertyRow;
  readonly #test: Test;

  constructor(sql: string) {
    const { condition, properties, ignoredFrom } = parseSql(sql);
    const names = new PropertyNames(properties);
    this.sql = sql;
    this.names = names.names;
    this.ignored = sql.slice(ignoredFrom);
    this.#row = new PropertyRow(names);
    const compiler = new Compiler(sql, names);
    this.#test = compiler.condition(condition);
    this.passes = 1 + compiler.searches;
  }

  /** Whether a message with the properties text bytes[from, to) matches: only what is TRUE does. */
  matches(bytes: Uint8Array, from: number, to: number): boolean {
    return this.evaluate(bytes, from, to) === TRUE;
  }

  /** TRUE, FALSE, NULL, or FAILED where RocketMQ's evaluation throws. */
  evaluate(bytes: Uint8Array, from: number, to: number): Outcome {
    this.#row.read(bytes, from, to);
    return this.#test(this.#row);
  }
}
