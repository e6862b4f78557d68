/** Long work of one request in slices, so that the requests of others come in between. */
import type { Clock } from '../../lib/clock.ts';

const SLICE_MS = 5;

export class Slices {
  readonly #clock: Clock;
  #began: number;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#began = clock.monotonic();
  }

  /** Whether a slice is over: then `pause` is due. */
  get over(): boolean {
    return this.#clock.monotonic() - this.#began >= SLICE_MS;
  }

  /** Visits the numbers from 0 to `count`, without it: the queues of a topic, each of which may mean the disk. */
  async each(count: number, visit: (n: number) => void): Promise<void> {
    for (let n = 0; n < count; n++) {
      visit(n);
      if (this.over) await this.pause();
    }
  }

  /** Lets what waits have its turn. */
  async pause(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve));
    this.#began = this.#clock.monotonic();
  }
}
