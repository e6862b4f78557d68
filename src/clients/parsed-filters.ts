/**
 * Filters made from the texts of subscriptions, kept for the next pulls with the same text. Made when a pull needs one:
 * a heartbeat may name thousands that nobody pulls with.
 */
import { SqlError } from '../filter/sql-error.ts';
import { compileSql } from '../filter/sql-filter.ts';
import { javaHashCode } from '../lib/java-hash.ts';
import { limitRemark, MAX_PARSED_FILTER_CHARACTERS, MAX_PARSED_FILTERS, MAX_TAGS } from '../lib/limits.ts';
import { quote } from '../lib/quote.ts';
import type { PropertyFilter, TagFilter } from '../store/read/pull-reader.ts';
import { TagSet } from './tag-set.ts';

export const TAG = 'TAG';
export const SQL92 = 'SQL92';

/** undefined = every message; a string says why there is none. */
export type ParsedFilter = TagFilter | undefined | string;

/** The hashes of tags say nothing of properties: every message is looked at. */
class ExpressionFilter implements TagFilter {
  readonly properties: PropertyFilter;

  constructor(properties: PropertyFilter) {
    this.properties = properties;
  }

  matches(): boolean {
    return true;
  }
}

export class ParsedFilters {
  /** By type and text, the oldest first. */
  readonly #parsed = new Map<string, ParsedFilter>();
  #characters = 0;

  of(type: string, expression: string): ParsedFilter {
    const key = `${type}\n${expression}`;
    const known = this.#parsed.get(key);
    if (known !== undefined || this.#parsed.has(key)) return known;
    const filter = parse(type, expression);
    this.#parsed.set(key, filter);
    this.#characters += key.length;
    this.#forgetOldest();
    return filter;
  }

  #forgetOldest(): void {
    while (this.#parsed.size > MAX_PARSED_FILTERS || this.#characters > MAX_PARSED_FILTER_CHARACTERS) {
      const [oldest] = this.#parsed.keys();
      if (oldest === undefined) return;
      this.#parsed.delete(oldest);
      this.#characters -= oldest.length;
    }
  }
}

/** Said to whoever wants to filter by another type than TAG. */
export function noPropertyFilter(type: string): string {
  return (
    `The broker does not support consumer to filter message by ${quote(type)}: set enablePropertyFilter=true, which ` +
    'mqadmin updateBrokerConfig can do while the broker runs'
  );
}

/** Why there is no such filter; undefined when there is one. */
export function expressionProblem(type: string, expression: string): string | undefined {
  const filter = parse(type, expression);
  return typeof filter === 'string' ? filter : undefined;
}

function parse(type: string, expression: string): ParsedFilter {
  if (type === TAG) return parseTags(expression);
  if (type !== SQL92) return `expressions of type ${quote(type)} are not known: there are TAG and SQL92`;
  if (expression.trim() === '') return 'the SQL filter is empty';
  try {
    return new ExpressionFilter(compileSql(expression));
  } catch (error) {
    if (error instanceof SqlError) return error.message;
    throw error;
  }
}

/** `a || b`; empty text and `*` mean everything. */
function parseTags(expression: string): ParsedFilter {
  const tags = expression
    .split('||')
    .map((tag) => tag.trim())
    .filter((tag) => tag !== '');
  if (tags.length === 0 || tags.includes('*')) return undefined;
  if (tags.length > MAX_TAGS) return limitRemark('tags in a subscription', MAX_TAGS, 'MAX_TAGS');
  return new TagSet(tags.map(javaHashCode));
}
