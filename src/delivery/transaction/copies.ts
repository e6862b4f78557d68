/**
 * Which half message is whose copy: a check puts one at the end of the half queue, and from then on only that one is
 * open. An end may name any of them, because its producer has heard of the first, or of the copy of an earlier check.
 */
import { MAX_GIVEN_UP, MAX_OPS_AFTER_GIVE_UP } from '../../lib/limits.ts';
import { ForeignCopies } from './foreign-copies.ts';

export class Copies {
  /** Of the broker that had the store before. */
  readonly foreign = new ForeignCopies();
  /** Offset of the newest copy, by that of the first half message, while it is open. */
  readonly #newest = new Map<number, number>();
  readonly #firsts = new Map<number, number>();
  /** Where the op queue ended when a transaction was given up, by the offset of its first half message. */
  readonly #givenUp = new Map<number, number>();
  /** Copies that are stored, but not seen in the queue yet: when they may be checked. */
  readonly #expected = new Map<number, number>();

  /** The copy at `offset` is the newest of the message that was first at `first`. */
  add(first: number, offset: number): void {
    this.#firsts.delete(this.#newest.get(first) ?? -1);
    this.#newest.set(first, offset);
    this.#firsts.set(offset, first);
  }

  /** Of the message that was first at `first`; undefined when it has none that is open. */
  newestOf(first: number): number | undefined {
    return this.#newest.get(first);
  }

  hasEnded(offset: number): void {
    const first = this.#firsts.get(offset) ?? offset;
    this.#firsts.delete(offset);
    if (this.#newest.get(first) === offset) this.#newest.delete(first);
    if (!this.#newest.has(first) && !this.#givenUp.has(first)) this.foreign.forget(first);
  }

  /** The copy at `offset` will be met in the queue. `due`: when it may be checked, ms of the monotonic clock. */
  expect(offset: number, due: number): void {
    this.#expected.set(offset, due);
  }

  /** The one at `offset` was met in the queue: when it may be checked, if it is such a copy. */
  met(offset: number): number | undefined {
    const due = this.#expected.get(offset);
    if (due !== undefined) this.#expected.delete(offset);
    return due;
  }

  /** Nobody is asked any more about the message that was first at `first`. `opEnd`: end of the op queue then. */
  giveUp(first: number, opEnd: number): void {
    this.#givenUp.delete(first);
    this.#givenUp.set(first, opEnd);
    if (this.#givenUp.size <= MAX_GIVEN_UP) return;
    const [oldest] = this.#givenUp.keys();
    if (oldest !== undefined) this.endLate(oldest);
  }

  /** Whether that message was given up so lately that a restart would know of it, and has not been ended since. */
  isGivenUp(first: number, opEnd: number): boolean {
    const givenUpAt = this.#givenUp.get(first);
    return givenUpAt !== undefined && opEnd - givenUpAt <= MAX_OPS_AFTER_GIVE_UP;
  }

  /** Offsets of the first half messages of all that were given up. */
  givenUp(): number[] {
    return [...this.#givenUp.keys()];
  }

  /** Its producer has ended it after all, or it is too long ago that it was given up. */
  endLate(first: number): void {
    if (this.#givenUp.delete(first)) this.foreign.forget(first);
  }
}
