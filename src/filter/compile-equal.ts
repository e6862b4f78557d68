/**
 * `=`. Both sides are evaluated, whatever the left one is. Null equals null; a left side that alone is null makes it
 * null, a right side that alone is null makes it FALSE. Beyond that RocketMQ converts a text to the type of the other
 * side; but where a condition on the left meets a text on the right it casts one to the other, which throws.
 */
import { INT, JavaInteger, NO_INTEGER, parseDouble } from '../lib/java-numbers.ts';
import type { Compiler, Look, Test } from './compile.ts';
import { compileNumber, writtenNumber } from './compile-order.ts';
import { type Equal, type Expression, isCondition, type Property, SAME } from './expression.ts';
import { compareNumbers, type SqlNumber } from './numbers.ts';
import { FAILED, FALSE, NULL, type Outcome, outcomeOf, type PRESENT, TRUE } from './outcome.ts';
import type { PropertyRow } from './property-row.ts';
import { isTrueText, textEquals } from './text-tests.ts';

/** Of two sides that are neither null nor failed; a condition's value is what it looked like. */
type Comparison = (row: PropertyRow, left: Seen, right: Seen) => Outcome;
type Seen = Outcome | typeof PRESENT;

export function compileEqual(compiler: Compiler, equal: Equal): Test {
  const { left, right } = equal;
  const frequent =
    propertyAndConstant(compiler, left, right, NULL) ?? propertyAndConstant(compiler, right, left, FALSE);
  return frequent ?? equality(compiler.look(left), compiler.look(right), comparison(compiler, equal));
}

/** What filters mostly consist of. `absent` is the outcome without the property. */
function propertyAndConstant(
  compiler: Compiler,
  property: Expression,
  constant: Expression,
  absent: Outcome,
): Test | undefined {
  if (property.kind !== 'property') return undefined;
  const number = writtenNumber(constant);
  if (number !== undefined) return compileNumber(compiler, property, number, SAME, absent);
  if (constant.kind !== 'constant' || typeof constant.value !== 'string') return undefined;
  const slot = compiler.slot(property.name);
  const test = textEquals(constant.value);
  return (row) => (row.isAbsent(slot) ? absent : outcomeOf(test(row, slot)));
}

function equality(left: Look, right: Look, compare: Comparison): Test {
  return (row) => {
    const first = left(row);
    if (first === FAILED) return FAILED;
    const second = right(row);
    if (second === FAILED) return FAILED;
    if (first === NULL) return second === NULL ? TRUE : NULL;
    return second === NULL ? FALSE : compare(row, first, second);
  };
}

function comparison(compiler: Compiler, { left, right, at }: Equal): Comparison {
  if (left.kind === 'nothing' || right.kind === 'nothing') return always(FALSE);
  if (isCondition(left)) return conditionWith(right);
  if (isCondition(right)) return withCondition(compiler, left);
  if (left.kind === 'property' || right.kind === 'property') {
    compiler.countSearch(at);
    const [first, second] = [compiler.slot((left as Property).name), compiler.slot((right as Property).name)];
    return (row) => outcomeOf(row.isSame(first, second));
  }
  return always(equalConstants(left.value as string | SqlNumber, right.value as string | SqlNumber));
}

function conditionWith(right: Expression): Comparison {
  if (isCondition(right)) return (_row, first, second) => outcomeOf(first === second);
  return always(writtenNumber(right) === undefined ? FAILED : FALSE);
}

function withCondition(compiler: Compiler, left: Expression): Comparison {
  if (left.kind === 'property') {
    const slot = compiler.slot(left.name);
    return (row, _first, second) => outcomeOf(isTrueText(row, slot) === (second === TRUE));
  }
  if (left.kind !== 'constant' || typeof left.value !== 'string') return always(FALSE);
  const isTrue = /^true$/i.test(left.value);
  return (_row, _first, second) => outcomeOf(isTrue === (second === TRUE));
}

function always(outcome: Outcome): Comparison {
  return () => outcome;
}

function equalConstants(left: string | SqlNumber, right: string | SqlNumber): Outcome {
  if (typeof left === 'string') {
    return typeof right === 'string' ? outcomeOf(left === right) : textEqualsNumber(left, right);
  }
  return typeof right === 'string'
    ? textEqualsNumber(right, left)
    : outcomeOf(compareNumbers(left, right) === 0);
}

function textEqualsNumber(text: string, number: SqlNumber): Outcome {
  if (number.type === 'double') {
    const value = parseDouble(text);
    return value === undefined ? FAILED : outcomeOf(value === number.value);
  }
  const bytes = Buffer.from(text);
  const integer = new JavaInteger();
  const state = integer.read(bytes, 0, bytes.length);
  if (state === NO_INTEGER || (number.type === 'int' && state !== INT)) return FAILED;
  const wanted = new JavaInteger();
  wanted.set(BigInt(number.value));
  return outcomeOf(wanted.compare(integer.high, integer.low) === 0);
}
