/** What was delivered before the start, as the checkpoint tells: slots, and of some of them a part. */
import { isBefore } from './due-heap.ts';
import type { PartlyDelivered } from './timer-check.ts';
import { MAGIC_ROLL, NONE, type TimerUnit } from './timer-layout.ts';
import type { TimerStore } from './timer-store.ts';

/** What was delivered before the start. */
export interface Begun {
  /** All of the slots before, and of this one units up to `floor`. */
  slot: number;
  floor: number;
  partly: PartlyDelivered | undefined;
  /** By how much the machine's clock was ahead of elapsed time then. */
  ahead: number;
}

export class DeliveredBefore {
  readonly #timers: TimerStore;
  readonly #begun: Begun;

  constructor(timers: TimerStore, begun: Begun) {
    this.#timers = timers;
    this.#begun = begun;
  }

  /** Whether the unit of that slot was delivered before the start. */
  has(position: number, unit: Readonly<TimerUnit>, slot: number): boolean {
    if (position <= this.floorOf(slot)) return true;
    const { partly, ahead } = this.#begun;
    const [, last = NONE, whole = false] = partly?.slots.find(([part]) => part === slot) ?? [];
    if (partly === undefined || position > last) return false;
    // What was put further on as it was read stands there, and waits no more here.
    if (whole || isEarlyFor(unit, slot, ahead, this.#timers.clock.precisionMs)) return true;
    const mark = isBySpan(unit) ? partly.bySpan : partly.byTime;
    return isBefore(keyOf(this.#timers, unit), position, mark.due, mark.position);
  }

  /** Units of the slot up to there were. */
  floorOf(slot: number): number {
    return slot === this.#begun.slot ? this.#begun.floor : NONE;
  }

  /** Slots of which a part was. */
  get partly(): number[] {
    const { slot, floor, partly } = this.#begun;
    const slots = partly?.slots.filter(([, , whole]) => !whole).map(([part]) => part) ?? [];
    return floor === NONE ? slots : [...slots, slot];
  }
}

/** When the unit is put, by its own clock. */
export function keyOf(timers: TimerStore, unit: Readonly<TimerUnit>): number {
  return (unit.magic & MAGIC_ROLL) !== 0 ? unit.slotTime : timers.dueOf(unit);
}

export function isBySpan({ magic, elapsed }: Readonly<TimerUnit>): boolean {
  return elapsed && (magic & MAGIC_ROLL) === 0;
}

/**
 * Whether a unit that counts in elapsed time is due so long after its slot that it belongs into a later one. That
 * follows from the unit and the clock alone: so the next process knows which units were put there.
 */
export function isEarlyFor(
  unit: Readonly<TimerUnit>,
  slot: number,
  ahead: number,
  precisionMs: number,
): boolean {
  return isBySpan(unit) && unit.due + ahead > (slot + 2) * precisionMs;
}
