/**
 * After the machine's clock was set back: timers that are counted in elapsed time are due earlier on the wheel, what
 * is further away than units may wait in their own slot has to be rolled, and slots that had come before come a second
 * time, of which some is delivered. All that still waits of those is put into the wheel once more, and open slots are
 * closed; that what stands in the old slot counts no more follows from the step (timer-clock.ts). When the clock was
 * set forward, slots come earlier, and what is not due then is put further on as it is read; so is what of that waits
 * in memory.
 */
import { RecalledKeys } from './slot-loader.ts';
import type { TimerDelivery } from './timer-delivery.ts';
import { isRecall, MAGIC_DELETE, MAGIC_ROLL, NONE, slotOf, type TimerUnit } from './timer-layout.ts';
import { COMMIT_PAUSE_MS, type Steps, type TimerStore, type Waiting } from './timer-store.ts';

/** Between two looks whether puts under way have ended. */
const UNDER_WAY_MS = 5;
/** Units that are looked at in one step. */
const STEP_UNITS = 512;

export class TimerMoves {
  readonly #timers: TimerStore;
  readonly #delivery: TimerDelivery;
  readonly #reader;
  #looked = 0;

  constructor(timers: TimerStore, delivery: TimerDelivery) {
    this.#timers = timers;
    this.#delivery = delivery;
    this.#reader = timers.reader();
  }

  /** Yields between two steps; nothing may be delivered meanwhile. */
  *back(): Steps {
    const { clock, log, rollWindow } = this.#timers;
    // What is under way may come back: then it is to be looked at too.
    while (this.#delivery.underWay > 0) yield UNDER_WAY_MS;
    while (!this.#timers.commit()) yield COMMIT_PAUSE_MS;
    yield* this.#delivery.markAll();
    const lastSlot = clock.slot + rollWindow;
    const end = log.end;
    clock.noteStep(end, lastSlot, this.#delivery.passed);
    yield* this.#lookAtOthers(yield* this.#lookAtOpen(), lastSlot, end);
    this.#delivery.goBack(clock.slot);
    while (!this.#timers.commit()) yield COMMIT_PAUSE_MS;
  }

  /** The same after the clock was set forward. */
  *forward(): Steps {
    while (this.#delivery.underWay > 0) yield UNDER_WAY_MS;
    while (!this.#timers.commit()) yield COMMIT_PAUSE_MS;
    yield* this.#delivery.markAll();
    const { position, piece } = this.#delivery.takeAll();
    for (const [i, of] of piece.entries()) {
      const at = position[i] as number;
      const unit = { ...this.#timers.follow(this.#reader, at, of.slot.slot) };
      this.#delivery.putBack(at, unit, of);
      yield* this.#pause();
    }
    while (!this.#timers.commit()) yield COMMIT_PAUSE_MS;
  }

  /** Which slots are open. Recalls first: all of them count for each message. */
  *#lookAtOpen(): Steps<ReadonlySet<number>> {
    const slots = [...this.#delivery.open.values()];
    const pieces = slots.flatMap((slot) => slot.pieces.filter(({ loaded }) => !loaded));
    // What is put into one of them meanwhile is not to be looked at.
    const open = slots.map(({ slot, last }) => ({ slot, last }));
    for (const { slot, last } of open) yield* this.#lookAtRecalls(slot, last);
    yield* this.#lookAtWaiting();
    for (const piece of pieces) yield* this.#lookAtChain(piece.slot.slot, piece.last, piece.after);
    return new Set(open.map(({ slot }) => slot));
  }

  *#lookAtOthers(open: ReadonlySet<number>, lastSlot: number, end: number): Steps {
    const { wheel, finishedSlots } = this.#timers;
    for (const chain of wheel.chains()) {
      if (chain === undefined) yield;
      if (chain === undefined || finishedSlots.has(chain.slot)) continue;
      // What was put into it by now has to be there to be read.
      while (!this.#timers.commit()) yield COMMIT_PAUSE_MS;
      if (!open.has(chain.slot)) {
        const recalled = yield* this.#lookAtRecalls(chain.slot, chain.last);
        yield* this.#lookAtChain(chain.slot, chain.last, NONE, recalled);
      }
      const { last } = wheel.get(chain.slot);
      if (chain.slot > lastSlot && last < end) this.#timers.finish(chain.slot, last);
    }
  }

  *#lookAtWaiting(): Steps {
    const { position, piece } = this.#delivery.takeAll();
    for (const [i, { slot }] of piece.entries()) {
      const at = position[i] as number;
      const unit = { ...this.#timers.follow(this.#reader, at, slot.slot) };
      if (this.#timers.clock.movesNow(at, unit)) yield* this.#move(unit);
      yield* this.#pause();
    }
  }

  /** Recalls of a whole chain, also of an open slot: they are in no piece that waits to be loaded. */
  *#lookAtRecalls(slot: number, last: number): Steps<RecalledKeys> {
    const recalled = new RecalledKeys();
    for (let at = last; at !== NONE; ) {
      const unit = { ...this.#timers.follow(this.#reader, at, slot) };
      if (isRecall(unit)) {
        this.#delivery.messages.noteRecall(unit.physical, recalled);
        if (this.#timers.clock.movesNow(at, unit)) yield* this.#move(unit);
      }
      at = unit.previous;
      yield* this.#pause();
    }
    return recalled;
  }

  /** What of it is no recall, and what an earlier process has not delivered: that stands there until it is over. */
  *#lookAtChain(slot: number, last: number, after: number, recalled?: RecalledKeys): Steps {
    for (let at = last; at > after; ) {
      const unit = { ...this.#timers.follow(this.#reader, at, slot) };
      const { previous } = unit;
      const counts = !isRecall(unit) && !this.#delivery.before.has(at, unit, slot);
      if (counts && this.#timers.clock.movesNow(at, unit)) yield* this.#move(unit, recalled);
      at = previous;
      yield* this.#pause();
    }
  }

  /** `recalled`: in its own slot, if that is not open. */
  *#move(unit: TimerUnit, recalled = new RecalledKeys()): Steps {
    const recalls = (unit.magic & MAGIC_DELETE) !== 0;
    if (!recalls && this.#delivery.isRecalled(unit.physical, recalled)) return;
    const waiting = { ...unit, recalls, ...this.#placeOf(unit) };
    let slot = this.#timers.put(waiting);
    for (; slot === NONE; slot = this.#timers.put(waiting)) {
      yield COMMIT_PAUSE_MS;
      yield* this.#commit();
    }
    this.#delivery.added(slot);
  }

  /** Where its recall would lie, if that is not too far from where it is due. */
  #placeOf(unit: TimerUnit): Pick<Waiting, 'due' | 'slot' | 'rolls'> {
    const { clock } = this.#timers;
    const own = unit.slotTime / clock.precisionMs;
    const leaves = clock.leavesSlot(unit);
    if (!leaves && (unit.magic & MAGIC_ROLL) !== 0) return { due: unit.due, slot: own, rolls: true };
    const due = this.#timers.dueOf(unit);
    const ms = clock.machineTime(due, unit.elapsed);
    const isNear = ms > unit.slotTime && ms <= unit.slotTime + 2 * clock.precisionMs;
    if (!leaves && isNear) return { due, slot: own, rolls: false };
    return { due, slot: Math.max(slotOf(ms, clock.precisionMs), clock.slot) };
  }

  *#pause(): Steps {
    if (++this.#looked % STEP_UNITS === 0) yield* this.#commit();
  }

  *#commit(): Steps {
    yield;
    while (!this.#timers.commit()) yield COMMIT_PAUSE_MS;
  }
}
