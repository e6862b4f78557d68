/**
 * What clients cause a network thread to have in the log: counted by reason, and told now and then, so that it never
 * becomes a line each.
 */
import { ProtocolError } from '../protocol/errors.ts';
import { report } from '../ring/reports.ts';

interface Fault {
  /** Times since the last report. */
  count: number;
  /** Of the first of them: in words, or with its stack when only a fault of ours explains it. */
  detail: { reason: string } | { err: { type: string; message: string; stack: string } };
}

/** Longest detail, characters. */
const MAX_DETAIL = 2000;

export class Faults {
  readonly #faults = new Map<string, Fault>();

  /** `reason`: one of a few texts, never made of what a client sent. */
  note(reason: string, cause: unknown): void {
    const known = this.#faults.get(reason);
    if (known !== undefined) {
      known.count++;
      return;
    }
    this.#faults.set(reason, { count: 1, detail: detailOf(cause) });
  }

  /** Tells what was noted since the last time. To be called a few times a second at most. */
  report(): void {
    for (const [reason, { count, detail }] of this.#faults) {
      report({ count, ...detail }, `connections closed: ${reason}`, 'err' in detail ? 'error' : 'warn');
    }
    this.#faults.clear();
  }
}

function detailOf(cause: unknown): Fault['detail'] {
  const text = (long: string) => long.slice(0, MAX_DETAIL);
  if (!(cause instanceof Error)) return { reason: text(String(cause)) };
  const isExpected = cause instanceof ProtocolError || (cause as NodeJS.ErrnoException).code !== undefined;
  if (isExpected) return { reason: text(cause.message) };
  const { name, message, stack = '' } = cause;
  return { err: { type: name, message: text(message), stack: text(stack) } };
}
