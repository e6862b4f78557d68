/** The kinds of messages that become due, a line each. */
import { DelayKind } from './delay/delay-kind.ts';
import type { DueKind, DueParts } from './due-kind.ts';
import { PopKind } from './pop/pop-kind.ts';
import { TimerKind } from './timer/timer-kind.ts';
import { TransactionKind } from './transaction/transaction-kind.ts';

export interface Kinds {
  all: readonly DueKind[];
  pops: PopKind;
}

export function dueKinds(parts: DueParts): Kinds {
  const timers: TimerKind = new TimerKind(parts, (message) => pops.isNeeded(message));
  const pops: PopKind = new PopKind(parts, timers);
  const delays = new DelayKind(parts);
  // Who asks producers, and writes down what became of their transactions, is the master.
  const transactions = parts.shape.acts ? [] : [new TransactionKind(parts)];
  return { all: [delays, ...transactions, timers, pops], pops };
}
