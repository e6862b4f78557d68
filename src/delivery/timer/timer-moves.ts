/**
 * After the machine's clock was set back: timers that are counted in elapsed time are due earlier on the wheel, what
 * is further away than units may wait in their own slot has to be rolled, and slots that had come before come a second
 * time, of which some is delivered. All that still waits of those is put into the wheel once more, and open slots are
 * closed; that what stands in the old slot counts no more follows from the step (timer-clock.ts). When the clock was
 * set forward, slots come earlier, and what is not due then is put further on as it is read; so is what of that waits
 * in memory.
 */
import { MAX_DOUBTFUL, RECALL_COST, RecallSearch } from './recall-search.ts';
import { type KeyDigest, RecalledKeys } from './recalled-keys.ts';
import type { Chain } from './slot-loader.ts';
import type { TimerDelivery } from './timer-delivery.ts';
import { isRecall, MAGIC_DELETE, MAGIC_ROLL, NONE, slotOf, type TimerUnit } from './timer-layout.ts';
import { COMMIT_PAUSE_MS, type Steps, type TimerStore, type Waiting } from './timer-store.ts';

/** Between two looks whether puts under way have ended. */
const UNDER_WAY_MS = 5;
/** Units that are looked at in one step. */
const STEP_UNITS = 512;

/** Of a slot that is not open. */
interface OwnRecalls {
  chain: Chain;
  recalled: RecalledKeys;
}

export class TimerMoves {
  readonly #timers: TimerStore;
  readonly #delivery: TimerDelivery;
  readonly #reader;
  readonly #search: RecallSearch;
  /** Units to be put elsewhere whose recalls did not all fit into memory, by what their messages are known by. */
  #doubtful: { unit: TimerUnit; digest: KeyDigest }[] = [];
  /** Open slots of which that is so. */
  #inOpen: readonly Chain[] = [];
  #looked = 0;

  constructor(timers: TimerStore, delivery: TimerDelivery) {
    this.#timers = timers;
    this.#delivery = delivery;
    this.#reader = timers.reader();
    this.#search = new RecallSearch(timers, delivery.messages);
  }

  /** Yields between two steps; nothing may be delivered meanwhile. */
  *back(): Steps {
    const { clock, log, rollWindow } = this.#timers;
    // What is under way may come back: then it is to be looked at too.
    while (this.#delivery.underWay > 0) yield UNDER_WAY_MS;
    while (!this.#timers.commit()) yield COMMIT_PAUSE_MS;
    yield* this.#delivery.slots.markAll();
    const lastSlot = clock.slot + rollWindow;
    const end = log.end;
    clock.noteStep(end, lastSlot, this.#delivery.slots.passed);
    yield* this.#lookAtOthers(yield* this.#lookAtOpen(), lastSlot, end);
    this.#delivery.goBack(clock.slot);
    while (!this.#timers.commit()) yield COMMIT_PAUSE_MS;
  }

  /** The same after the clock was set forward. */
  *forward(): Steps {
    while (this.#delivery.underWay > 0) yield UNDER_WAY_MS;
    while (!this.#timers.commit()) yield COMMIT_PAUSE_MS;
    yield* this.#delivery.slots.markAll();
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
    const open = [...this.#delivery.slots.values()];
    const pieces = open.flatMap((slot) => slot.pieces.filter(({ loaded }) => !loaded));
    // What is put into one of them meanwhile is not to be looked at.
    const chains = open.map(({ slot, last }) => ({ slot, last, after: NONE }));
    this.#inOpen = this.#delivery.slots.partialRecalls;
    for (const chain of chains) yield* this.#lookAtRecalls(chain);
    yield* this.#lookAtWaiting();
    for (const { slot, last, after } of pieces) yield* this.#lookAtChain({ slot: slot.slot, last, after });
    yield* this.#decide();
    return new Set(chains.map(({ slot }) => slot));
  }

  *#lookAtOthers(open: ReadonlySet<number>, lastSlot: number, end: number): Steps {
    const { wheel, finishedSlots } = this.#timers;
    for (const chain of wheel.chains()) {
      if (chain === undefined) yield;
      if (chain === undefined || finishedSlots.has(chain.slot)) continue;
      // What was put into it by now has to be there to be read.
      while (!this.#timers.commit()) yield COMMIT_PAUSE_MS;
      if (!open.has(chain.slot))
        yield* this.#lookAtOther({ slot: chain.slot, last: chain.last, after: NONE });
      const { last } = wheel.get(chain.slot);
      if (chain.slot > lastSlot && last < end) this.#timers.finish(chain.slot, last);
    }
  }

  *#lookAtOther(chain: Chain): Steps {
    const own = { chain, recalled: new RecalledKeys(this.#delivery.recallRoom) };
    yield* this.#lookAtRecalls(chain, own.recalled);
    yield* this.#lookAtChain(chain, own);
    yield* this.#decide(own);
    own.recalled.release();
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
  *#lookAtRecalls({ slot, last }: Chain, recalled?: RecalledKeys): Steps {
    for (let at = last; at !== NONE; ) {
      const unit = { ...this.#timers.follow(this.#reader, at, slot) };
      const recalls = isRecall(unit);
      if (recalls && recalled !== undefined) this.#delivery.messages.noteRecall(unit.physical, recalled);
      if (recalls && this.#timers.clock.movesNow(at, unit)) yield* this.#move(unit);
      at = unit.previous;
      yield* this.#pause(recalls ? RECALL_COST : 1);
    }
  }

  /** What of it is no recall, and what an earlier process has not delivered: that stands there until it is over. */
  *#lookAtChain({ slot, last, after }: Chain, own?: OwnRecalls): Steps {
    for (let at = last; at > after; ) {
      const unit = { ...this.#timers.follow(this.#reader, at, slot) };
      const { previous } = unit;
      const counts = !isRecall(unit) && !this.#delivery.before.has(at, unit, slot);
      if (counts && this.#timers.clock.movesNow(at, unit)) yield* this.#move(unit, own);
      at = previous;
      yield* this.#pause();
    }
  }

  *#move(unit: TimerUnit, own?: OwnRecalls): Steps {
    const recalls = (unit.magic & MAGIC_DELETE) !== 0;
    const others = own === undefined ? [] : [own.recalled];
    const known = !recalls && this.#delivery.isRecalled(unit.physical, ...others);
    if (typeof known === 'string') {
      this.#doubtful.push({ unit, digest: known });
      if (this.#doubtful.length >= MAX_DOUBTFUL) yield* this.#decide(own);
    } else if (!known) yield* this.#putElsewhere(unit);
  }

  *#decide(own?: OwnRecalls): Steps {
    const doubtful = this.#doubtful;
    if (doubtful.length === 0) return;
    this.#doubtful = [];
    yield* this.#commit();
    const wanted = new Set(doubtful.map(({ digest }) => digest));
    const chains = own === undefined ? this.#inOpen : [...this.#inOpen, own.chain];
    const recalled = yield* this.#search.among(wanted, chains, () => true);
    for (const { unit, digest } of doubtful) {
      if (!recalled.has(digest)) yield* this.#putElsewhere(unit);
      yield* this.#pause();
    }
  }

  *#putElsewhere(unit: TimerUnit): Steps {
    const waiting = { ...this.#timers.waitingOf(unit), ...this.#placeOf(unit) };
    let slot = this.#timers.put(waiting);
    for (; slot === NONE; slot = this.#timers.put(waiting)) {
      yield COMMIT_PAUSE_MS;
      yield* this.#commit();
    }
    this.#delivery.slots.added(slot);
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
