/**
 * A parsed SQL filter. The types say what a part's value can be: a property is a text or null, a condition is true,
 * false or null. Whether a number was written or made by a minus matters to RocketMQ's checks (`checks.ts`).
 */
import type { SqlNumber } from './numbers.ts';

interface Part {
  /** Offset of its first token. */
  readonly at: number;
  /** How deep its evaluation nests. */
  readonly depth: number;
}

export interface Property extends Part {
  readonly kind: 'property';
  readonly name: string;
}

/** As written: `'text'`, `5`, `TRUE`, `NULL`. */
export interface Constant extends Part {
  readonly kind: 'constant';
  readonly value: string | boolean | null | SqlNumber;
}

/** TRUE, FALSE and NULL are conditions by themselves. */
export interface ConstantCondition extends Constant {
  readonly value: boolean | null;
}

/** A minus in front of a number. */
export interface NegatedNumber extends Part {
  readonly kind: 'negated';
  readonly value: SqlNumber;
}

/** A minus in front of anything else: null, once that has been evaluated. */
export interface Nothing extends Part {
  readonly kind: 'nothing';
  readonly operand: Expression;
}

/** A property where a condition is needed: never true, as its value is a text. */
export interface Cast extends Part {
  readonly kind: 'cast';
  readonly property: Property;
}

export interface Not extends Part {
  readonly kind: 'not';
  readonly operand: Condition;
}

/** Chains of AND, of OR. */
export interface Chain extends Part {
  readonly kind: 'and' | 'or';
  readonly operands: readonly Condition[];
}

export interface Equal extends Part {
  readonly kind: 'equal';
  readonly left: Expression;
  readonly right: Expression;
}

export interface IsNull extends Part {
  readonly kind: 'isNull';
  readonly operand: Expression;
}

/** Outcomes of a comparison, as bits. */
export const BELOW = 1;
export const SAME = 2;
export const ABOVE = 4;

export interface Order extends Part {
  readonly kind: 'order';
  readonly left: Expression;
  readonly right: Expression;
  /** The outcomes that make it true. */
  readonly wanted: number;
}

export interface In extends Part {
  readonly kind: 'in';
  readonly property: Property;
  readonly elements: readonly string[];
  readonly negated: boolean;
}

export type SearchWay = 'CONTAINS' | 'STARTSWITH' | 'ENDSWITH';

export interface Search extends Part {
  readonly kind: 'search';
  readonly operand: Expression;
  readonly way: SearchWay;
  readonly text: string;
  readonly negated: boolean;
}

export type Condition = ConstantCondition | Cast | Not | Chain | Equal | IsNull | Order | In | Search;

export type Expression = Property | Constant | NegatedNumber | Nothing | Condition;

export function isCondition(part: Expression): part is Condition {
  switch (part.kind) {
    case 'property':
    case 'negated':
    case 'nothing':
      return false;
    case 'constant':
      return part.value === null || typeof part.value === 'boolean';
    default:
      return true;
  }
}
