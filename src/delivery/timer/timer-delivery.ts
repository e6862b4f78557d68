/**
 * Delivers what is in the wheel: slots are opened a little before their time (slot-loader.ts), their units wait in two
 * heaps, one for each clock, and each is put at its exact time. Nothing is put from a slot before all recalls in it are
 * known.
 */
import { MAX_RECALLED_KEYS } from '../../lib/limits.ts';
import type { ControlLog } from '../../lib/log.ts';
import type { BeginPut } from '../../store/put/put-message.ts';
import type { StoreReads } from '../../store/read/store-reads.ts';
import { DuePuts } from '../due-puts.ts';
import { DueHeap, isBefore } from './due-heap.ts';
import { DoubtfulPuts, RECALL_COST, RecallSearch } from './recall-search.ts';
import { type KeyDigest, RecalledKeys, RecallRoom } from './recalled-keys.ts';
import { OpenSlot, PIECE_UNITS, type Piece } from './slot-loader.ts';
import { TimedMessages, type TimerPut } from './timed-messages.ts';
import { MAX_PARTLY, type PartlyDelivered, type PartSlot } from './timer-check.ts';
import { isRecall, MAGIC_DELETE, MAGIC_ROLL, NONE, type TimerUnit } from './timer-layout.ts';
import type { Steps, TimerStore } from './timer-store.ts';

/** Slots are opened so long before their time. */
const AHEAD_MS = 1_000;
/** Units that wait in memory. A slot with more is delivered piece by piece. */
const MAX_WAITING = 256 * 1024;
/** Slots that are open at a time, but for those that get something after their time. */
const MAX_OPEN = 64;
/** Messages that one turn puts before others get theirs, and units that it reads. */
const BATCH = 64;
const READ_UNITS = PIECE_UNITS;
/** The ring to the writer is shared: who finds it full looks again after this. */
const BUSY_SLEEP_MS = 2;
/** A recall that is on its way is there soon. */
const RECALL_SLEEP_MS = 2;

/** What was delivered before the start. */
export interface Begun {
  /** All of the slots before, and of this one units up to `floor`. */
  slot: number;
  floor: number;
  partly: PartlyDelivered | undefined;
}

export interface TimerDeliveryParts {
  timers: TimerStore;
  store: Pick<StoreReads, 'recordAt'>;
  put: BeginPut;
  busy: () => boolean;
  /** Puts that may be under way. */
  maxPending: () => number;
  log: ControlLog;
  /** Where the queue of the timer topic ends, and up to where its entries are in the wheel. */
  queueEnd: () => number;
  enqueued: () => number;
  /** Whether nothing but time keeps them from there. */
  canEnqueue: () => boolean;
  /** Call `issue` again after so many ms. */
  wake: (ms: number) => void;
  /** Recalled messages that are known in memory; MAX_RECALLED_KEYS but for tests. */
  recalledKeys?: number | undefined;
}

export class TimerDelivery {
  readonly #parts: TimerDeliveryParts;
  readonly messages: TimedMessages;
  readonly #puts: DuePuts<TimerPut>;
  readonly #byTime = new DueHeap();
  readonly #bySpan = new DueHeap();
  readonly #open = new Map<number, OpenSlot>();
  readonly #pieces = new Map<number, Piece>();
  /** Of the open slots, where there are some: what is recalled may have come into the slot beside. */
  readonly #recalled = new Set<RecalledKeys>();
  readonly recallRoom: RecallRoom;
  readonly #doubtful: DoubtfulPuts;
  /** What was rolled, and is not in the wheel again; the recalls among it. */
  #rolling = 0;
  #rollingRecalls = 0;
  #lastPiece = 0;
  readonly #reader;
  readonly #singleReader;
  /** First slot that was never opened. */
  #cursor: number;
  /** Units of this slot up to there were delivered before the start. */
  readonly #begun: Begun;
  /** Issued and not ended. */
  readonly #issued = new Set<TimerPut>();

