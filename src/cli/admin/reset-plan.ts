/** Where offsets are to be reset to, and what that skips or repeats. */
import { UserError } from '../../lib/user-error.ts';
import { requireTime } from './times.ts';

export type ResetTarget =
  | { kind: 'earliest' }
  | { kind: 'latest' }
  | { kind: 'time'; time: number }
  | { kind: 'offset'; offset: number }
  | { kind: 'by'; amount: number };

const MOVE = /^[+-]\d{1,15}$/;
/** Longer numbers are times in ms. */
const OFFSET = /^\d{1,12}$/;

export function resetTargetOf(text: string): ResetTarget {
  if (text === 'earliest' || text === 'latest') return { kind: text };
  if (MOVE.test(text)) return { kind: 'by', amount: Number(text) };
  if (OFFSET.test(text)) return { kind: 'offset', offset: Number(text) };
  try {
    return { kind: 'time', time: requireTime(text, '--to') };
  } catch {
    throw new UserError(
      `--to ${text} is not possible: give earliest, latest, an offset, +N or -N messages, or a time such as "2026-01-31 18:30" or 10m (ago).`,
    );
  }
}

export interface ResetStep {
  from: number;
  to: number;
  /** Messages that the group will not see, or will see again. */
  skipped: number;
  repeated: number;
}

/** `offset`: where the target is in this queue. Kept within what the queue holds. */
export function resetStep(
  from: number,
  offset: number,
  { min, max }: { min: number; max: number },
): ResetStep {
  const to = Math.min(max, Math.max(min, offset));
  return { from, to, skipped: Math.max(0, to - from), repeated: Math.max(0, from - to) };
}
