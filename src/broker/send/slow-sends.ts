/** Sends that took long, of one network thread: how many since the last line about them, and where the slowest was. */
import { type SlowLog, tellSlow } from '../../ring/step-clock.ts';

export class SlowSends {
  readonly #limitMs: number;
  #count = 0;
  #slowest = 0;
  #writtenMs = 0;

  /** `limitMs`: from which on a send is slow; 0 = none is. */
  constructor(limitMs: number) {
    this.#limitMs = limitMs === 0 ? Number.POSITIVE_INFINITY : limitMs;
  }

  /** A send is answered: ms of the monotonic clock when it came, when the writer had it in the log, and now. */
  done(sentAt: number, writtenAt: number, now: number): void {
    const took = now - sentAt;
    if (took < this.#limitMs) return;
    this.#count += 1;
    if (took <= this.#slowest) return;
    this.#slowest = took;
    this.#writtenMs = writtenAt - sentAt;
  }

  /** Tells of those since the last call, if any. */
  report(log: SlowLog): void {
    if (this.#count === 0) return;
    const writtenMs = Math.round(this.#writtenMs);
    const durableMs = Math.round(this.#slowest - this.#writtenMs);
    tellSlow(log, 'send', this.#slowest, { sends: this.#count, writtenMs, durableMs });
    this.#count = 0;
    this.#slowest = 0;
  }
}
