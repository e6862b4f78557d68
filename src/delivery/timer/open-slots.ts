/**
 * The slots whose time is near, with the recalls that stand in them. They are opened in order a little before their
 * time; earlier only what got something that belongs into an earlier one. Nothing of a slot is put before all recalls
 * in it are known (slot-loader.ts).
 */
import type { DeliveredBefore } from './begun.ts';
import { RECALL_COST } from './recall-search.ts';
import { RecalledKeys, type RecallRoom } from './recalled-keys.ts';
import { type Chain, OpenSlot, PIECE_UNITS } from './slot-loader.ts';
import type { TimedMessages } from './timed-messages.ts';
import { isRecall, NONE } from './timer-layout.ts';
import type { Steps, TimerStore } from './timer-store.ts';

/** Slots are opened so long before their time. */
const AHEAD_MS = 1_000;
/** Slots that are open at a time, but for those that get something after their time, or are opened before it. */
const MAX_OPEN = 64;

export interface OpenSlotsParts {
  timers: TimerStore;
  messages: TimedMessages;
  before: DeliveredBefore;
  recallRoom: RecallRoom;
  /** Where the queue of the timer topic ends. */
  queueEnd: () => number;
}

export class OpenSlots {
  readonly #parts: OpenSlotsParts;
  readonly #open = new Map<number, OpenSlot>();
  /** Of the open slots, where there are some: what is recalled may have come into the slot beside. */
  readonly #recalled = new Set<RecalledKeys>();
  readonly #reader;
  /** First slot that was never opened. */
  #cursor: number;

  /** Slots before `first` are over. */
  constructor(parts: OpenSlotsParts, first: number) {
    this.#parts = parts;
    this.#cursor = first;
    this.#reader = parts.timers.reader();
  }

  values(): Iterable<OpenSlot> {
    return this.#open.values();
  }

  get recalled(): ReadonlySet<RecalledKeys> {
    return this.#recalled;
  }

  /** Where recalls stand that found no room in memory. */
  get partialRecalls(): Chain[] {
    return [...this.#open.values()].filter(({ recalled }) => recalled.isPartial).map(({ looked }) => looked);
  }

  /** First slot of which something may be left to deliver, and how far in its chain all is. */
  get progress(): { slot: number; floor: number } {
    let slot = this.#cursor;
    for (const open of this.#open.keys()) slot = Math.min(slot, open);
    return { slot, floor: this.#open.get(slot)?.floor ?? this.#parts.before.floorOf(slot) };
  }

  /** Slots before it have come: what was put into them and waits no more was delivered. */
  get passed(): number {
    const begun = this.#parts.before.partly;
    for (const open of this.#open.values()) if (open.begun) begun.push(open.slot);
    return begun.reduce((passed, part) => Math.max(passed, part + 1), this.#cursor);
  }

  /** A unit was put into a slot. */
  added(slot: number): void {
    const { timers } = this.#parts;
    // Then it may be due before the slot begins.
    if (timers.shifted) this.#openSlot(slot);
    const open = this.#open.get(slot);
    if (open !== undefined) open.last = timers.wheel.get(slot).last;
    else if (slot < this.#cursor) this.#openSlot(slot);
  }

  /**
   * Slots from this one on come, again when the machine's clock was set back; no unit may wait in memory. What stands
   * in later slots than its own is due before those.
   */
  goBack(slot: number): void {
    this.#cursor = Math.min(this.progress.slot, slot);
    for (const { recalled } of this.#open.values()) recalled.release();
    this.#open.clear();
    this.#recalled.clear();
    for (const displaced of this.#parts.timers.displacedSlots) this.#openSlot(displaced);
  }

  /** All of the slot was delivered. */
  finish({ slot, last, recalled }: OpenSlot): void {
    this.#parts.timers.finish(slot, last);
    this.#open.delete(slot);
    this.#recalled.delete(recalled);
    recalled.release();
  }

  /** ms until a slot has to be opened. */
  get msToNext(): number {
    const { wheel, clock } = this.#parts.timers;
    const next = this.#isFull ? Number.POSITIVE_INFINITY : wheel.nextFilled(this.#cursor);
    return Math.max(0, next * clock.precisionMs - AHEAD_MS - clock.nowMs);
  }

  /** There is one to be opened now. */
  get hasNear(): boolean {
    return !this.#isFull && this.#parts.timers.wheel.nextFilled(this.#cursor) <= this.#horizon;
  }

  openNear(): void {
    const { wheel } = this.#parts.timers;
    const horizon = this.#horizon;
    while (!this.#isFull) {
      const slot = wheel.nextFilled(this.#cursor);
      if (slot > horizon) {
        this.#cursor = Math.max(this.#cursor, horizon + 1);
        return;
      }
      this.#openSlot(slot);
      this.#cursor = slot + 1;
    }
  }

  /** Finds all recalls of the slots that are open, or to be opened; undefined between two pieces. */
  *markAll(): Steps {
    this.openNear();
    let read = 0;
    for (const open of this.#open.values())
      while (!open.ready) {
        read += this.mark(open);
        if (read < PIECE_UNITS) continue;
        read = 0;
        yield;
      }
  }

  /** Looks at one more unit of the chain; what that has cost. */
  mark(open: OpenSlot): number {
    const { timers, messages } = this.#parts;
    const position = open.next();
    const unit = timers.follow(this.#reader, position, open.slot);
    const { previous } = unit;
    const recalls = isRecall(unit) && !timers.clock.hasMoved(position, unit);
    if (recalls) messages.check(unit);
    if (recalls && messages.noteRecall(unit.physical, open.recalled)) this.#recalled.add(open.recalled);
    open.pass(previous);
    return recalls ? RECALL_COST : 1;
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

  #openSlot(slot: number): void {
    const { timers, before, queueEnd, recallRoom } = this.#parts;
    if (this.#open.has(slot) || timers.finishedSlots.has(slot)) return;
    const chain = timers.wheel.get(slot);
    if (chain.last === NONE) return;
    const recalled = new RecalledKeys(recallRoom);
    this.#open.set(slot, new OpenSlot(chain, queueEnd(), recalled, before.floorOf(slot)));
  }
}
