/**
 * What a condition comes to: SQL's three values, and FAILED where RocketMQ's evaluation throws and the message counts
 * as one that does not match. No exception is thrown for it: a queue may be full of such messages.
 */
export const FALSE = 0;
export const TRUE = 1;
export const NULL = 2;
export const FAILED = 3;
/** Of an operand: neither a condition's value, nor null, nor failed. */
export const PRESENT = 4;

export type Outcome = typeof FALSE | typeof TRUE | typeof NULL | typeof FAILED;

export function outcomeOf(isTrue: boolean): Outcome {
  return isTrue ? TRUE : FALSE;
}
