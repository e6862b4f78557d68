/**
 * What is noted of an open half message when it is read for the first time: after a restart, or in the first round of
 * checks. After a restart the newest comes first: the copy of another broker does not say whose it is, and has to be
 * known before that one. The time in which its sender wants to be left alone is counted from then on by the clock that
 * nobody sets.
 */
import type { StoredMessage } from '../../record/decode.ts';
import type { TransactionContext } from './context.ts';
import type { Copies } from './copies.ts';
import { firstOffsetOf, groupHashOf, immunityOf } from './half-message.ts';
import type { OpLog } from './op-log.ts';
import { HELD, OPEN, type OpenHalves } from './open-halves.ts';

export interface LearnParts {
  context: Pick<TransactionContext, 'clock' | 'settings'>;
  halves: OpenHalves;
  copies: Copies;
  ops: OpLog;
}

export function learn(parts: LearnParts, offset: number, half: StoredMessage): void {
  parts.halves.setGroup(offset, groupHashOf(half));
  const first = firstOffsetOf(half);
  if (first !== offset) {
    noteCopy(parts, offset, first);
    return;
  }
  noteImmunity(parts, offset, half);
  const older = parts.copies.foreign.meet(half);
  if (older !== undefined) leave(parts, older);
}

function noteImmunity({ context, halves }: LearnParts, offset: number, half: StoredMessage): void {
  const { clock, settings } = context;
  const immunity = immunityOf(half, settings().transactionTimeOut);
  if (immunity === undefined) return;
  const over = clock.monotonic() + immunity - Math.max(0, clock.now() - half.storeTimestamp);
  halves.setDue(offset, Math.max(halves.due(offset), over));
}

/** The broker may have ended before it had written that the copy took the place of the one before. */
function noteCopy(parts: LearnParts, offset: number, first: number): void {
  const { copies } = parts;
  const known = copies.newestOf(first) ?? first;
  if (known === offset) return;
  const [older, newer] = [Math.min(known, offset), Math.max(known, offset)];
  copies.add(first, newer);
  leave(parts, older);
}

/** A copy has taken its place. */
function leave({ halves, ops }: LearnParts, offset: number): void {
  if (halves.state(offset) !== OPEN) return;
  halves.set(offset, HELD);
  ops.add(offset);
}
