/**
 * Telling the members of consumer groups that someone has joined or left, so that they share the queues anew. The first
 * change is told at once: whoever gives a queue away notes then how far it has come, while the one who joins already
 * asks for that. When ten thousand members leave one by one, a notice to all for each would be fifty million: what
 * changes soon after is told together, a moment later.
 */
import { Fifo } from '../lib/fifo.ts';
import type { Timers } from '../lib/timers.ts';

/** How long after a group was told its next changes wait. */
const NOTICE_MS = 100;
/** Notices in one go; then others on this thread have their turn. */
const NOTICES_TOGETHER = 2_000;

export class GroupNotices {
  readonly #timers: Timers;
  readonly #tell: (group: string) => number;
  /** Groups that were told a moment ago, and of those the ones that have changed since. */
  readonly #recent = new Set<string>();
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
    if (this.#recent.has(group)) this.#changed.add(group);
    else this.#isDue(group);
  }

  #isDue(group: string): void {
    this.#recent.add(group);
    this.#due.push(group);
    if (this.#due.size === 1) this.#timers.after(0, () => this.#tellSome());
    if (this.#waiting) return;
    this.#waiting = true;
    this.#timers.after(NOTICE_MS, () => this.#collect());
  }

  #collect(): void {
    this.#waiting = false;
    this.#recent.clear();
    const groups = [...this.#changed];
    this.#changed.clear();
    for (const group of groups) this.#isDue(group);
  }

  #tellSome(): void {
    for (let told = 0; told < NOTICES_TOGETHER; ) {
      const group = this.#due.shift();
      if (group === undefined) return;
      this.#changed.delete(group);
      told += 1 + this.#tell(group);
    }
    if (this.#due.size > 0) this.#timers.after(0, () => this.#tellSome());
  }
}
