/**
 * A parsed SQL filter as closures over a PropertyRow: each is called once per message at most, never throws, and
 * allocates nothing but for the rare texts that bytes cannot stand for. What the types of both sides decide, is decided
 * here.
 */
import { limitRemark, MAX_SQL_SEARCHES } from '../lib/limits.ts';
import { compileEqual } from './compile-equal.ts';
import { compileOrder } from './compile-order.ts';
import {
  type Chain,
  type Condition,
  type Expression,
  type In,
  isCondition,
  type Search,
} from './expression.ts';
import { FAILED, FALSE, NULL, type Outcome, outcomeOf, PRESENT, TRUE } from './outcome.ts';
import type { PropertyNames } from './property-names.ts';
import type { PropertyRow } from './property-row.ts';
import { SqlError } from './sql-error.ts';
import { isFound, isPlain, textIsOneOf, textSearch } from './text-tests.ts';

export type Test = (row: PropertyRow) => Outcome;
/** Of any part: NULL, FAILED, a condition's value, or PRESENT. */
export type Look = (row: PropertyRow) => Outcome | typeof PRESENT;

export class Compiler {
  readonly #sql: string;
  readonly #names: PropertyNames;
  /** Parts that may each go through a whole value, however long. */
  searches = 0;

  constructor(sql: string, names: PropertyNames) {
    this.#sql = sql;
    this.#names = names;
  }

  condition(condition: Condition): Test {
    switch (condition.kind) {
      case 'constant': {
        const outcome = condition.value === null ? NULL : outcomeOf(condition.value);
        return () => outcome;
      }
      case 'cast': {
        const slot = this.slot(condition.property.name);
        return (row) => (row.isAbsent(slot) ? NULL : FALSE);
      }
      case 'not':
        return not(this.condition(condition.operand));
      case 'and':
      case 'or':
        return this.#chain(condition);
      case 'equal':
        return compileEqual(this, condition);
      case 'isNull':
        return isNull(this.look(condition.operand));
      case 'order':
        return compileOrder(this, condition);
      case 'in':
        return this.#in(condition);
      case 'search':
        return this.#search(condition);
    }
  }

  look(part: Expression): Look {
    switch (part.kind) {
      case 'property': {
        const slot = this.slot(part.name);
        return (row) => (row.isAbsent(slot) ? NULL : PRESENT);
      }
      case 'negated':
        return () => PRESENT;
      case 'nothing': {
        const look = this.look(part.operand);
        return (row) => (look(row) === FAILED ? FAILED : NULL);
      }
      case 'constant':
        return isCondition(part) ? this.condition(part) : () => PRESENT;
      default:
        return this.condition(part);
    }
  }

  slot(name: string): number {
    return this.#names.slotOf(name);
  }

  /** Their number is limited, as a message's cost has to have a bound. */
  countSearch(at: number): void {
    this.searches += 1;
    if (this.searches <= MAX_SQL_SEARCHES) return;
    const what = 'uses of CONTAINS and = between properties';
    throw new SqlError(this.#sql, at, limitRemark(what, MAX_SQL_SEARCHES, 'MAX_SQL_SEARCHES'));
  }

  /** AND is decided by the first FALSE, OR by the first TRUE; what comes before it may fail, what comes after not. */
  #chain({ kind, operands }: Chain): Test {
    const tests = operands.map((operand) => this.condition(operand));
    const decisive = kind === 'and' ? FALSE : TRUE;
    const otherwise = kind === 'and' ? TRUE : FALSE;
    if (tests.length === 2) return pair(tests[0] as Test, tests[1] as Test, decisive, otherwise);
    return (row) => {
      let sum: Outcome = otherwise;
      for (let i = 0; i < tests.length; i++) {
        const outcome = (tests[i] as Test)(row);
        if (outcome === decisive || outcome === FAILED) return outcome;
        if (outcome === NULL) sum = NULL;
      }
      return sum;
    };
  }

  #in({ property, elements, negated }: In): Test {
    const slot = this.slot(property.name);
    const test = textIsOneOf(elements);
    return (row) => (row.isAbsent(slot) ? NULL : outcomeOf(test(row, slot) !== negated));
  }

  /** Of what is no text, and of null, all six ways are FALSE; so are they for an empty text, before anything else. */
  #search({ operand, way, text, negated, at }: Search): Test {
    if (text === '') return () => FALSE;
    if (operand.kind === 'property') {
      if (way === 'CONTAINS' || !isPlain(text)) this.countSearch(at);
      const slot = this.slot(operand.name);
      const test = textSearch(way, text);
      return (row) => (row.isAbsent(slot) ? FALSE : outcomeOf(test(row, slot) !== negated));
    }
    if (operand.kind === 'constant' && typeof operand.value === 'string') {
      const outcome = outcomeOf(isFound(operand.value, way, text) !== negated);
      return () => outcome;
    }
    const look = this.look(operand);
    return (row) => (look(row) === FAILED ? FAILED : FALSE);
  }
}

function not(test: Test): Test {
  return (row) => {
    const outcome = test(row);
    return outcome === TRUE ? FALSE : outcome === FALSE ? TRUE : outcome;
  };
}

function isNull(look: Look): Test {
  return (row) => {
    const outcome = look(row);
    return outcome === FAILED ? FAILED : outcomeOf(outcome === NULL);
  };
}

function pair(first: Test, second: Test, decisive: Outcome, otherwise: Outcome): Test {
  return (row) => {
    const left = first(row);
    if (left === decisive || left === FAILED) return left;
    const right = second(row);
    if (right === decisive || right === FAILED) return right;
    return left === NULL || right === NULL ? NULL : otherwise;
  };
}
