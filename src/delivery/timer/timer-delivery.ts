/**
 * Delivers what is in the wheel: slots are opened a little before their time (slot-loader.ts), their units wait in two
 * heaps, one for each clock, and each is put at its exact time. Nothing is put from a slot before all recalls in it are
 * known.
 */
import { MAX_RECALLED_KEYS } from '../../lib/limits.ts';
import type { ControlLog } from '../../lib/log.ts';
import type { BeginPut, InternalMessage, PutResult } from '../../store/put/put-message.ts';
import type { StoreReads } from '../../store/read/store-reads.ts';
import type { ActedBefore } from '../acting/acted-timers.ts';
import { DuePuts, type DuePutsParts } from '../due-puts.ts';
import { type Begun, DeliveredBefore, isBySpan, isEarlyFor, keyOf } from './begun.ts';
import { DueHeap, isBefore } from './due-heap.ts';
import { OpenSlots } from './open-slots.ts';
import { DoubtfulPuts, RecallSearch } from './recall-search.ts';
import { type KeyDigest, type RecalledKeys, RecallRoom } from './recalled-keys.ts';
import { type OpenSlot, PIECE_UNITS, type Piece } from './slot-loader.ts';
import { TimedMessages, type TimerPut } from './timed-messages.ts';
import { MAX_PARTLY, type PartlyDelivered, type PartSlot } from './timer-check.ts';
import { isRecall, MAGIC_DELETE, MAGIC_ROLL, NONE, type TimerUnit } from './timer-layout.ts';
import type { TimerMark } from './timer-mark.ts';
import type { TimerStore } from './timer-store.ts';

/** Units that wait in memory. A slot with more is delivered piece by piece. */
const MAX_WAITING = 256 * 1024;
/** Messages that one turn puts before others get theirs, and units that it reads. */
const BATCH = 64;
const READ_UNITS = PIECE_UNITS;
/** The ring to the writer is shared: who finds it full looks again after this. */
const BUSY_SLEEP_MS = 2;
/** A recall that is on its way is there soon. */
const RECALL_SLEEP_MS = 2;

export interface TimerDeliveryParts {
  timers: TimerStore;
  store: Pick<StoreReads, 'recordAt'>;
  put: BeginPut;
  /** What the put of the record at `position` has come to, where that is not its result. */
  outcome?: ((position: number, message: InternalMessage, result: PutResult) => PutResult) | undefined;
  /** Those that were delivered while this broker was away. */
  acted: Pick<ActedBefore, 'has'>;
  busy: () => boolean;
  /** Whether anybody is to get the message. */
  isNeeded: (message: InternalMessage) => boolean;
  /** The message is put, the first time. */
  delivers: (message: InternalMessage) => void;
  /** A message of a topic with this hash has left the wheel. */
  left: (topicHash: number) => void;
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
  readonly slots: OpenSlots;
  readonly #pieces = new Map<number, Piece>();
  readonly recallRoom: RecallRoom;
  readonly #doubtful: DoubtfulPuts;
  /** What was rolled, and is not in the wheel again; the recalls among it. */
  #rolling = 0;
  #rollingRecalls = 0;
  #lastPiece = 0;
  /** What was delivered in part before the start is known of the open slots again. Nothing is put before. */
  resumed = false;
  readonly #reader;
  readonly #singleReader;
  readonly before: DeliveredBefore;
  /** Issued and not ended. */
  readonly #issued = new Set<TimerPut>();

