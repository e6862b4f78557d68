/**
 * How transactions have ended lately, by offset in the half queue: an end that is said again is answered with success
 * only when it is known that this is how it has ended. A byte each, of the last million offsets.
 */

/** It has not ended, or nobody knows any more how. */
export const UNKNOWN = 0;
export const COMMITTED = 1;
export const ROLLED_BACK = 2;
export type Outcome = typeof COMMITTED | typeof ROLLED_BACK;

const KEPT = 1 << 20;

export class Outcomes {
  readonly #kept: number;
  readonly #outcomes: Uint8Array;
  /** Behind the highest offset that was noted. */
  #end = 0;

  /** `kept`: how many offsets up to the highest one; a power of two. */
  constructor(kept = KEPT) {
    this.#kept = kept;
    this.#outcomes = new Uint8Array(kept);
  }

  note(offset: number, outcome: Outcome): void {
    if (offset < this.#end - this.#kept) return;
    if (offset >= this.#end) this.#moveTo(offset + 1);
    this.#outcomes[this.#index(offset)] = outcome;
  }

  of(offset: number): typeof UNKNOWN | Outcome {
    const isKept = offset < this.#end && offset >= this.#end - this.#kept;
    return isKept ? (this.#outcomes[this.#index(offset)] as Outcome) : UNKNOWN;
  }

  /** What lies between is not known, and must not look like what was there a round before. */
  #moveTo(end: number): void {
    for (let at = Math.max(this.#end, end - this.#kept); at < end; at++)
      this.#outcomes[this.#index(at)] = UNKNOWN;
    this.#end = end;
  }

  #index(offset: number): number {
    return offset & (this.#kept - 1);
  }
}
