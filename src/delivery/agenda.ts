/**
 * What an agent without event loop has to do at which time: timers that run when they are asked to. A heap whose
 * entries know their places, so that what is put off again and again leaves nothing behind.
 */
import type { Clock } from '../lib/clock.ts';
import type { Timers } from '../lib/timers.ts';

interface Entry {
  /** Ms of the monotonic clock. */
  at: number;
  /** Entries of the same time run in the order in which they came. */
  sequence: number;
  task: () => void;
  /** In the heap; -1 while it is not there. */
  place: number;
  cancelled: boolean;
}

export class Agenda implements Timers {
  readonly #clock: Clock;
  readonly #heap: Entry[] = [];
  #sequence = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  after(delayMs: number, task: () => void): () => void {
    const at = this.#clock.monotonic() + delayMs;
    const entry: Entry = { at, sequence: this.#sequence++, task, place: -1, cancelled: false };
    this.#insert(entry);
    return () => {
      entry.cancelled = true;
      this.#remove(entry);
    };
  }

  /** Ms of the monotonic clock at which the next task is due; infinite when there is none. */
  get next(): number {
    return this.#heap[0]?.at ?? Number.POSITIVE_INFINITY;
  }

  /** Runs what is due, but not what it puts on the agenda itself; returns how many tasks that were. */
  run(): number {
    const now = this.#clock.monotonic();
    const known = this.#sequence;
    const kept: Entry[] = [];
    let done = 0;
    for (let first = this.#heap[0]; first !== undefined && first.at <= now; first = this.#heap[0]) {
      this.#remove(first);
      if (first.sequence >= known) {
        kept.push(first);
        continue;
      }
      first.task();
      done++;
    }
    for (const entry of kept) if (!entry.cancelled) this.#insert(entry);
    return done;
  }

  #insert(entry: Entry): void {
    entry.place = this.#heap.length;
    this.#heap.push(entry);
    this.#up(entry);
  }

  #remove(entry: Entry): void {
    if (entry.place < 0) return;
    const last = this.#heap.pop() as Entry;
    if (last !== entry) {
      last.place = entry.place;
      this.#heap[last.place] = last;
      this.#up(last);
      this.#down(last);
    }
    entry.place = -1;
  }

  #up(entry: Entry): void {
    while (entry.place > 0) {
      const parent = this.#heap[(entry.place - 1) >> 1] as Entry;
      if (!isBefore(entry, parent)) return;
      this.#swap(entry, parent);
    }
  }

  #down(entry: Entry): void {
    for (;;) {
      const left = this.#heap[2 * entry.place + 1];
      const right = this.#heap[2 * entry.place + 2];
      const child = right !== undefined && left !== undefined && isBefore(right, left) ? right : left;
      if (child === undefined || !isBefore(child, entry)) return;
      this.#swap(child, entry);
    }
  }

  #swap(a: Entry, b: Entry): void {
    const place = a.place;
    a.place = b.place;
    b.place = place;
    this.#heap[a.place] = a;
    this.#heap[b.place] = b;
  }
}

function isBefore(a: Entry, b: Entry): boolean {
  return a.at < b.at || (a.at === b.at && a.sequence < b.sequence);
}
