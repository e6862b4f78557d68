/**
 * A slot whose time is near. Its chain leads from the newest unit to the oldest, so it is walked once to find recalls
 * and to cut it into pieces, and then each piece is loaded, the oldest first, as there is room. However many units a
 * slot holds, a step is short and memory bounded.
 */
import { DamagedTimers } from './damaged-timers.ts';
import type { RecalledKeys } from './recalled-keys.ts';
import { NONE, type WheelSlot } from './timer-layout.ts';

/** Units of a piece, which is loaded in one step. */
export const PIECE_UNITS = 2048;

/** Units of a slot behind `after`, up to `last`. */
export interface Chain {
  readonly slot: number;
  readonly last: number;
  readonly after: number;
}

export interface Piece {
  readonly slot: OpenSlot;
  /** Known when it is loaded. */
  id: number;
  /** Its units lie behind `after`, up to `last`. */
  readonly after: number;
  readonly last: number;
  loaded: boolean;
  /** Loaded units whose delivery has not ended. */
  pending: number;
}

export class OpenSlot {
  readonly slot: number;
  /** Units up to there are in pieces, or done. */
  marked: number;
  /** Units up to there are done. */
  floor: number;
  /** Newest unit of the chain, as far as is known. */
  last: number;
  /** Something of it was put. */
  begun = false;
  /** Units in memory that belong into a later slot, where they could not be put, or cannot yet. */
  early = 0;
  /** What is not done, the oldest first. */
  readonly pieces: Piece[] = [];
  /** Units up to there were looked at: those that were done before are at first not, and may be recalls. */
  #seen = NONE;
  /** Walks from the newest unit backwards: next position, units since the last mark, ends of pieces. */
  #at = NONE;
  #from = NONE;
  #walked = 0;
  #marks: number[] = [];
  readonly recalled: RecalledKeys;
  /** A recall may stand in the timer topic's queue up to there. */
  readonly waitsFor: number;

  /** `floor`: units up to there were delivered before. */
  constructor({ slot, first, last }: WheelSlot, waitsFor: number, recalled: RecalledKeys, floor = NONE) {
    this.slot = slot;
    this.waitsFor = waitsFor;
    this.recalled = recalled;
    // A chain that was begun since is new.
    this.marked = floor < first ? NONE : Math.min(floor, last);
    this.floor = this.marked;
    this.last = last;
  }

  /** All recalls are known, as far as the chain is. */
  get ready(): boolean {
    return this.#at === NONE && this.#seen === this.last;
  }

  /** What was looked at for recalls. */
  get looked(): Chain {
    return { slot: this.slot, last: this.#seen, after: NONE };
  }

  /** Nothing of it is left to be done. */
  get done(): boolean {
    return this.ready && this.pieces.length === 0;
  }

  /** A walk has to begin, or goes on. Position of the next unit to look at. */
  next(): number {
    if (this.#at !== NONE) return this.#at;
    this.#marks = [];
    this.#walked = 0;
    this.#from = this.last;
    this.#at = this.last;
    return this.#at;
  }

  /** The unit at `next` was looked at; `previous` comes before it. */
  pass(previous: number): void {
    if (this.#at > this.marked && previous < this.marked)
      throw new DamagedTimers(`the chain of slot ${this.slot} leads past ${this.marked} of the timer log`);
    if (this.#at > this.marked && this.#walked++ % PIECE_UNITS === 0) this.#marks.push(this.#at);
    if (previous > this.#seen) {
      this.#at = previous;
      return;
    }
    let after = this.marked;
    for (const last of this.#marks.reverse()) {
      this.pieces.push({ slot: this, id: 0, after, last, loaded: false, pending: 0 });
      after = last;
    }
    this.marked = after;
    this.#seen = this.#from;
    this.#at = NONE;
  }

  /** Passes what is done at the begin. */
  settle(): void {
    for (let [first] = this.pieces; first?.loaded && first.pending === 0; [first] = this.pieces) {
      this.floor = first.last;
      this.pieces.shift();
    }
  }
}
