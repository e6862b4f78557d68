/**
 * Delivers what is in the wheel: slots are opened a little before their time (slot-loader.ts), their units wait in two
 * heaps, one for each clock, and each is put at its exact time. Nothing is put from a slot before all recalls in it are
 * known.
 */
import type { ControlLog } from '../../lib/log.ts';
import type { BeginPut } from '../../store/put/put-message.ts';
import type { StoreReads } from '../../store/read/store-reads.ts';
import { DuePuts } from '../due-puts.ts';
import { type Begun, DeliveredBefore, isBySpan, isEarlyFor, keyOf } from './begun.ts';
import { DueHeap, isBefore } from './due-heap.ts';
import { OpenSlot, PIECE_UNITS, type Piece, type RecalledKeys } from './slot-loader.ts';
import { TimedMessages, type TimerPut } from './timed-messages.ts';
import { MAX_PARTLY, type PartlyDelivered, type PartSlot } from './timer-check.ts';
import { isRecall, MAGIC_DELETE, MAGIC_ROLL, NONE, type TimerUnit } from './timer-layout.ts';
import type { Steps, TimerStore } from './timer-store.ts';

/** Slots are opened so long before their time. */
const AHEAD_MS = 1_000;
/** Units that wait in memory. A slot with more is delivered piece by piece. */
const MAX_WAITING = 256 * 1024;
/** Slots that are open at a time, but for those that get something after their time, or are opened before it. */
const MAX_OPEN = 64;
/** Messages that one turn puts before others get theirs, and units that it reads. */
const BATCH = 64;
const READ_UNITS = PIECE_UNITS;
/** A recall's record is read: that takes as long as so many units. */
const RECALL_COST = 16;
/** The ring to the writer is shared: who finds it full looks again after this. */
const BUSY_SLEEP_MS = 2;
/** A recall that is on its way is there soon. */
const RECALL_SLEEP_MS = 2;

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
  /** What was rolled, and is not in the wheel again; the recalls among it. */
  #rolling = 0;
  #rollingRecalls = 0;
  #lastPiece = 0;
  /** What was delivered in part before the start is known of the open slots again. Nothing is put before. */
  resumed = false;
  readonly #reader;
  readonly #singleReader;
  /** First slot that was never opened. */
  #cursor: number;
  readonly before: DeliveredBefore;
  /** Issued and not ended. */
  readonly #issued = new Set<TimerPut>();

  constructor(parts: TimerDeliveryParts, begun: Begun) {
    this.#parts = parts;
    this.before = new DeliveredBefore(parts.timers, begun);
    this.#cursor = begun.slot;
    this.#reader = parts.timers.reader();
    this.#singleReader = parts.timers.reader();
    this.messages = new TimedMessages(parts.timers, parts.store);
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
    return { slot, floor: this.#open.get(slot)?.floor ?? this.before.floorOf(slot) };
  }

  /** What of the open slots has been delivered: everything that comes before what waits, or is under way. */
  get partly(): PartlyDelivered {
    const slots = [
      ...[...this.#open.values()].filter(isKnown).map((open): PartSlot => [open.slot, open.last, open.done]),
      ...[...this.#parts.timers.finishedSlots].map(([slot, last]): PartSlot => [slot, last, true]),
    ].sort(([a], [b]) => a - b);
    return { ...this.#firstLeft(), slots: slots.slice(0, MAX_PARTLY) };
  }

  /** What comes first of what waits, or is under way. */
  #firstLeft(): Pick<PartlyDelivered, 'byTime' | 'bySpan'> {
    const byTime = markOf(this.#byTime);
    const bySpan = markOf(this.#bySpan);
    for (const put of this.#issued) {
      const mark = put.elapsed && !put.rolls ? bySpan : byTime;
      if (!isBefore(put.key, put.position, mark.due, mark.position)) continue;
      mark.due = put.key;
      mark.position = put.position;
    }
    return { byTime, bySpan };
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

  /** Slots before it have come: what was put into them and waits no more was delivered. */
  get passed(): number {
    const begun = this.before.partly;
    for (const open of this.#open.values()) if (open.begun) begun.push(open.slot);
    return begun.reduce((passed, part) => Math.max(passed, part + 1), this.#cursor);
  }

  /**
   * Slots from this one on come, again when the machine's clock was set back; no unit may wait in memory. What stands
   * in later slots than its own is due before those.
   */
  goBack(slot: number): void {
    for (const open of this.#open.keys()) this.#cursor = Math.min(this.#cursor, open);
    this.#cursor = Math.min(this.#cursor, slot);
    this.#open.clear();
    this.#pieces.clear();
    this.#recalled.clear();
    for (const displaced of this.#parts.timers.displacedSlots) this.#openSlot(displaced);
  }

  /** Finds all recalls of the slots that are open, or to be opened; undefined between two pieces. */
  *markAll(): Steps {
    this.#openNear();
    let read = 0;
    for (const open of this.#open.values())
      while (!open.ready) {
        read += this.#mark(open);
        if (read < READ_UNITS) continue;
        read = 0;
        yield;
      }
  }

  /** Takes all units that wait in memory, also for a put to be repeated, which may not be under way. */
  takeAll(): { position: Float64Array; piece: Piece[] } {
    for (const put of this.#puts.takeFailed()) {
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

  /** The unit, which was taken, waits on, or is put further on. */
  putBack(position: number, unit: Readonly<TimerUnit>, piece: Piece): void {
    if (this.#isTooEarly(unit, piece)) this.#less(piece);
    else this.#wait(position, unit, piece.id);
  }

  /** Whether the message at `physical` was recalled in an open slot, or among `others`. */
  isRecalled(physical: number, ...others: RecalledKeys[]): boolean {
    return this.messages.isRecalled(physical, [...this.#recalled, ...others]);
  }

  /** Opens slots and reads units, a bounded number. Whether it has more to read at once. */
  prepare(): boolean {
    this.#finishSlots();
    this.#openNear();
    let budget = READ_UNITS;
    // What was put further on has to be in the log before it is followed.
    if (this.#parts.timers.log.isStaged) return true;
    // All recalls first: one in the slot beside is to be known before its message is put further on.
    for (const open of this.#open.values()) {
      while (!open.ready && budget > 0) budget -= this.#mark(open);
      if (budget <= 0) return true;
    }
    for (const open of this.#open.values()) {
      if (this.#parts.timers.log.isStaged) return true;
      for (const piece of open.pieces) {
        if (piece.loaded) continue;
        if (this.waiting + PIECE_UNITS > MAX_WAITING) {
          this.resumed = true;
          return false;
        }
        budget -= this.#load(piece);
        if (budget <= 0) return true;
      }
      open.settle();
    }
    this.#finishSlots();
    this.resumed ||= !this.#hasNear();
    return this.#hasNear();
  }

  /** Puts what is due, a bounded number. ms after which there is more to do; infinite when nothing waits. */
  issue(): number {
    if (this.#puts.hasFailed || !this.resumed) return Number.POSITIVE_INFINITY;
    const { clock } = this.#parts.timers;
    for (let i = 0; i < BATCH; i++) {
      const byTime = this.#byTime.due - clock.nowMs;
      const bySpan = this.#bySpan.due - clock.elapsed;
      const wait = Math.min(byTime, bySpan);
      // Times are whole ms of a clock whose ms are cut off.
      if (wait > 0) return Math.min(Math.max(wait, 1), this.#msToNextSlot());
      if (this.#puts.underWay >= this.#parts.maxPending()) return Number.POSITIVE_INFINITY;
      if (this.#parts.busy()) return BUSY_SLEEP_MS;
      const heap = byTime <= bySpan ? this.#byTime : this.#bySpan;
      const piece = this.#pieces.get(heap.piece) as Piece;
      if (!piece.slot.ready) return 0;
      if (this.#mayBeRecalled(piece.slot)) return RECALL_SLEEP_MS;
      const { position } = heap;
      heap.pop();
      this.#issue(position, piece);
      if (this.#puts.hasFailed) return Number.POSITIVE_INFINITY;
    }
    return 0;
  }

  #issue(position: number, piece: Piece): void {
    const unit = this.#parts.timers.follow(this.#singleReader, position, piece.slot.slot);
    const { physical: physicalOffset, due, elapsed, writeTime, magic } = unit;
    const rolls = (magic & MAGIC_ROLL) !== 0;
    const recalls = (magic & MAGIC_DELETE) !== 0;
    if (rolls) this.#rolling += 1;
    if (recalls) this.#rollingRecalls += 1;
    const key = keyOf(this.#parts.timers, unit);
    const put: TimerPut = {
      ...{ physicalOffset, attempts: 0, piece, position, rolls, recalls },
      ...{ due, elapsed, writeTime, key },
    };
    this.#issued.add(put);
    piece.slot.begun = true;
    this.#puts.issue(put);
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
    const { piece, rolls, recalls } = put;
    if (done) {
      this.#issued.delete(put);
      this.#less(piece);
    }
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
    const next = this.#isFull ? Number.POSITIVE_INFINITY : wheel.nextFilled(this.#cursor);
    return Math.max(0, next * clock.precisionMs - AHEAD_MS - clock.nowMs);
  }

  get #horizon(): number {
    const { clock } = this.#parts.timers;
    return Math.floor((clock.nowMs + AHEAD_MS) / clock.precisionMs);
  }

  /** Those that are open before their time keep none closed whose time has come. */
  get #isFull(): boolean {
    if (this.#open.size < MAX_OPEN) return false;
    const horizon = this.#horizon;
    let near = 0;
    for (const slot of this.#open.keys()) if (slot <= horizon) near++;
    return near >= MAX_OPEN;
  }

  #hasNear(): boolean {
    return !this.#isFull && this.#parts.timers.wheel.nextFilled(this.#cursor) <= this.#horizon;
  }

  #openNear(): void {
    const { wheel } = this.#parts.timers;
    const horizon = this.#horizon;
    while (!this.#isFull) {
      let slot = wheel.nextFilled(this.#cursor);
      // A clock that was set far ahead has more than a turn of the wheel pass.
      if (slot > horizon && horizon - this.#cursor >= wheel.slots) slot = wheel.lowestFilled(this.#cursor);
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
    const { last } = timers.wheel.get(slot);
    if (last === NONE) return;
    this.#open.set(slot, new OpenSlot(slot, last, this.#parts.queueEnd(), this.before.floorOf(slot)));
  }

  /** Slots whose time is over, and of which all was delivered. */
  #finishSlots(): void {
    const { timers } = this.#parts;
    const { slot: now } = timers.clock;
    for (const open of this.#open.values())
      if (open.done && open.slot < now && !this.#mayRecall(open)) this.#finish(open);
    timers.firstSlot = this.progress.slot;
  }

  #finish(open: OpenSlot): void {
    this.#parts.timers.finish(open.slot, open.last);
    this.#open.delete(open.slot);
    this.#recalled.delete(open.recalled);
  }

  /**
   * Something that is on its way from an older slot, as when the clock was set forward by days, or that came too late
   * for its own and waits in a newer one.
   */
  #mayRecall({ slot, recalled }: OpenSlot): boolean {
    if (recalled.size === 0) return false;
    if (this.#rolling > 0 || slot > this.progress.slot) return true;
    const { clock } = this.#parts.timers;
    for (const open of this.#open.values())
      if (!open.ready || open.pieces.some(({ loaded }) => !loaded)) return true;
    const { byTime, bySpan } = this.#firstLeft();
    // Messages of a slot may be in the one beside.
    const end = (slot + 2) * clock.precisionMs;
    return byTime.due <= end || clock.machineTime(bySpan.due, true) <= end;
  }

  /** Looks at one more unit of the chain; what that has cost. */
  #mark(open: OpenSlot): number {
    const { timers } = this.#parts;
    const position = open.next();
    const unit = timers.follow(this.#reader, position, open.slot);
    const { previous } = unit;
    const recalls = isRecall(unit) && !timers.clock.hasMoved(position, unit);
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
      if (!isOver && !this.before.has(at, unit, piece.slot.slot) && !this.#isTooEarly(unit, piece)) {
        this.#wait(at, unit, piece.id);
        piece.pending += 1;
      }
      at = previous;
    }
    piece.loaded = true;
    if (piece.pending > 0) this.#pieces.set(piece.id, piece);
    return count;
  }

  #wait(position: number, unit: Readonly<TimerUnit>, piece: number): void {
    (isBySpan(unit) ? this.#bySpan : this.#byTime).push(keyOf(this.#parts.timers, unit), position, piece);
  }

  /** Whether it was put into a later slot: the clock was set forward since, and elapsed time was not. */
  #isTooEarly(unit: Readonly<TimerUnit>, { slot }: Piece): boolean {
    const { timers } = this.#parts;
    const { ahead, precisionMs } = timers.clock;
    if (!isEarlyFor(unit, slot.slot, ahead, precisionMs)) return false;
    if (this.isRecalled(unit.physical)) return true;
    const isPut = this.#putAgain(unit) !== NONE;
    slot.keepsEarly ||= !isPut;
    return isPut;
  }

  #putAgain(unit: Readonly<TimerUnit>): number {
    const slot = this.#parts.timers.put({ ...unit, recalls: false });
    if (slot !== NONE) this.added(slot);
    return slot;
  }
}

/** All of it is done, or waits in memory for its time there, or is under way. */
function isKnown({ ready, pieces, keepsEarly }: OpenSlot): boolean {
  return ready && !keepsEarly && pieces.every(({ loaded }) => loaded);
}

function markOf(heap: DueHeap): { due: number; position: number } {
  return { due: heap.due, position: heap.size === 0 ? 0 : heap.position };
}
