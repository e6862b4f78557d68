/**
 * The least of several positions: what has come that far in every respect. Which positions are asked for is what a
 * question means: what may be acknowledged and seen (`confirmedBy` of the store's options), what is settled for good.
 */
import type { Positions } from './positions.ts';

export class Watermark {
  readonly #positions: Positions;
  readonly #slots: readonly number[];
  readonly #only: number | undefined;

  /** `slots`: at least one. */
  constructor(positions: Positions, slots: readonly number[]) {
    this.#positions = positions;
    this.#slots = slots;
    this.#only = slots.length === 1 ? slots[0] : undefined;
  }

  /** Everything before it has come this far. */
  get position(): number {
    if (this.#only !== undefined) return this.#positions.get(this.#only);
    let least = Number.POSITIVE_INFINITY;
    for (const slot of this.#slots) least = Math.min(least, this.#positions.get(slot));
    return least;
  }

  /** Whether `position` is another than `value`; for one slot cheaper than asking for it. */
  differs(value: number): boolean {
    return this.#only === undefined ? this.position !== value : this.#positions.differs(this.#only, value);
  }

  /** The first of the positions that has not come to `end`; undefined when all have. */
  missing(end: number): number | undefined {
    return this.#slots.find((slot) => this.#positions.get(slot) < end);
  }
}
