/** Numbers written in an SQL filter: Integer, Long or Double, as RocketMQ makes them, and their order. */
import { compareDoubles, MAX_INT, parseDouble } from '../lib/java-numbers.ts';

export type SqlNumber =
  | { readonly type: 'int' | 'double'; readonly value: number }
  | { readonly type: 'long'; readonly value: bigint };

const MAX_LONG = 2n ** 63n - 1n;

/** Undefined: beyond 64 bits. The L behind it means nothing: whatever fits is an Integer. */
export function sqlInteger(text: string): SqlNumber | undefined {
  const value = BigInt(text.replace(/[lL]$/, ''));
  if (value > MAX_LONG) return undefined;
  return value <= MAX_INT ? { type: 'int', value: Number(value) } : { type: 'long', value };
}

/** Undefined: too large or too small, and 0 is too small. */
export function sqlDouble(text: string): SqlNumber | undefined {
  const value = parseDouble(text) as number;
  return value > 0 && value < Number.POSITIVE_INFINITY ? { type: 'double', value } : undefined;
}

/** None of them is Long.MIN_VALUE, whose negation would be itself. */
export function negate(number: SqlNumber): SqlNumber {
  if (number.type === 'long') return { type: 'long', value: -number.value };
  return { type: number.type, value: 0 - number.value };
}

/** Below, equal or above 0. Longs beside Doubles are rounded to one, as in Java. */
export function compareNumbers(left: SqlNumber, right: SqlNumber): number {
  if (left.type === 'double' || right.type === 'double') {
    return compareDoubles(Number(left.value), Number(right.value));
  }
  return left.value < right.value ? -1 : left.value > right.value ? 1 : 0;
}