  constructor(parts: TimerDeliveryParts, begun: Begun) {
    this.#parts = parts;
    this.before = new DeliveredBefore(parts.timers, begun);
    this.#reader = parts.timers.reader();
    this.#singleReader = parts.timers.reader();
    this.messages = new TimedMessages(parts.timers, parts.store);
    this.recallRoom = new RecallRoom(parts.recalledKeys ?? MAX_RECALLED_KEYS);
    const { before, messages, recallRoom } = this;
    const { timers, queueEnd } = parts;
    this.slots = new OpenSlots({ timers, messages, before, recallRoom, queueEnd }, begun.slot);
    this.#doubtful = new DoubtfulPuts(new RecallSearch(parts.timers, this.messages));
    this.#puts = new DuePuts<TimerPut>({
      log: parts.log,
      store: parts.store,
      put: this.#put(parts),
      busy: parts.busy,
      what: 'timed message',
      fieldsOf: ({ physicalOffset }) => ({ position: physicalOffset }),
      messageOf: (record, entry) => {
        if (parts.acted.has(entry.physicalOffset, record)) return undefined;
        const message = this.messages.of(record, entry, this.slots.recalled);
        if (typeof message === 'object' && !parts.isNeeded(message)) return undefined;
        if (typeof message === 'object' && entry.attempts === 1) parts.delivers(message);
        return message;
      },
      ended: (entry, done, stored) => this.#ended(entry, done, stored),
    });
  }

  #put({ put, outcome }: TimerDeliveryParts): DuePutsParts<TimerPut>['put'] {
    if (outcome === undefined) return put;
    return (message, done, { physicalOffset }) =>
      put(message, (result) => done(outcome(physicalOffset, message, result)));
  }

  /** What of the open slots has been delivered: everything that comes before what waits, or is under way. */
  get partly(): PartlyDelivered {
    const slots = [
      ...[...this.slots.values()].filter(isKnown).map((open): PartSlot => [open.slot, open.last, open.done]),
      ...[...this.#parts.timers.finishedSlots].map(([slot, last]): PartSlot => [slot, last, true]),
    ].sort(([a], [b]) => a - b);
    return { ...this.#firstLeft(), slots: slots.slice(0, MAX_PARTLY) };
  }

  /** Whether all that was due then has been put, as far as it was in the wheel. */
  hasPassed({ time, elapsed }: TimerMark): boolean {
    if (!this.resumed || this.#puts.hasFailed || this.#doubtful.size > 0 || this.slots.hasNear) return false;
    const last = Math.floor(time / this.#parts.timers.clock.precisionMs);
    for (const open of this.slots.values()) if (open.slot <= last && !isKnown(open)) return false;
    const { byTime, bySpan } = this.#firstLeft();
    return byTime.due > time && bySpan.due > elapsed;
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

  /** Units that wait in memory. */
  get waiting(): number {
    return this.#byTime.size + this.#bySpan.size;
  }

  /** An entry of the queue was put into a slot. */
  enqueued(slot: number, rolled: boolean, recalls: boolean): void {
    if (rolled) this.#rolled(recalls);
    this.slots.added(slot);
  }

  #rolled(recalls: boolean): void {
    this.#rolling = Math.max(0, this.#rolling - 1);
    if (recalls) this.#rollingRecalls = Math.max(0, this.#rollingRecalls - 1);
  }

  /** See OpenSlots. */
  goBack(slot: number): void {
    this.#pieces.clear();
    this.slots.goBack(slot);
  }

  /** Takes all units that wait in memory, also for a put to be repeated, which may not be under way. */
  takeAll(): { position: Float64Array; piece: Piece[] } {
    for (const put of [...this.#puts.takeFailed(), ...this.#doubtful.takeAll()]) {
      this.#issued.delete(put);
      if (put.early) put.piece.slot.early -= 1;
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
    if (!this.#begin(position, unit, piece)) this.#less(piece);
  }

  /** Whether the message at `physical` was recalled in an open slot, or among `others`; see TimedMessages. */
  isRecalled(physical: number, ...others: RecalledKeys[]): boolean | KeyDigest {
    return this.messages.isRecalled(physical, [...this.slots.recalled, ...others]);
  }

  /** Opens slots and reads units, a bounded number. Whether it has more to read at once. */
  prepare(): boolean {
    this.#finishSlots();
    this.slots.openNear();
    let budget = READ_UNITS;
    // What was put further on has to be in the log before it is followed.
    if (this.#parts.timers.log.isStaged) return true;
    // All recalls first: one in the slot beside is to be known before its message is put further on.
    for (const open of this.slots.values()) {
      while (!open.ready && budget > 0) budget -= this.slots.mark(open);
      if (budget <= 0) return true;
    }
    for (const open of this.slots.values()) {
      if (this.#parts.timers.log.isStaged) return true;
      for (const piece of open.pieces) {
        if (piece.loaded) continue;
        if (this.waiting + PIECE_UNITS > MAX_WAITING || this.#doubtful.isFull) {
          this.resumed = true;
          return false;
        }
        budget -= this.#load(piece);
        if (budget <= 0) return true;
      }
      open.settle();
    }
    this.#finishSlots();
    this.resumed ||= !this.slots.hasNear;
    return this.slots.hasNear;
  }

  /** Puts what is due, a bounded number. ms after which there is more to do; infinite when nothing waits. */
  issue(): number {
    if (this.#puts.hasFailed || !this.resumed) return Number.POSITIVE_INFINITY;
    const { clock } = this.#parts.timers;
    for (let i = 0; i < BATCH; i++) {
      const byTime = this.#byTime.due - clock.nowMs;
      const bySpan = this.#bySpan.due - clock.elapsed;
      const wait = this.#doubtful.decided.size > 0 ? 0 : Math.min(byTime, bySpan);
      if (this.#doubtful.isFull || this.#doubtful.isSearching || (wait > 0 && this.#doubtful.size > 0))
        return this.#decide();
      // Times are whole ms of a clock whose ms are cut off.
      if (wait > 0) return Math.min(Math.max(wait, 1), this.slots.msToNext);
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
      piece.slot.begun = true;
      this.#puts.issue(this.#putOf(position, unit, piece));
      if (this.#puts.hasFailed) return Number.POSITIVE_INFINITY;
    }
    return 0;
  }

  /** One step of finding out which of the doubtful ones were recalled. */
  #decide(): number {
    const { clock } = this.#parts.timers;
    const chains = () => this.slots.partialRecalls;
    const recalled = this.#doubtful.step(chains, (at, unit) => !clock.hasMoved(at, unit));
    for (const put of recalled) {
      this.#left(put);
      this.#passed(put);
    }
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

  /** It waits in the wheel no more. */
  #left({ topicHash, recalls }: TimerPut): void {
    if (!recalls) this.#parts.left(topicHash);
  }

  #passed(put: TimerPut): void {
    this.#issued.delete(put);
    if (put.early) put.piece.slot.early -= 1;
    this.#less(put.piece);
  }

  #putOf(position: number, unit: Readonly<TimerUnit>, piece: Piece, doubt?: KeyDigest): TimerPut {
    const { physical: physicalOffset, due, elapsed, writeTime, magic, topicHash } = unit;
    const rolls = (magic & MAGIC_ROLL) !== 0;
    const recalls = (magic & MAGIC_DELETE) !== 0;
    if (rolls) this.#rolling += 1;
    if (recalls) this.#rollingRecalls += 1;
    const key = keyOf(this.#parts.timers, unit);
    const put: TimerPut = {
      physicalOffset,
      attempts: 0,
      piece,
      position,
      rolls,
      recalls,
      topicHash,
      due,
      elapsed,
      writeTime,
      key,
      early: doubt !== undefined,
      doubt,
      decided: false,
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
    if (done && put.doubt === undefined) this.#left(put);
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

  /** Slots whose time is over, and of which all was delivered. */
  #finishSlots(): void {
    const { timers } = this.#parts;
    const { slot: now } = timers.clock;
    for (const open of this.slots.values())
      if (open.done && open.slot < now && !this.#mayRecall(open)) this.slots.finish(open);
    timers.firstSlot = this.slots.progress.slot;
  }

  /**
   * Something that is on its way from an older slot, as when the clock was set forward by days, or that came too late
   * for its own and waits in a newer one.
   */
  #mayRecall({ slot, recalled }: OpenSlot): boolean {
    if (recalled.isEmpty) return false;
    if (this.#rolling > 0 || slot > this.slots.progress.slot) return true;
    if (recalled.isPartial && this.#doubtful.size > 0) return true;
    const { clock } = this.#parts.timers;
    for (const open of this.slots.values())
      if (!open.ready || open.pieces.some(({ loaded }) => !loaded)) return true;
    const { byTime, bySpan } = this.#firstLeft();
    // Spans of a slot may be due in the one beside, as the clock was set; a time that is due there is not of the slot.
    const end = (slot + 1) * clock.precisionMs;
    return byTime.due <= end || clock.machineTime(bySpan.due, true) <= end + clock.precisionMs;
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
      if (!isOver && !this.before.has(at, unit, piece.slot.slot) && this.#begin(at, unit, piece))
        piece.pending += 1;
      at = previous;
    }
    piece.loaded = true;
    if (piece.pending > 0) this.#pieces.set(piece.id, piece);
    return count;
  }

  #wait(position: number, unit: Readonly<TimerUnit>, piece: number): void {
    (isBySpan(unit) ? this.#bySpan : this.#byTime).push(keyOf(this.#parts.timers, unit), position, piece);
  }

  /** Lets a unit wait; false when there is nothing to wait for, or it was put into the later slot that it is for. */
  #begin(position: number, unit: Readonly<TimerUnit>, piece: Piece): boolean {
    const { ahead, precisionMs } = this.#parts.timers.clock;
    // The clock was set forward, and elapsed time was not.
    if (isEarlyFor(unit, piece.slot.slot, ahead, precisionMs)) {
      const known = this.isRecalled(unit.physical);
      if (typeof known !== 'string' && (known || this.#putAgain(unit) !== NONE)) return false;
      piece.slot.early += 1;
      if (typeof known === 'string') {
        this.#doubtful.add(this.#putOf(position, unit, piece, known));
        return true;
      }
    }
    this.#wait(position, unit, piece.id);
    return true;
  }

  #putAgain(unit: Readonly<TimerUnit>): number {
    const { timers } = this.#parts;
    const slot = timers.put(timers.waitingOf(unit));
    if (slot !== NONE) this.slots.added(slot);
    return slot;
  }
}

/** All of it is done, or waits in memory for its time there, or is under way. */
function isKnown({ ready, pieces, early }: OpenSlot): boolean {
  return ready && early === 0 && pieces.every(({ loaded }) => loaded);
}

function markOf(heap: DueHeap): { due: number; position: number } {
  return { due: heap.due, position: heap.size === 0 ? 0 : heap.position };
}
