/** The steps of a stop, one after the other: what one of them waits for is told when it takes longer than a second. */
import { type Clock, systemClock } from '../../lib/clock.ts';
import type { ControlLog } from '../../lib/log.ts';
import type { Timers } from '../../lib/timers.ts';

const FIRST_MS = 1_000;
const AGAIN_MS = 10_000;

/** Looks every `lookMs` whether `goesOn`; resolves when it does not, after `mostMs` in any case. */
export async function waitWhile(goesOn: () => boolean, mostMs: number, lookMs: number): Promise<void> {
  const end = systemClock.monotonic() + mostMs;
  while (systemClock.monotonic() < end && goesOn())
    await new Promise((resolve) => setTimeout(resolve, lookMs));
}

export class StopSteps {
  readonly #log: ControlLog;
  readonly #clock: Clock;
  readonly #timers: Timers;

  constructor(log: ControlLog, clock: Clock, timers: Timers) {
    this.#log = log;
    this.#clock = clock;
    this.#timers = timers;
  }

  /** As `work` ends. `what`: the end of the sentence "the stop waits for ...". */
  async wait<Result>(what: string, work: Promise<Result>): Promise<Result> {
    const began = this.#clock.monotonic();
    const tell = () => {
      this.#log.info({ ms: Math.round(this.#clock.monotonic() - began) }, `the stop waits for ${what}`);
      cancel = this.#timers.after(AGAIN_MS, tell);
    };
    let cancel = this.#timers.after(FIRST_MS, tell);
    try {
      return await work;
    } finally {
      cancel();
    }
  }
}
