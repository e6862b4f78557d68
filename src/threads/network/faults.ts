/**
 * What a network thread wants to have in the log: counted by reason, and told to control now and then. What clients
 * cause must not become a line each.
 */
export interface Fault {
  reason: string;
  /** Times since the last report. */
  count: number;
  /** Of the first of them. */
  detail: string;
}

/** Longest detail, characters. */
const MAX_DETAIL = 2000;

export class Faults {
  readonly #faults = new Map<string, Fault>();
  readonly #tell: (fault: Fault) => boolean;

  /** `tell` returns false when there is no room now. */
  constructor(tell: (fault: Fault) => boolean) {
    this.#tell = tell;
  }

  /** `reason`: one of a few texts, never made of what a client sent. */
  note(reason: string, cause: unknown): void {
    const known = this.#faults.get(reason);
    if (known !== undefined) {
      known.count++;
      return;
    }
    const text = cause instanceof Error ? (cause.stack ?? cause.message) : String(cause);
    this.#faults.set(reason, { reason, count: 1, detail: text.slice(0, MAX_DETAIL) });
  }

  /** Tells what was noted since the last time. */
  report(): void {
    for (const [reason, fault] of this.#faults) {
      if (!this.#tell(fault)) return;
      this.#faults.delete(reason);
    }
  }
}
