/**
 * Which half message is whose copy: a check puts one at the end of the half queue, and from then on only that one is
 * open. An end may name any of them, because its producer has heard of the first, or of the copy of an earlier check.
 */
import { ForeignCopies } from './foreign-copies.ts';

/** Given-up transactions that their producers may still end. */
export const MAX_GIVEN_UP = 10_000;

export class Copies {
  /** Of the broker that had the store before. */
  readonly foreign = new ForeignCopies();
  /** Offset of the newest copy, by that of the first half message, while it is open. */
  readonly #newest = new Map<number, number>();
  readonly #firsts = new Map<number, number>();
  readonly #givenUp = new Set<number>();
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

  /** Nobody is asked any more about the message that was first at `first`. */
  giveUp(first: number): void {
    this.#givenUp.add(first);
    if (this.#givenUp.size <= MAX_GIVEN_UP) return;
    const [oldest] = this.#givenUp;
    if (oldest === undefined) return;
    this.#givenUp.delete(oldest);
    this.foreign.forget(oldest);
  }

  /** Whether that message was given up lately, and has not been ended since. */
  isGivenUp(first: number): boolean {
    return this.#givenUp.has(first);
  }

  /** Its producer ends it after all; if that fails it is given up again. */
  takeBack(first: number): void {
    this.#givenUp.delete(first);
  }
}
