/**
 * Makes the parts of an SQL filter, and refuses those that RocketMQ refuses while it parses: comparisons that cannot be
 * meant, numbers out of range, values where a condition is needed.
 */
import { limitRemark, MAX_SQL_DEPTH } from '../lib/limits.ts';
import { quote } from '../lib/quote.ts';
import {
  ABOVE,
  BELOW,
  type Chain,
  type Condition,
  type Constant,
  type Expression,
  isCondition,
  type Property,
  SAME,
  type SearchWay,
} from './expression.ts';
import { compareNumbers, negate, type SqlNumber, sqlDouble, sqlInteger } from './numbers.ts';
import { SqlError } from './sql-error.ts';
import { INTEGER, type Token } from './tokenizer.ts';

export class Checks {
  readonly #sql: string;

  constructor(sql: string) {
    this.#sql = sql;
  }

  constant(at: number, value: Constant['value']): Constant {
    return { kind: 'constant', at, depth: 0, value };
  }

  number({ kind, at, text }: Token): Constant {
    const value = kind === INTEGER ? sqlInteger(text) : sqlDouble(text);
    if (value !== undefined) return this.constant(at, value);
    const range = kind === INTEGER ? `at most ${2n ** 63n - 1n}` : 'from 4.9e-324 to 1.7976931348623157e308';
    throw this.#error(at, `${quote(text)} is out of range, a number written like this is ${range}`);
  }

  negate(at: number, operand: Expression): Expression {
    if (operand.kind === 'constant' || operand.kind === 'negated') {
      const number = numberOf(operand);
      if (number !== undefined) return { kind: 'negated', at, depth: 0, value: negate(number) };
    }
    return { kind: 'nothing', at, depth: this.deeper(operand), operand };
  }

  not(at: number, operand: Expression): Condition {
    const condition = this.condition(operand);
    return { kind: 'not', at, depth: this.deeper(condition), operand: condition };
  }

  /** Where AND, OR, NOT or the whole filter needs one. */
  condition(part: Expression): Condition {
    if (isCondition(part)) return part;
    if (part.kind === 'property') return { kind: 'cast', at: part.at, depth: part.depth + 1, property: part };
    throw this.#error(part.at, `${nameOf(part)} stands here where a condition is needed`);
  }

  /** Chains are flat: they may be as long as an expression, and are evaluated in a loop. */
  chain(kind: Chain['kind'], parts: readonly Expression[]): Expression {
    const first = parts[0] as Expression;
    if (parts.length === 1) return first;
    const operands = parts.map((part) => this.condition(part));
    return { kind, at: first.at, depth: this.deeper(...operands), operands };
  }

  equal(left: Expression, right: Expression): Condition {
    for (const side of [left, right]) {
      if (side.kind !== 'constant' || side.value !== null) continue;
      throw this.#error(side.at, 'NULL cannot be compared, use IS NULL or IS NOT NULL');
    }
    if (left.kind === 'constant' && isCondition(left) && right.kind === 'constant' && !isCondition(right)) {
      throw this.#error(left.at, `${nameOf(left)} cannot be compared with ${nameOf(right)}`);
    }
    return { kind: 'equal', at: left.at, depth: this.deeper(left, right), left, right };
  }

  notEqual(left: Expression, right: Expression): Condition {
    return this.not(left.at, this.equal(left, right));
  }

  isNull(operand: Expression): Condition {
    return { kind: 'isNull', at: operand.at, depth: this.deeper(operand), operand };
  }

  order(left: Expression, right: Expression, wanted: number): Condition {
    for (const side of [left, right]) {
      const isNumber = side.kind === 'constant' && numberOf(side) !== undefined;
      if (isNumber || (side.kind !== 'constant' && !isCondition(side))) continue;
      throw this.#error(
        side.at,
        `${nameOf(side)} cannot be compared by order, only numbers and properties can`,
      );
    }
    return { kind: 'order', at: left.at, depth: this.deeper(left, right), left, right, wanted };
  }

  between(value: Expression, low: Expression, high: Expression): Expression {
    if (low.kind === 'constant' && high.kind === 'constant') {
      const [from, to] = [numberOf(low), numberOf(high)];
      if (from !== undefined && to !== undefined && compareNumbers(to, from) < 0) {
        throw this.#error(
          low.at,
          `BETWEEN ${from.value} AND ${to.value}: the first must not be the larger one`,
        );
      }
    }
    return this.chain('and', [this.order(value, low, ABOVE | SAME), this.order(value, high, BELOW | SAME)]);
  }

  notBetween(value: Expression, low: Expression, high: Expression): Expression {
    return this.chain('or', [this.order(value, low, BELOW), this.order(value, high, ABOVE)]);
  }

  in(operand: Expression, elements: readonly string[], negated: boolean): Condition {
    const property: Property | undefined = operand.kind === 'property' ? operand : undefined;
    if (property === undefined) {
      throw this.#error(operand.at, `${nameOf(operand)} stands before IN where a property is needed`);
    }
    return { kind: 'in', at: operand.at, depth: 1, property, elements, negated };
  }

  search(operand: Expression, way: SearchWay, text: string, negated: boolean): Condition {
    return { kind: 'search', at: operand.at, depth: this.deeper(operand), operand, way, text, negated };
  }

  deeper(...parts: readonly Expression[]): number {
    let depth = 0;
    for (const part of parts) depth = Math.max(depth, part.depth);
    this.checkDepth(depth + 1, (parts[0] as Expression).at);
    return depth + 1;
  }

  checkDepth(depth: number, at: number): void {
    if (depth > MAX_SQL_DEPTH)
      throw this.#error(at, limitRemark('levels of nesting', MAX_SQL_DEPTH, 'MAX_SQL_DEPTH'));
  }

  #error(at: number, what: string): SqlError {
    return new SqlError(this.#sql, at, what);
  }
}

/** Of a constant or of one with a minus; undefined when it is no number. */
export function numberOf({ value }: { readonly value: Constant['value'] }): SqlNumber | undefined {
  return typeof value === 'object' && value !== null ? value : undefined;
}

function nameOf(part: Expression): string {
  if (part.kind === 'property') return `the property ${quote(part.name)}`;
  if (part.kind === 'constant') {
    const { value } = part;
    if (typeof value === 'string') return `the string '${quote(value)}'`;
    if (value === null || typeof value === 'boolean') return String(value).toUpperCase();
    return `the number ${value.value}`;
  }
  if (part.kind === 'negated') return `the number ${part.value.value}`;
  return part.kind === 'nothing' ? 'a negative value' : 'a condition';
}