  constructor(parts: TimerDeliveryParts, begun: Begun) {
    this.#parts = parts;
    this.#begun = begun;
    this.#cursor = begun.slot;
    this.#reader = parts.timers.reader();
    this.#singleReader = parts.timers.reader();
    this.messages = new TimedMessages(parts.timers, parts.store);
    this.recallRoom = new RecallRoom(parts.recalledKeys ?? MAX_RECALLED_KEYS);
    this.#doubtful = new DoubtfulPuts(new RecallSearch(parts.timers, this.messages));
    this.#puts = new DuePuts<TimerPut>({
      log: parts.log,
      store: parts.store,
      put: parts.put,
      busy: parts.busy,
      what: 'timed message',
      fieldsOf: ({ physicalOffset }) => ({ position: physicalOffset }),
      messageOf: (record, entry) => this.messages.of(record, entry, this.#recalled),
      ended: (entry, done, stored) => this.#ended(entry, done, stored),
    });
  }

  /** First slot of which something may be left to deliver, and how far in its chain all is. */
  get progress(): { slot: number; floor: number } {
    let slot = this.#cursor;
    for (const open of this.#open.keys()) slot = Math.min(slot, open);
    return { slot, floor: this.#open.get(slot)?.floor ?? this.#floorOf(slot) };
  }

  /** What of the open slots has been delivered: everything that comes before what waits, or is under way. */
  get partly(): PartlyDelivered {
    const marks = [markOf(this.#byTime), markOf(this.#bySpan)] as const;
    for (const put of this.#issued) {
      const mark = marks[put.elapsed && !put.rolls ? 1 : 0];
      if (isBefore(put.key, put.position, mark.due, mark.position)) {
        mark.due = put.key;
        mark.position = put.position;
      }
    }
    const known = [...this.#open.values()].filter(
      (open) => open.ready && open.pieces.every(({ loaded }) => loaded),
    );
    const slots = [
      ...known.map(({ slot, last }): PartSlot => [slot, last, false]),
      ...[...this.#parts.timers.finishedSlots].map(([slot, last]): PartSlot => [slot, last, true]),
    ].sort(([a], [b]) => a - b);
    return { byTime: marks[0], bySpan: marks[1], slots: slots.slice(0, MAX_PARTLY) };
  }

  #wasDelivered(position: number, unit: Readonly<TimerUnit>, slot: number): boolean {
    const { partly } = this.#begun;
    const [, last = NONE, whole = false] = partly?.slots.find(([part]) => part === slot) ?? [];
    if (partly === undefined || position > last) return false;
    if (whole) return true;
    const mark = isBySpan(unit) ? partly.bySpan : partly.byTime;
    return isBefore(this.#keyOf(unit), position, mark.due, mark.position);
  }

  /** When it is put. */
  #keyOf(unit: Readonly<TimerUnit>): number {
    return (unit.magic & MAGIC_ROLL) !== 0 ? unit.slotTime : this.#parts.timers.dueOf(unit);
  }

  #floorOf(slot: number): number {
    return slot === this.#begun.slot ? this.#begun.floor : NONE;
  }

  get underWay(): number {
    return this.#puts.underWay;
  }

  get hasFailed(): boolean {
    return this.#puts.hasFailed;
  }

  /** Slots that are open, and units that wait in memory. */
  get open(): ReadonlyMap<number, OpenSlot> {
    return this.#open;
  }

  get waiting(): number {
    return this.#byTime.size + this.#bySpan.size;
  }

  /** An entry of the queue was put into a slot. */
  enqueued(slot: number, rolled: boolean, recalls: boolean): void {
    if (rolled) this.#rolled(recalls);
    this.added(slot);
  }

  #rolled(recalls: boolean): void {
    this.#rolling = Math.max(0, this.#rolling - 1);
    if (recalls) this.#rollingRecalls = Math.max(0, this.#rollingRecalls - 1);
  }

  /** A unit was put into a slot. */
  added(slot: number): void {
    // Then it may be due before the slot begins.
    if (this.#parts.timers.shifted) this.#openSlot(slot);
    const open = this.#open.get(slot);
    if (open !== undefined) open.last = this.#parts.timers.wheel.get(slot).last;
    else if (slot < this.#cursor) this.#openSlot(slot);
  }

  /** The machine's clock was set back: slots from this one on come once more. */
  goBack(slot: number): void {
    this.#cursor = Math.min(this.#cursor, slot);
  }

  /** Finds all recalls of the open slots; undefined between two pieces. */
  *markAll(): Steps {
    let read = 0;
    for (const open of this.#open.values())
      while (!open.ready) {
        read += this.#mark(open);
        if (read < READ_UNITS) continue;
        read = 0;
        yield;
      }
  }

  /**
   * Takes all units that wait in memory, also for a put to be repeated: each is to be kept, or has been put elsewhere.
   * No put may be under way.
   */
  takeAll(): { position: Float64Array; piece: Piece[] } {
    for (const put of [...this.#puts.takeFailed(), ...this.#doubtful.takeAll()]) {
      this.#issued.delete(put);
      if (put.rolls) this.#rolled(put.recalls);
      this.#byTime.push(put.key, put.position, put.piece.id);
    }
    const position = new Float64Array(this.waiting);
    const piece: Piece[] = [];
    for (const heap of [this.#byTime, this.#bySpan]) {
      for (; heap.size > 0; heap.pop()) {
        position[piece.length] = heap.position;
        piece.push(this.#pieces.get(heap.piece) as Piece);
      }
    }
    return { position, piece };
  }

  /** The unit waits on. */
  keep(position: number, unit: Readonly<TimerUnit>, piece: Piece): void {
    this.#wait(position, unit, piece.id);
  }

  /** The unit is somewhere else now, or was recalled. */
  gone(piece: Piece): void {
    this.#less(piece);
  }

  /** Opens slots and reads units, a bounded number. Whether it has more to read at once. */
  prepare(): boolean {
    this.#finishSlots();
    this.#openNear();
    let budget = READ_UNITS;
    for (const open of this.#open.values()) {
      // What was put further on has to be in the log before it is followed.
      if (this.#parts.timers.log.isStaged) return true;
      while (!open.ready && budget > 0) budget -= this.#mark(open);
      if (budget <= 0) return true;
      for (const piece of open.pieces) {
        if (piece.loaded) continue;
        if (this.waiting + PIECE_UNITS > MAX_WAITING || this.#doubtful.isFull) return false;
        budget -= this.#load(piece);
        if (budget <= 0) return true;
      }
      open.settle();
    }
    this.#finishSlots();
    return this.#hasNear();
  }

  /** Puts what is due, a bounded number. ms after which there is more to do; infinite when nothing waits. */
  issue(): number {
    if (this.#puts.hasFailed) return Number.POSITIVE_INFINITY;
    const { clock } = this.#parts.timers;
    for (let i = 0; i < BATCH; i++) {
      const byTime = this.#byTime.due - clock.nowMs;
      const bySpan = this.#bySpan.due - clock.elapsed;
      const wait = this.#doubtful.decided.size > 0 ? 0 : Math.min(byTime, bySpan);
      if (this.#doubtful.isFull || this.#doubtful.isSearching || (wait > 0 && this.#doubtful.size > 0))
        return this.#decide();
      // Times are whole ms of a clock whose ms are cut off.
      if (wait > 0) return Math.min(Math.max(wait, 1), this.#msToNextSlot());
      if (this.#puts.underWay >= this.#parts.maxPending()) return Number.POSITIVE_INFINITY;
      if (this.#parts.busy()) return BUSY_SLEEP_MS;
      const decided = this.#doubtful.decided.shift();
      if (decided !== undefined) {
        this.#goOn(decided);
        continue;
      }
      const heap = byTime <= bySpan ? this.#byTime : this.#bySpan;
      const piece = this.#pieces.get(heap.piece) as Piece;
      if (!piece.slot.ready) return 0;
      if (this.#mayBeRecalled(piece.slot)) return RECALL_SLEEP_MS;
      const { position } = heap;
      heap.pop();
      const unit = this.#parts.timers.follow(this.#singleReader, position, piece.slot.slot);
      this.messages.check(unit);
      this.#puts.issue(this.#putOf(position, unit, piece));
      if (this.#puts.hasFailed) return Number.POSITIVE_INFINITY;
    }
    return 0;
  }

  /** One step of finding out which of the doubtful ones were recalled. */
  #decide(): number {
    const { clock } = this.#parts.timers;
    const chains = () =>
      [...this.#open.values()].filter(({ recalled }) => recalled.isPartial).map(({ looked }) => looked);
    const recalled = this.#doubtful.step(chains, (at, unit) => !clock.hasMoved(at, unit));
    for (const put of recalled) this.#passed(put);
    return 0;
  }

  /** It was not recalled. */
  #goOn(put: TimerPut): void {
    const { position, piece, early } = put;
    if (!early) {
      this.#puts.issue(put);
      return;
    }
    const unit = { ...this.#parts.timers.follow(this.#singleReader, position, piece.slot.slot) };
    if (this.#putAgain(unit) !== NONE) {
      this.#passed(put);
      return;
    }
    this.#issued.delete(put);
    this.#wait(position, unit, piece.id);
  }

  #passed(put: TimerPut): void {
    this.#issued.delete(put);
    this.#less(put.piece);
  }

  #putOf(position: number, unit: Readonly<TimerUnit>, piece: Piece, doubt?: KeyDigest): TimerPut {
    const { physical: physicalOffset, due, elapsed, writeTime, magic } = unit;
    const rolls = (magic & MAGIC_ROLL) !== 0;
    const recalls = (magic & MAGIC_DELETE) !== 0;
    if (rolls) this.#rolling += 1;
    if (recalls) this.#rollingRecalls += 1;
    const key = this.#keyOf(unit);
    const put: TimerPut = {
      ...{ physicalOffset, attempts: 0, piece, position, rolls, recalls },
      ...{ due, elapsed, writeTime, key },
      ...{ early: doubt !== undefined, doubt, decided: false },
    };
    this.#issued.add(put);
    return put;
  }

  /** By what is on its way into the wheel: the queue's entries when the slot was opened, recalls that were rolled. */
  #mayBeRecalled({ waitsFor }: OpenSlot): boolean {
    const { enqueued, canEnqueue } = this.#parts;
    return (enqueued() < waitsFor || this.#rollingRecalls > 0) && canEnqueue();
  }

  /** Puts once more what has failed; after so many ms again when the way to the writer was full. */
  repeat(): number {
    return this.#puts.repeat() ? Number.POSITIVE_INFINITY : BUSY_SLEEP_MS;
  }

  #ended(put: TimerPut, done: boolean, stored: boolean): void {
    const { rolls, recalls } = put;
    if (put.doubt !== undefined) this.#doubtful.add(put);
    else if (done) this.#passed(put);
    if (done && !stored && rolls) this.#rolled(recalls);
    if (this.#puts.hasFailed) this.#parts.wake(this.#puts.pauseMs);
    else this.#parts.wake(0);
  }

  #less(piece: Piece): void {
    piece.pending -= 1;
    if (piece.pending > 0) return;
    this.#pieces.delete(piece.id);
    piece.slot.settle();
  }

  /** ms until a slot has to be opened. */
  #msToNextSlot(): number {
    const { wheel, clock } = this.#parts.timers;
    const next = this.#open.size < MAX_OPEN ? wheel.nextFilled(this.#cursor) : Number.POSITIVE_INFINITY;
    return Math.max(0, next * clock.precisionMs - AHEAD_MS - clock.nowMs);
  }

  get #horizon(): number {
    const { clock } = this.#parts.timers;
    return Math.floor((clock.nowMs + AHEAD_MS) / clock.precisionMs);
  }

  #hasNear(): boolean {
    return this.#open.size < MAX_OPEN && this.#parts.timers.wheel.nextFilled(this.#cursor) <= this.#horizon;
  }

  #openNear(): void {
    const { wheel } = this.#parts.timers;
    const horizon = this.#horizon;
    while (this.#open.size < MAX_OPEN) {
      const slot = wheel.nextFilled(this.#cursor);
      if (slot > horizon) {
        this.#cursor = Math.max(this.#cursor, horizon + 1);
        return;
      }
      this.#openSlot(slot);
      this.#cursor = slot + 1;
    }
  }

  #openSlot(slot: number): void {
    const { timers } = this.#parts;
    if (this.#open.has(slot) || timers.finishedSlots.has(slot)) return;
    const chain = timers.wheel.get(slot);
    if (chain.last === NONE) return;
    const recalled = new RecalledKeys(this.recallRoom);
    this.#open.set(slot, new OpenSlot(chain, this.#parts.queueEnd(), recalled, this.#floorOf(slot)));
  }

  /** Slots whose time is over, and of which all was delivered. */
  #finishSlots(): void {
    const { timers } = this.#parts;
    const { slot: now } = timers.clock;
    for (const open of this.#open.values()) {
      // Further ahead than a unit may wait there is one only after the clock was set back, and it was put elsewhere.
      const isOver = open.slot < now || open.slot > now + timers.rollWindow;
      if (!open.done || !isOver || this.#mayRecall(open)) continue;
      timers.finish(open.slot, open.last);
      this.#open.delete(open.slot);
      this.#recalled.delete(open.recalled);
      open.recalled.release();
    }
    timers.firstSlot = this.progress.slot;
  }

  /** Something that is on its way from an older slot, as when the clock was set forward by days. */
  #mayRecall({ slot, recalled }: OpenSlot): boolean {
    if (recalled.isPartial && this.#doubtful.size > 0) return true;
    return !recalled.isEmpty && (this.#rolling > 0 || slot > this.progress.slot);
  }

  /** Looks at one more unit of the chain; what that has cost. */
  #mark(open: OpenSlot): number {
    const { timers } = this.#parts;
    const position = open.next();
    const unit = timers.follow(this.#reader, position, open.slot);
    const { previous } = unit;
    const recalls = isRecall(unit) && !timers.clock.hasMoved(position, unit);
    if (recalls) this.messages.check(unit);
    if (recalls && this.messages.noteRecall(unit.physical, open.recalled)) this.#recalled.add(open.recalled);
    open.pass(previous);
    return recalls ? RECALL_COST : 1;
  }

  /** Units of the piece. */
  #load(piece: Piece): number {
    const { timers } = this.#parts;
    piece.id = ++this.#lastPiece;
    let count = 0;
    for (let at = piece.last; at > piece.after; count++) {
      const unit = timers.follow(this.#reader, at, piece.slot.slot);
      const { previous } = unit;
      const isOver = isRecall(unit) || timers.clock.hasMoved(at, unit);
      if (!isOver && !this.#wasDelivered(at, unit, piece.slot.slot) && this.#begin(at, unit, piece))
        piece.pending += 1;
      at = previous;
    }
    piece.loaded = true;
    if (piece.pending > 0) this.#pieces.set(piece.id, piece);
    return count;
  }

  #wait(position: number, unit: Readonly<TimerUnit>, piece: number): void {
    (isBySpan(unit) ? this.#bySpan : this.#byTime).push(this.#keyOf(unit), position, piece);
  }

  /** Lets a unit wait; false when there is nothing to wait for. */
  #begin(position: number, unit: Readonly<TimerUnit>, piece: Piece): boolean {
    if (this.#isTooEarly(unit, piece.slot)) {
      const known = this.messages.isRecalled(unit.physical, piece.slot.recalled);
      if (typeof known === 'string') {
        this.#doubtful.add(this.#putOf(position, unit, piece, known));
        return true;
      }
      if (known || this.#putAgain(unit) !== NONE) return false;
    }
    this.#wait(position, unit, piece.id);
    return true;
  }

  /** Whether it belongs into a later slot: the clock was set forward since, and elapsed time was not. */
  #isTooEarly(unit: Readonly<TimerUnit>, { slot }: OpenSlot): boolean {
    const { clock } = this.#parts.timers;
    if (!unit.elapsed || (unit.magic & MAGIC_ROLL) !== 0) return false;
    const ms = clock.machineTime(unit.due, true);
    return ms > (Math.max(this.#horizon, slot) + 2) * clock.precisionMs;
  }

  #putAgain(unit: Readonly<TimerUnit>): number {
    const { timers } = this.#parts;
    const slot = timers.put(timers.waitingOf(unit));
    if (slot !== NONE) this.added(slot);
    return slot;
  }
}

function isBySpan({ magic, elapsed }: Readonly<TimerUnit>): boolean {
  return elapsed && (magic & MAGIC_ROLL) === 0;
}

function markOf(heap: DueHeap): { due: number; position: number } {
  return { due: heap.due, position: heap.size === 0 ? 0 : heap.position };
}
