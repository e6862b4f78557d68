/** A queue whose two ends cost the same however long it is: `Array.shift` moves all that is left, each time. */

const FIRST_CAPACITY = 16;

export class Fifo<T> implements Iterable<T> {
  /** Entry n stands at (head + n) modulo the length, a power of two. */
  #entries: (T | undefined)[] = new Array(FIRST_CAPACITY);
  #head = 0;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  push(entry: T): void {
    if (this.#size === this.#entries.length) this.#resize(this.#size * 2);
    this.#entries[this.#at(this.#size)] = entry;
    this.#size++;
  }

  /** The oldest entry, which stays; undefined when there is none. */
  peek(): T | undefined {
    return this.#entries[this.#head];
  }

  /** The newest entry, which stays; undefined when there is none. */
  last(): T | undefined {
    return this.#size === 0 ? undefined : this.#entries[this.#at(this.#size - 1)];
  }

  /** Takes the oldest entry; undefined when there is none. */
  shift(): T | undefined {
    if (this.#size === 0) return undefined;
    const entry = this.#entries[this.#head];
    this.#entries[this.#head] = undefined;
    this.#head = this.#at(1);
    this.#size--;
    // A burst's memory goes with the burst; half of it stays, so that a steady load does not resize all the time.
    if (this.#size * 4 < this.#entries.length && this.#entries.length > FIRST_CAPACITY) {
      this.#resize(this.#entries.length / 2);
    }
    return entry;
  }

  clear(): void {
    this.#entries = new Array(FIRST_CAPACITY);
    this.#head = 0;
    this.#size = 0;
  }

  /** Oldest first. The queue must not change meanwhile. */
  *[Symbol.iterator](): Iterator<T> {
    for (let i = 0; i < this.#size; i++) yield this.#entries[this.#at(i)] as T;
  }

  #at(n: number): number {
    return (this.#head + n) & (this.#entries.length - 1);
  }

  #resize(capacity: number): void {
    const entries: (T | undefined)[] = new Array(capacity);
    for (let i = 0; i < this.#size; i++) entries[i] = this.#entries[this.#at(i)];
    this.#entries = entries;
    this.#head = 0;
  }
}
