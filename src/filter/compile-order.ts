/** `<`, `<=`, `>` and `>=`, and numbers beside properties, where `=` goes the same way. */
import { compareDoubles, INT, JavaInteger, NO_INTEGER } from '../lib/java-numbers.ts';
import { numberOf } from './checks.ts';
import type { Compiler, Look, Test } from './compile.ts';
import { ABOVE, BELOW, type Expression, type Order, type Property, SAME } from './expression.ts';
import { compareNumbers, type SqlNumber } from './numbers.ts';
import { FAILED, NULL, type Outcome, outcomeOf } from './outcome.ts';

/** Only numbers, properties and what a minus makes of other things get past the checks. */
export function compileOrder(compiler: Compiler, { left, right, wanted }: Order): Test {
  if (left.kind === 'nothing' || right.kind === 'nothing') {
    return orderOfNothing(compiler.look(left), compiler.look(right));
  }
  const [first, second] = [writtenNumber(left), writtenNumber(right)];
  if (first !== undefined && second !== undefined) {
    const outcome = outcomeOf(isWanted(compareNumbers(first, second), wanted));
    return () => outcome;
  }
  if (second !== undefined) return compileNumber(compiler, left as Property, second, wanted, NULL);
  if (first !== undefined) return compileNumber(compiler, right as Property, first, mirrored(wanted), NULL);
  return twoProperties(
    compiler.slot((left as Property).name),
    compiler.slot((right as Property).name),
    wanted,
  );
}

/** Null before anything is compared: the right side is looked at only when the left one is not null. */
function orderOfNothing(left: Look, right: Look): Test {
  return (row) => {
    const outcome = left(row);
    if (outcome === FAILED || outcome === NULL) return outcome;
    return right(row) === FAILED ? FAILED : NULL;
  };
}

export function writtenNumber(part: Expression): SqlNumber | undefined {
  return part.kind === 'constant' || part.kind === 'negated' ? numberOf(part) : undefined;
}

/** The value of `property` against `number`, as numbers of its type. `absent` is the outcome without the property. */
export function compileNumber(
  compiler: Compiler,
  property: Property,
  number: SqlNumber,
  wanted: number,
  absent: Outcome,
): Test {
  const slot = compiler.slot(property.name);
  switch (number.type) {
    case 'int':
      return intTest(slot, number.value, wanted, absent);
    case 'long':
      return longTest(slot, number.value, wanted, absent);
    default:
      return doubleTest(slot, number.value, wanted, absent);
  }
}

function intTest(slot: number, number: number, wanted: number, absent: Outcome): Test {
  return (row) => {
    if (row.isAbsent(slot)) return absent;
    if (row.integer(slot) !== INT) return FAILED;
    return outcomeOf(isWanted((row.low[slot] as number) - number, wanted));
  };
}

function longTest(slot: number, value: bigint, wanted: number, absent: Outcome): Test {
  const number = new JavaInteger();
  number.set(value);
  return (row) => {
    if (row.isAbsent(slot)) return absent;
    if (row.integer(slot) === NO_INTEGER) return FAILED;
    // The other way round, as the number of the filter asks.
    const order = -number.compare(row.high[slot] as number, row.low[slot] as number);
    return outcomeOf(isWanted(order, wanted));
  };
}

function doubleTest(slot: number, number: number, wanted: number, absent: Outcome): Test {
  return (row) => {
    if (row.isAbsent(slot)) return absent;
    if (!row.isDouble(slot)) return FAILED;
    return outcomeOf(isWanted(compareDoubles(row.double[slot] as number, number), wanted));
  };
}

/** Two texts are ordered as doubles, and only so. */
function twoProperties(left: number, right: number, wanted: number): Test {
  return (row) => {
    if (row.isAbsent(left) || row.isAbsent(right)) return NULL;
    if (!row.isDouble(left) || !row.isDouble(right)) return FAILED;
    const order = compareDoubles(row.double[left] as number, row.double[right] as number);
    return outcomeOf(isWanted(order, wanted));
  };
}

function isWanted(order: number, wanted: number): boolean {
  return (wanted & (order < 0 ? BELOW : order > 0 ? ABOVE : SAME)) !== 0;
}

/** For the sides changed. */
function mirrored(wanted: number): number {
  return (wanted & SAME) | ((wanted & BELOW) !== 0 ? ABOVE : 0) | ((wanted & ABOVE) !== 0 ? BELOW : 0);
}
