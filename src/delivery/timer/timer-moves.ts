/**
 * After the machine's clock was set back: timers that are counted in elapsed time are due earlier on the wheel, and
 * what is further away than units may wait in their own slot has to be rolled. Those are put into the wheel once more;
 * that what stands in the old slot counts no more follows from the step (timer-clock.ts). When the clock was set
 * forward nothing has to be done at once: slots come earlier, and what is not due then is put further on as it is read.
 */

import { MAX_DOUBTFUL, RECALL_COST, RecallSearch } from './recall-search.ts';
import { type KeyDigest, RecalledKeys } from './recalled-keys.ts';
import type { Chain, Piece } from './slot-loader.ts';
import type { TimerDelivery } from './timer-delivery.ts';
import { isRecall, MAGIC_DELETE, NONE, slotOf, type TimerUnit } from './timer-layout.ts';
import { COMMIT_PAUSE_MS, type Steps, type TimerStore } from './timer-store.ts';

/** Between two looks whether puts under way have ended. */
const UNDER_WAY_MS = 5;
/** Units that are looked at in one step. */
const STEP_UNITS = 512;

export class TimerMoves {
  readonly #timers: TimerStore;
  readonly #delivery: TimerDelivery;
  readonly #reader;
  readonly #search: RecallSearch;
  /** Units to be put elsewhere whose recalls did not all fit into memory, by what their messages are known by. */
  #doubtful: { unit: TimerUnit; digest: KeyDigest; piece: Piece | undefined }[] = [];
  #looked = 0;

  constructor(timers: TimerStore, delivery: TimerDelivery) {
    this.#timers = timers;
    this.#delivery = delivery;
    this.#reader = timers.reader();
    this.#search = new RecallSearch(timers, delivery.messages);
  }

  /** Yields between two steps; nothing may be delivered meanwhile. */
  *run(): Steps {
    const { clock, log, rollWindow, wheel } = this.#timers;
    // What is under way may come back: then it is to be looked at too.
    while (this.#delivery.underWay > 0) yield UNDER_WAY_MS;
    yield* this.#delivery.markAll();
    const lastSlot = clock.slot + rollWindow;
    const end = log.end;
    clock.noteStep(end, lastSlot);
    const open = [...this.#delivery.open.values()];
    const pieces = open.flatMap((slot) => slot.pieces.filter(({ loaded }) => !loaded));
    yield* this.#lookAtWaiting();
    for (const { slot, last, after } of pieces) {
      yield* this.#lookAtChain({ slot: slot.slot, last, after }, slot.recalled, slot.looked);
      yield* this.#decide(slot.looked);
    }
    const done = new Set(open.map(({ slot }) => slot));
    for (const chain of wheel.chains()) {
      if (chain === undefined) yield;
      if (chain === undefined || done.has(chain.slot) || this.#timers.finishedSlots.has(chain.slot)) continue;
      // What was put into it by now has to be there to be read.
      while (!this.#timers.commit()) yield COMMIT_PAUSE_MS;
      const whole = { slot: chain.slot, last: chain.last, after: NONE };
      const recalled = yield* this.#recallsIn(whole);
      yield* this.#lookAtChain(whole, recalled, whole);
      yield* this.#decide(whole);
      recalled.release();
      if (chain.slot > lastSlot && chain.last < end) this.#timers.finish(chain.slot, chain.last);
    }
    this.#delivery.goBack(clock.slot);
    while (!this.#timers.commit()) yield COMMIT_PAUSE_MS;
  }

  *#lookAtWaiting(): Steps {
    const { position, piece } = this.#delivery.takeAll();
    for (let i = 0; i < piece.length; i++) {
      const of = piece[i] as Piece;
      const at = position[i] as number;
      const unit = { ...this.#timers.follow(this.#reader, at, of.slot.slot) };
      if (this.#timers.clock.movesNow(at, unit))
        yield* this.#move(unit, of.slot.recalled, of.slot.looked, of);
      else this.#delivery.keep(at, unit, of);
      yield* this.#pause();
      if (piece[i + 1]?.slot !== of.slot) yield* this.#decide(of.slot.looked);
    }
  }

  *#recallsIn({ slot, last }: Chain): Steps<RecalledKeys> {
    const recalled = new RecalledKeys(this.#delivery.recallRoom);
    for (let at = last; at !== NONE; ) {
      const { previous, physical } = this.#timers.follow(this.#reader, at, slot);
      const recalls = isRecall(this.#reader.unit);
      if (recalls) this.#delivery.messages.noteRecall(physical, recalled);
      at = previous;
      yield* this.#pause(recalls ? RECALL_COST : 1);
    }
    return recalled;
  }

  /** Recalls that are not among `recalled` are in `all`. */
  *#lookAtChain({ slot, last, after }: Chain, recalled: RecalledKeys, all: Chain): Steps {
    for (let at = last; at > after; ) {
      const unit = this.#timers.follow(this.#reader, at, slot);
      const { previous } = unit;
      if (this.#timers.clock.movesNow(at, unit)) yield* this.#move({ ...unit }, recalled, all);
      at = previous;
      yield* this.#pause();
    }
  }

  *#move(unit: TimerUnit, recalled: RecalledKeys, all: Chain, piece?: Piece): Steps {
    const recalls = (unit.magic & MAGIC_DELETE) !== 0;
    const known = !recalls && this.#delivery.messages.isRecalled(unit.physical, recalled);
    if (typeof known === 'string') {
      this.#doubtful.push({ unit, digest: known, piece });
      if (this.#doubtful.length >= MAX_DOUBTFUL) yield* this.#decide(all);
      return;
    }
    if (!known) yield* this.#putElsewhere(unit);
    if (piece !== undefined) this.#delivery.gone(piece);
  }

  *#decide(all: Chain): Steps {
    const doubtful = this.#doubtful;
    if (doubtful.length === 0) return;
    this.#doubtful = [];
    yield* this.#commit();
    const wanted = new Set(doubtful.map(({ digest }) => digest));
    const recalled = yield* this.#search.among(wanted, [all], () => true);
    for (const { unit, digest, piece } of doubtful) {
      if (!recalled.has(digest)) yield* this.#putElsewhere(unit);
      if (piece !== undefined) this.#delivery.gone(piece);
      yield* this.#pause();
    }
  }

  *#putElsewhere(unit: TimerUnit): Steps {
    const { clock } = this.#timers;
    const waiting = this.#timers.waitingOf(unit);
    const ms = clock.machineTime(waiting.due, unit.elapsed);
    waiting.slot = Math.max(slotOf(ms, clock.precisionMs), clock.slot);
    let slot = this.#timers.put(waiting);
    for (; slot === NONE; slot = this.#timers.put(waiting)) {
      yield COMMIT_PAUSE_MS;
      yield* this.#commit();
    }
    this.#delivery.added(slot);
  }

  *#pause(cost = 1): Steps {
    this.#looked += cost;
    if (this.#looked < STEP_UNITS) return;
    this.#looked = 0;
    yield* this.#commit();
  }

  *#commit(): Steps {
    yield;
    while (!this.#timers.commit()) yield COMMIT_PAUSE_MS;
  }
}
