/**
 * What clients cause a network thread to have in the log: counted by reason, and told now and then, so that it never
 * becomes a line each.
 */
import { ProtocolError } from '../protocol/errors.ts';
import { report } from '../ring/reports.ts';

/** Between two lines of one reason. */
const GAP_MS = 10_000;

interface Fault {
  /** Times since the last report. */
  count: number;
  /** Of the first of them: in words, or with its stack when only a fault of ours explains it. */
  detail: { reason: string } | { err: { type: string; message: string; stack: string } };
}

/** Longest detail, characters. */
const MAX_DETAIL = 2000;

export class Faults {
  readonly #tell: typeof report;
  readonly #faults = new Map<string, Fault>();
  /** By reason, monotonic ms from when on there may be another line. */
  readonly #next = new Map<string, number>();

  /** `tell` takes the place of the message to control in tests. */
  constructor(tell = report) {
    this.#tell = tell;
  }

  /** `reason`: one of a few texts, never made of what a client sent. */
  note(reason: string, cause: unknown): void {
    const known = this.#faults.get(reason);
    if (known !== undefined) {
      known.count++;
      return;
    }
    this.#faults.set(reason, { count: 1, detail: detailOf(cause) });
  }

  /** Tells what was noted since the last time, if that was long enough ago. `now`: monotonic ms. */
  report(now: number): void {
    for (const [reason, { count, detail }] of this.#faults) {
      if (now < (this.#next.get(reason) ?? 0)) continue;
      this.#next.set(reason, now + GAP_MS);
      this.#faults.delete(reason);
      this.#tell({ count, ...detail }, `connections closed: ${reason}`, 'err' in detail ? 'error' : 'warn');
    }
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
