/**
 * When descriptors, memory or room run out, an agent pauses and tries again: others give them back. Control hears of it
 * once, and once more when it is over.
 */
import { systemClock } from '../lib/clock.ts';
import { report } from '../ring/reports.ts';
import { errnoName, isFull } from './disk/errors.ts';

/** Between two tries. */
const PAUSE_MS = 500;

export class Shortage {
  readonly #what: string;
  readonly #now: () => number;
  readonly #report: typeof report;
  #until = 0;
  #reported = false;

  /** `what` cannot be done meanwhile; the start of a sentence. */
  constructor(what: string, now = systemClock.monotonic, tell = report) {
    this.#what = what;
    this.#now = now;
    this.#report = tell;
  }

  /** Something has run out: `pausing` from now on, for a while. */
  met(errno: number): void {
    this.#until = this.#now() + PAUSE_MS;
    if (this.#reported) return;
    this.#reported = true;
    const [level, words] = isFull(errno)
      ? (['error', 'there is no room on the disk: free some'] as const)
      : (['warn', 'the system has run out of something'] as const);
    this.#report({ reason: errnoName(errno) }, `${this.#what} has to wait: ${words}`, level);
  }

  /** It worked. */
  over(): void {
    this.#until = 0;
    if (!this.#reported) return;
    this.#reported = false;
    this.#report({}, `${this.#what} goes on`, 'info');
  }

  get pausing(): boolean {
    return this.#until !== 0 && this.#now() < this.#until;
  }

  /** Met, and not over yet. */
  get lasts(): boolean {
    return this.#until !== 0;
  }
}
