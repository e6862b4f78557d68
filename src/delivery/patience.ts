/** For what cannot be read: it may be readable soon, but it must not hold up for good what lies behind it. */
import type { Clock } from '../lib/clock.ts';

/** Between two tries. */
export const READ_AGAIN_MS = 1_000;
const PASSED_OVER_MS = 30_000;

export class Patience {
  readonly #clock: Pick<Clock, 'monotonic'>;
  #failingSince: number | undefined;

  constructor(clock: Pick<Clock, 'monotonic'>) {
    this.#clock = clock;
  }

  /** A read has failed; true when none has worked for so long that what cannot be read is passed over. */
  failed(): boolean {
    const now = this.#clock.monotonic();
    this.#failingSince ??= now;
    return now - this.#failingSince >= PASSED_OVER_MS;
  }

  worked(): void {
    this.#failingSince = undefined;
  }
}
