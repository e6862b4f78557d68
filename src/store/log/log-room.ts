/**
 * Room for what the writer is about to append. A CommitLog file has its whole size from the beginning, as RocketMQ
 * wants it, and takes as little of the disk as its log needs: it is allocated by steps, each as large as all before it
 * together. What is written was allocated before, so that a full disk refuses a message and never tears one.
 */
import type { Mapping } from '../disk/disk.ts';
import type { Segments } from './segments.ts';

/** Tries to allocate the next step ahead of need, while a step is written. */
const AHEAD_TRIES = 32;
/** What is allocated when the disk has no room for a whole step any more. */
const LAST_BYTES = 1024 * 1024;

export class LogRoom {
  readonly #segments: Segments;
  /** Position up to which the file that is written has room. */
  #end = -1;
  /** Position from which on the next step is to be allocated. */
  #aheadFrom = 0;
  #underWay = false;

  constructor(segments: Segments) {
    this.#segments = segments;
  }

  /**
   * Whether [position, +length), which lies in the file of `mapping`, may be written; allocates what is missing. When
   * not, `segments.lastError` says why.
   */
  has(mapping: Mapping, position: number, length: number): boolean {
    // A position in a later file lies behind the end of any earlier one.
    if (position + length <= this.#end) return true;
    const from = this.#segments.startOf(position) < this.#end ? this.#end : position;
    const step = this.#stepBehind(from, position + length);
    const least = Math.min(step, Math.max(position + length, from + LAST_BYTES));
    return this.#allocate(mapping, from, step) || (least < step && this.#allocate(mapping, from, least));
  }

  #allocate(mapping: Mapping, from: number, to: number): boolean {
    const outcome = mapping.reserve(this.#segments.offsetOf(from), to - from);
    if (outcome < 0) this.#segments.lastError = -outcome;
    else this.#reached(to);
    return outcome === 0;
  }

  /** Allocates the next step in the background when the writer has come near the end of this one. */
  ahead(mapping: Mapping | undefined, position: number): void {
    if (position < this.#aheadFrom || this.#underWay || mapping === undefined) return;
    const from = this.#end;
    // Of the next file, its making allocates the first step.
    if (this.#segments.startOf(position) > from || this.#segments.offsetOf(from) === 0) return;
    const to = this.#stepBehind(from, from);
    this.#aheadFrom = position + this.#segments.room / AHEAD_TRIES;
    this.#underWay = true;
    void mapping.reserveAhead(this.#segments.offsetOf(from), to - from).then((outcome) => {
      this.#underWay = false;
      // A failure is no news here: the append that needs the room tries again, and says what goes wrong then.
      if (outcome === 0 && from === this.#end) this.#reached(to);
    });
  }

  #reached(end: number): void {
    this.#end = end;
    this.#aheadFrom = end - this.#segments.room / 2;
  }

  /** End of the step that begins at `from` and holds at least what lies before `needed`. */
  #stepBehind(from: number, needed: number): number {
    const { fileSize, room } = this.#segments;
    const held = this.#segments.offsetOf(from);
    return Math.min(from - held + fileSize, Math.max(from + Math.max(room, held), needed));
  }
}
