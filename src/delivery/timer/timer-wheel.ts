/**
 * The timing wheel: a sparse file of slots (timer-layout.ts), each the head of a chain in the timer log. The slot of a
 * time is found by its number; a slot that holds another number is empty. Which slots hold something is known in
 * memory, by place and by number, so that nobody reads a million of them to find the next one.
 */
import { modulo } from '../../lib/modulo.ts';
import type { RangeFile } from '../../store/disk/disk.ts';
import { DamagedTimers } from './damaged-timers.ts';
import { SlotSet } from './slot-set.ts';
import { isSlot, isUnsealed, NONE, readSlot, SLOT_BYTES, type WheelSlot, writeSlot } from './timer-layout.ts';

/** Slots that one step of `scan` looks at. */
const SCANNED_SLOTS = 2048;

export class TimerWheel {
  readonly slots: number;
  /** errno of the last write or read that failed. */
  errno = 0;
  readonly #file: RangeFile;
  /** A bit for each place that holds something; the numbers of those slots. */
  readonly #filled: Uint32Array;
  readonly #slots = new SlotSet();
  /** By place: messages less recalls, as the slots say. */
  readonly #counts: Int32Array;
  #count = 0;
  /** By place: what has been set and not been written. */
  readonly #staged = new Map<number, WheelSlot>();
  readonly #bytes = new Uint8Array(SLOT_BYTES);
  readonly #view = new DataView(this.#bytes.buffer);
  constructor(file: RangeFile, slots: number) {
    this.#file = file;
    this.slots = slots;
    this.#filled = new Uint32Array(Math.ceil(slots / 32));
    this.#counts = new Int32Array(slots);
  }

  /** Slots that hold something. */
  get filled(): number {
    return this.#slots.size;
  }

  /** Messages less recalls in all slots. */
  get count(): number {
    return this.#count;
  }

  /** The same of the slots in [from, to). */
  countWithin(from: number, to: number): number {
    let count = 0;
    for (let slot = this.#slots.next(from); slot < to; slot = this.#slots.next(slot + 1))
      count += this.#counts[modulo(slot, this.slots)] as number;
    return count;
  }

  /**
   * What stands in the place of a slot, whatever its number. Throws DamagedTimers when that cannot be read, or is no
   * longer what it was: a slot taken for empty would be passed over with all its messages.
   */
  at(slot: number): WheelSlot {
    const place = modulo(slot, this.slots);
    const staged = this.#staged.get(place);
    if (staged !== undefined) return staged;
    if (!this.#isFilled(place)) return { slot, first: NONE, last: NONE, count: 0 };
    const read = this.#file.read(place * SLOT_BYTES, this.#bytes, 0, SLOT_BYTES);
    if (read !== SLOT_BYTES)
      throw new DamagedTimers(`slot ${slot} of the wheel cannot be read (errno ${Math.max(0, -read)})`);
    const found = readSlot(this.#view, 0);
    if (found.slot <= 0 || found.last < 0 || !isSlot(found, place, this.slots) || isUnsealed(this.#view, 0))
      throw new DamagedTimers(`slot ${slot} of the wheel is not what was written there`);
    return found;
  }

  get(slot: number): WheelSlot {
    const found = this.at(slot);
    return found.slot === slot ? found : { slot, first: NONE, last: NONE, count: 0 };
  }

  set(slot: WheelSlot): void {
    const place = modulo(slot.slot, this.slots);
    // Of another turn of the wheel.
    if (this.#isFilled(place) && !this.#slots.has(slot.slot)) this.#slots.delete(this.at(slot.slot).slot);
    this.#staged.set(place, slot);
    this.#mark(slot, place);
  }

  clear(slot: number): void {
    this.set({ slot, first: NONE, last: NONE, count: 0 });
  }

  /** Writes what was set. False when the disk refuses: it may be written later. */
  flush(): boolean {
    for (const [place, slot] of this.#staged) {
      writeSlot(this.#view, 0, slot);
      const written = this.#file.write(place * SLOT_BYTES, this.#bytes, 0, SLOT_BYTES);
      this.errno = Math.max(0, -written);
      if (written < 0) return false;
      this.#staged.delete(place);
    }
    return true;
  }

  /** Number of the lowest slot at or behind `slot` that holds something, however far ahead; infinite = none. */
  nextFilled(slot: number): number {
    return this.#slots.next(slot);
  }

  /** All slots that hold something, in any order, whatever their numbers; undefined between two pieces. */
  *chains(): Generator<WheelSlot | undefined> {
    for (let place = 0; place < this.slots; place++) {
      if (place % SCANNED_SLOTS === 0) yield undefined;
      if (this.#isFilled(place)) yield this.at(place);
    }
  }

  /**
   * Reads the file, to be done once: finds what is filled. What RocketMQ may have changed (`isForeign`) is sealed
   * once more. Yields between two pieces.
   */
  *scan(isForeign: boolean): Generator<undefined> {
    const block = new Uint8Array(SCANNED_SLOTS * SLOT_BYTES);
    const view = new DataView(block.buffer);
    for (let from = 0; from < this.slots; from += SCANNED_SLOTS) {
      const wanted = Math.min(SCANNED_SLOTS, this.slots - from) * SLOT_BYTES;
      const read = this.#file.read(from * SLOT_BYTES, block, 0, wanted);
      if (read !== wanted) {
        this.errno = Math.max(0, -read);
        return;
      }
      for (let at = 0; at < wanted; at += SLOT_BYTES)
        this.#scanSlot(view, at, from + at / SLOT_BYTES, isForeign);
      if (isForeign && !this.flush()) return;
      yield;
    }
  }

  #scanSlot(view: DataView, at: number, place: number, isForeign: boolean): void {
    const found = readSlot(view, at);
    const isUnsealedNow = isUnsealed(view, at);
    if (!isSlot(found, place, this.slots) || (isUnsealedNow && !isForeign))
      throw new DamagedTimers(`place ${place} of the wheel does not hold what was written there`);
    // RocketMQ's wheel is made of zeros: those are no chain.
    if (found.slot === 0) return;
    if (isUnsealedNow) this.set(found);
    else this.#mark(found, place);
  }

  /** See TimerLog.touch. */
  touch(): boolean {
    const read = this.#file.read(0, this.#bytes, 0, SLOT_BYTES);
    return read === SLOT_BYTES && this.#file.write(0, this.#bytes, 0, SLOT_BYTES) === SLOT_BYTES;
  }

  close(): void {
    this.#file.close();
  }

  #isFilled(place: number): boolean {
    return (((this.#filled[place >> 5] as number) >>> (place & 31)) & 1) === 1;
  }

  #mark({ slot, last, count }: WheelSlot, place: number): void {
    const filled = last !== NONE;
    this.#count += count - (this.#counts[place] as number);
    this.#counts[place] = count;
    if (filled) this.#slots.add(slot);
    else this.#slots.delete(slot);
    if (this.#isFilled(place) === filled) return;
    this.#filled[place >> 5] = (this.#filled[place >> 5] as number) ^ (1 << (place & 31));
  }
}
