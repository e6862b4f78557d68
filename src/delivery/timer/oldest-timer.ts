/** Which timer is the oldest: looked for every now and then, in short steps; what comes before it may be deleted. */
import type { Clock } from '../../lib/clock.ts';
import { NONE } from './timer-layout.ts';
import type { Steps, TimerStore } from './timer-store.ts';

/** How often it is looked for. */
const OLDEST_MS = 600_000;

export class OldestTimer {
  /** Position of its record in the CommitLog; NONE while nobody knows. */
  position = NONE;
  readonly #clock: Pick<Clock, 'monotonic'>;
  #at = 0;
  #job: Steps<number> | undefined;

  constructor(clock: Pick<Clock, 'monotonic'>) {
    this.#clock = clock;
  }

  /** The wheel is another one: it is looked for at once. */
  forget(): void {
    this.#at = 0;
    this.#job = undefined;
  }

  /** One step, when it is time for that; whether there are more. */
  look(timers: TimerStore): boolean {
    const now = this.#clock.monotonic();
    if (this.#job === undefined) {
      if (now < this.#at) return false;
      this.#at = now + OLDEST_MS;
      this.#job = timers.oldestUnit();
    }
    const { done, value } = this.#job.next();
    if (!done) return true;
    this.#job = undefined;
    const reader = timers.reader();
    this.position = reader.at(value) ? reader.unit.physical : NONE;
    timers.log.deleteBefore(value);
    timers.clock.forgetSteps(value);
    return false;
  }
}
