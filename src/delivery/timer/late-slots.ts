/**
 * Messages that wait in a later slot than the one that their record leads to: it was over, or taken, or they were
 * rolled later than they were stored. Who makes the wheel anew from the queue has only the records: a slot that is over
 * says nothing of those.
 */
import { NONE } from './timer-layout.ts';

/** Slots before `first` that are over are delivered whole; those behind too when `until` is over. */
export interface LateSlots {
  first: number;
  until: number;
}

export const NONE_LATE: LateSlots = { first: NONE, until: NONE };

export class LateUnits {
  /** By the slot that they wait in: the lowest one that they belong into. */
  readonly #lowest = new Map<number, number>();

  constructor({ first, until }: LateSlots) {
    if (until !== NONE) this.#lowest.set(until, first);
  }

  note(slot: number, belongsIn: number): void {
    if (slot > belongsIn) this.#lowest.set(slot, Math.min(belongsIn, this.lowestOf(slot)));
  }

  /** Lowest slot into which something in the slot belongs. */
  lowestOf(slot: number): number {
    return this.#lowest.get(slot) ?? slot;
  }

  /** As long as slots from `firstSlot` on are not over. */
  stateAt(firstSlot: number): LateSlots {
    let { first, until } = NONE_LATE;
    for (const [slot, lowest] of this.#lowest) {
      if (slot < firstSlot) {
        this.#lowest.delete(slot);
        continue;
      }
      first = first === NONE ? lowest : Math.min(first, lowest);
      until = Math.max(until, slot);
    }
    return { first, until };
  }
}
