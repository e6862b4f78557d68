/**
 * Wheel and log together: puts units into slots, follows the chains of slots. Changes are staged; `commit` writes the
 * log first, so that no slot ever leads to a unit that is not there.
 */
import { assert } from '../../lib/assert.ts';
import { DamagedTimers } from './damaged-timers.ts';
import { LateUnits, NONE_LATE } from './late-slots.ts';
import type { TimerClock } from './timer-clock.ts';
import {
  emptyUnit,
  MAGIC_DELETE,
  MAGIC_ROLL,
  MAGIC_UNIT,
  NONE,
  slotOf,
  type TimerUnit,
  type WheelSlot,
} from './timer-layout.ts';
import { type TimerLog, UnitReader } from './timer-log.ts';
import type { TimerWheel } from './timer-wheel.ts';

/** Work that is done in short steps: it yields between two, and ms when it has to wait. */
export type Steps<Result = void> = Generator<number | undefined, Result>;

/** What the disk refuses is tried again after this. */
export const COMMIT_PAUSE_MS = 100;

/** What is to wait. */
export interface Waiting {
  physical: number;
  recordSize: number;
  topicHash: number;
  due: number;
  elapsed: boolean;
  recalls: boolean;
  /** Where RocketMQ would put it; undefined: where it is due. */
  slot?: number;
  /** It goes into the timer topic once more when that slot comes, or does not; undefined: if it is too far away. */
  rolls?: boolean;
  /** Where its record leads to. */
  belongsIn: number;
}

/** Slots that are tried when one is taken. */
const MAX_SHIFT = 256;
/** Furthest from its write time that a unit's slot may be: a 32-bit number of ms. */
const LONGEST_DELAYED_MS = 0x7fffffff;

export class TimerStore {
  readonly log: TimerLog;
  readonly wheel: TimerWheel;
  readonly clock: TimerClock;
  /** Slots ahead up to which a unit waits in its own slot: further ones are rolled. */
  readonly rollWindow: number;
  /** Delivered to the end, but a crash may still take that back: their chains are cut off when it cannot. */
  readonly #finished = new Map<number, number>();
  /** Slots in which something stands that was to be in an earlier one, and where the first of it is in the log. */
  readonly #displaced = new Map<number, number>();
  readonly #unit = emptyUnit();
  /** The last `put` found its slot taken. */
  shifted = false;
  readonly late: LateUnits;
  /** First slot that may still get units. */
  firstSlot = 0;

  constructor(log: TimerLog, wheel: TimerWheel, clock: TimerClock, rollWindow: number, late = NONE_LATE) {
    this.late = new LateUnits(late);
    this.log = log;
    this.wheel = wheel;
    this.clock = clock;
    this.rollWindow = rollWindow;
  }

  reader(): UnitReader {
    return new UnitReader(this.log);
  }

  /**
   * Stages a unit; the slot that it is in, or NONE when the disk is full. A slot may be taken when the clock was set,
   * by what was delivered a moment ago and is not durable yet, or by units of another turn of the wheel. Then it is
   * the next one that is free (`shifted`), to be opened early, and at once after a restart.
   */
  put(waiting: Waiting): number {
    this.shifted = false;
    if (!this.log.makeRoom()) return NONE;
    const { precisionMs } = this.clock;
    const now = this.clock.slot;
    const { due, elapsed } = waiting;
    const dueSlot = slotOf(this.clock.machineTime(due, elapsed), precisionMs);
    const wanted = waiting.slot ?? dueSlot;
    const rolls = waiting.rolls ?? wanted - now >= this.rollWindow;
    const own =
      rolls && waiting.rolls === undefined
        ? rollSlot(now, wanted, this.rollWindow)
        : Math.max(wanted, Math.min(this.firstSlot, now));
    for (let i = 0; i < MAX_SHIFT; i++) {
      // What is late goes where it would be now.
      const slot = i === 0 ? own : Math.max(own, now) + i - (own < now ? 1 : 0);
      if (!this.#isFree(slot)) continue;
      this.shifted = slot !== own;
      // Behind the slot in which it is due nothing is left to be rolled.
      const position = this.#append(slot, waiting, rolls && (due === 0 || slot < dueSlot));
      if (this.shifted) this.noteDisplaced(slot, position);
      this.late.note(slot, waiting.belongsIn);
      return slot;
    }
    return NONE;
  }

  #isFree(slot: number): boolean {
    const taken = this.wheel.at(slot);
    return (taken.slot === slot || taken.last === NONE) && !this.#finished.has(slot);
  }

