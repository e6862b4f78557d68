/** The kinds of messages that become due, a line each. */
import { DelayKind } from './delay/delay-kind.ts';
import type { DueKind, DueParts } from './due-kind.ts';
import { TimerKind } from './timer/timer-kind.ts';
import { TransactionKind } from './transaction/transaction-kind.ts';

export function dueKinds(parts: DueParts): DueKind[] {
  return [new DelayKind(parts), new TransactionKind(parts), new TimerKind(parts)];
}
