/**
 * After the machine's clock was set back: timers that are counted in elapsed time are due earlier on the wheel, and
 * what is further away than units may wait in their own slot has to be rolled. Those are put into the wheel once more;
 * that what stands in the old slot counts no more follows from the step (timer-clock.ts). When the clock was set
 * forward nothing has to be done at once: slots come earlier, and what is not due then is put further on as it is read.
 */

import type { Piece } from './slot-loader.ts';
import { RecalledKeys } from './slot-loader.ts';
import { isRecall, type TimerDelivery } from './timer-delivery.ts';
import { MAGIC_DELETE, NONE, slotOf, type TimerUnit } from './timer-layout.ts';
import { COMMIT_PAUSE_MS, type Steps, type TimerStore } from './timer-store.ts';

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
  *run(): Steps {
    const { clock, log, rollWindow, wheel } = this.#timers;
    // What is under way may come back: then it is to be looked at too.
    while (this.#delivery.underWay > 0) yield UNDER_WAY_MS;
    while (!this.#timers.commit()) yield COMMIT_PAUSE_MS;
    yield* this.#delivery.markAll();
    const lastSlot = clock.slot + rollWindow;
    const end = log.end;
    clock.noteStep(end, lastSlot);
    const open = [...this.#delivery.open.values()];
    const pieces = open.flatMap((slot) => slot.pieces.filter(({ loaded }) => !loaded));
    for (const { slot, last } of open) yield* this.#lookAtRecalls(slot, last);
    yield* this.#lookAtWaiting();
    for (const piece of pieces) yield* this.#lookAtChain(piece.slot.slot, piece.last, piece.after);
    const done = new Set(open.map(({ slot }) => slot));
    for (const chain of wheel.chains()) {
      if (chain === undefined) yield;
      if (chain === undefined || done.has(chain.slot) || this.#timers.finishedSlots.has(chain.slot)) continue;
      // What was put into it by now has to be there to be read.
      while (!this.#timers.commit()) yield COMMIT_PAUSE_MS;
      const recalled = yield* this.#lookAtRecalls(chain.slot, chain.last);
      yield* this.#lookAtChain(chain.slot, chain.last, NONE, recalled);
      if (chain.slot > lastSlot && chain.last < end) this.#timers.finish(chain.slot, chain.last);
    }
    this.#delivery.finishMoved(lastSlot, end);
    this.#delivery.goBack(clock.slot);
    while (!this.#timers.commit()) yield COMMIT_PAUSE_MS;
  }

  *#lookAtWaiting(): Steps {
    const { position, piece } = this.#delivery.takeAll();
    for (let i = 0; i < piece.length; i++) {
      const of = piece[i] as Piece;
      const at = position[i] as number;
      const unit = { ...this.#timers.follow(this.#reader, at, of.slot.slot) };
      if (this.#timers.clock.movesNow(at, unit)) {
        yield* this.#move(unit);
        this.#delivery.gone(of);
      } else {
        this.#delivery.keep(at, unit, of);
      }
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

  /** What of it is no recall. */
  *#lookAtChain(slot: number, last: number, after: number, recalled?: RecalledKeys): Steps {
    for (let at = last; at > after; ) {
      const unit = { ...this.#timers.follow(this.#reader, at, slot) };
      const { previous } = unit;
      if (!isRecall(unit) && this.#timers.clock.movesNow(at, unit)) yield* this.#move(unit, recalled);
      at = previous;
      yield* this.#pause();
    }
  }

  /** `recalled`: in its own slot, if that is not open. */
  *#move(unit: TimerUnit, recalled = new RecalledKeys()): Steps {
    const { clock } = this.#timers;
    const recalls = (unit.magic & MAGIC_DELETE) !== 0;
    if (!recalls && this.#delivery.isRecalled(unit.physical, recalled)) return;
    const due = this.#timers.dueOf(unit);
    const wanted = Math.max(slotOf(clock.machineTime(due, unit.elapsed), clock.precisionMs), clock.slot);
    let slot = this.#timers.put({ ...unit, due, recalls, slot: wanted });
    for (; slot === NONE; slot = this.#timers.put({ ...unit, due, recalls, slot: wanted })) {
      yield COMMIT_PAUSE_MS;
      yield* this.#commit();
    }
    this.#delivery.added(slot);
  }

  *#pause(): Steps {
    if (++this.#looked % STEP_UNITS === 0) yield* this.#commit();
  }

  *#commit(): Steps {
    yield;
    while (!this.#timers.commit()) yield COMMIT_PAUSE_MS;
  }
}
