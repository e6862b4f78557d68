/**
 * Telling the members of consumer groups that someone has joined or left, so that they share the queues anew. When ten
 * thousand members leave one by one, a notice to all for each would be fifty million: a group that has changed is told
 * once, a moment later, of everything that has happened until then.
 */
import { Fifo } from '../lib/fifo.ts';
import type { Timers } from '../lib/timers.ts';

/** How long after a change its group is told. Clients ask for the members then, so sooner is not better. */
const NOTICE_MS = 100;
/** Notices in one go; then others on this thread have their turn. */
const NOTICES_TOGETHER = 2_000;

export class GroupNotices {
  readonly #timers: Timers;
  readonly #tell: (group: string) => number;
  /** Groups whose last change is not told yet, and whether their time has come. */
  readonly #changed = new Set<string>();
  readonly #due = new Fifo<string>();
  #waiting = false;

  /** `tell` notifies whoever is in the group then; returns how many those were. */
  constructor(timers: Timers, tell: (group: string) => number) {
    this.#timers = timers;
    this.#tell = tell;
  }

  /** The group has changed: its members will be told. */
  changed(group: string): void {
    if (this.#changed.has(group)) return;
    this.#changed.add(group);
    if (this.#waiting) return;
    this.#waiting = true;
    this.#timers.after(NOTICE_MS, () => this.#collect());
  }

  #collect(): void {
    this.#waiting = false;
    const idle = this.#due.size === 0;
    for (const group of this.#changed) this.#due.push(group);
    // What changes from here on has a time of its own.
    this.#changed.clear();
    if (idle) this.#tellSome();
  }

  #tellSome(): void {
    for (let told = 0; told < NOTICES_TOGETHER; ) {
      const group = this.#due.shift();
      if (group === undefined) return;
      told += 1 + this.#tell(group);
    }
    if (this.#due.size > 0) this.#timers.after(0, () => this.#tellSome());
  }
}