  #append(slot: number, waiting: Waiting, rolls: boolean): number {
    const { precisionMs } = this.clock;
    const { first, last, count } = this.wheel.get(slot);
    const unit = this.#unit;
    unit.previous = last;
    unit.magic = MAGIC_UNIT | (rolls ? MAGIC_ROLL : 0) | (waiting.recalls ? MAGIC_DELETE : 0);
    unit.slotTime = slot * precisionMs;
    const written = this.clock.slot * precisionMs;
    unit.writeTime = Math.min(
      Math.max(written, unit.slotTime - LONGEST_DELAYED_MS),
      unit.slotTime + LONGEST_DELAYED_MS,
    );
    unit.physical = waiting.physical;
    unit.recordSize = waiting.recordSize;
    unit.topicHash = waiting.topicHash;
    unit.due = waiting.due;
    unit.elapsed = waiting.elapsed;
    const position = this.log.append(unit);
    this.wheel.set({
      slot,
      first: first === NONE ? position : first,
      last: position,
      count: count + (waiting.recalls ? -1 : 1),
    });
    return position;
  }

  /** The unit at `position` stands in this slot instead of an earlier one. */
  noteDisplaced(slot: number, position: number): void {
    if (!this.#displaced.has(slot)) this.#displaced.set(slot, position);
  }

  /** Slots to be open before their time. */
  get displacedSlots(): Iterable<number> {
    return this.#displaced.keys();
  }

  /** Position in the log of the oldest unit that stands in a later slot than its own; NONE when none does. */
  get displacedFrom(): number {
    return this.#displaced.size === 0 ? NONE : Math.min(...this.#displaced.values());
  }

  /** Whether the unit at `position`, in a slot to come, belongs into an earlier one. */
  isDisplaced(position: number, unit: Readonly<TimerUnit>): boolean {
    const { precisionMs, slot: now } = this.clock;
    const { due, elapsed, slotTime } = unit;
    const slot = slotTime / precisionMs;
    if (due === 0 || slot <= now) return false;
    const own = slotOf(this.clock.machineTime(due, elapsed), precisionMs);
    return own < slot && !this.clock.hasMoved(position, unit);
  }

  /** All of the slot was delivered, or put elsewhere: `clear` it when a checkpoint says so. */
  finish(slot: number, last: number): void {
    this.#finished.set(slot, last);
  }

  /** Writes what is staged. False when the disk refuses: it may be written later. */
  commit(): boolean {
    return this.log.flush() && this.wheel.flush();
  }

  /** Why it did. */
  get errno(): number {
    return this.log.errno || this.wheel.errno;
  }

  get finishedSlots(): ReadonlyMap<number, number> {
    return this.#finished;
  }

  /** A checkpoint knows that nothing is left of these slots: their chains go. */
  clear(slots: Iterable<readonly [slot: number, last: number]>): void {
    for (const [slot, last] of slots) {
      if (this.#finished.get(slot) !== last) continue;
      this.#finished.delete(slot);
      this.#displaced.delete(slot);
      this.wheel.clear(slot);
    }
  }

  /** What a unit waits for, to put it into another slot. */
  waitingOf(unit: Readonly<TimerUnit>): Waiting {
    const { physical, recordSize, topicHash, elapsed } = unit;
    const belongsIn = this.late.lowestOf(unit.slotTime / this.clock.precisionMs);
    const recalls = (unit.magic & MAGIC_DELETE) !== 0;
    return { physical, recordSize, topicHash, due: this.dueOf(unit), elapsed, recalls, belongsIn };
  }

  /** Reads the unit at `position` of a slot's chain. */
  follow(reader: UnitReader, position: number, slot: number): Readonly<TimerUnit> {
    const { unit } = reader;
    const sound =
      reader.at(position) &&
      unit.slotTime === slot * this.clock.precisionMs &&
      unit.previous < position &&
      unit.previous >= NONE;
    if (!sound) throw new DamagedTimers(`at ${position} of the timer log there is no unit of slot ${slot}`);
    return unit;
  }

  /** When a unit is due, by its own clock; a slot's end where nobody has said more. */
  dueOf({ due, slotTime }: Readonly<TimerUnit>): number {
    return due === 0 ? slotTime + this.clock.precisionMs : due;
  }

  /**
   * Position in the timer log of the oldest unit of the wheel, as the result; undefined between two pieces. A slot that
   * is finished counts until it is cleared: the next process may find it, and has to know what became of its units.
   */
  *oldestUnit(): Steps<number> {
    let oldest = this.log.end;
    for (const chain of this.wheel.chains()) {
      if (chain === undefined) yield;
      else oldest = Math.min(oldest, firstOf(chain));
    }
    return oldest;
  }

  close(): void {
    this.log.close();
    this.wheel.close();
  }
}

function firstOf({ first, last }: WheelSlot): number {
  assert(last >= 0, 'the chain has a unit');
  return first >= 0 ? first : last;
}

/** RocketMQ's rule: enough time is left for the next time that it is rolled. */
export function rollSlot(now: number, wanted: number, window: number): number {
  const rest = wanted - now - window;
  return now + (rest < Math.floor(window / 3) ? Math.floor(window / 2) : window);
}
