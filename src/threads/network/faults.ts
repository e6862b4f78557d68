/**
 * What clients cause a network thread to have in the log: counted by reason, and told now and then, so that it never
 * becomes a line each.
 */
import { report } from '../reports.ts';

interface Fault {
  /** Times since the last report. */
  count: number;
  /** Of the first of them. */
  detail: string;
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
    const text = cause instanceof Error ? (cause.stack ?? cause.message) : String(cause);
    this.#faults.set(reason, { count: 1, detail: text.slice(0, MAX_DETAIL) });
  }

  /** Tells what was noted since the last time. To be called a few times a second at most. */
  report(): void {
    for (const [reason, fault] of this.#faults) report({ ...fault }, `connections closed: ${reason}`);
    this.#faults.clear();
  }
}
