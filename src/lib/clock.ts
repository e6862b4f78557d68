/**
 * Time behind an interface, so that schedules, crashes and wrong clocks can be replayed.
 *
 * Two questions, two clocks. "How long ago?" is asked of `monotonic`: every wait, every lifetime, every silence. "What
 * time is it?" is asked of `now`: what is stored or shown, and what people have set by the time of day. Whoever
 * subtracts two values of `now` is wrong for as long as the machine's clock was set in between.
 */
export interface Clock {
  /** Milliseconds since the epoch; may step in either direction when the machine's clock is set. */
  now(): number;
  /**
   * Milliseconds of a clock that never steps, for deadlines. It counts from the machine's boot, so that it means the
   * same in every thread and process of a boot. While the machine sleeps it stands still.
   */
  monotonic(): number;
}

const LOOKS = 16;

/**
 * `performance.now()` counts from the start of the process or worker: this is where that was. Of several looks at both
 * clocks the quickest counts: a thread that has to wait between the two would be wrong by as long.
 */
function originOf(): number {
  let origin = 0;
  let quickest = Number.POSITIVE_INFINITY;
  for (let i = 0; i < LOOKS; i++) {
    const before = performance.now();
    const now = Number(process.hrtime.bigint()) / 1e6;
    const after = performance.now();
    if (after - before >= quickest) continue;
    quickest = after - before;
    origin = now - (before + after) / 2;
  }
  return origin;
}

const origin = originOf();

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => origin + performance.now(),
};

/** Milliseconds since the epoch of a moment that was noted on the monotonic clock, as the clock goes now. */
export function timeOf(clock: Clock, monotonic: number): number {
  return Math.round(clock.now() - (clock.monotonic() - monotonic));
}

/** Smaller steps of the clock than this make no difference to what SteadyTime is asked for. */
const STEADY_TOLERANCE_MS = 60_000;

/**
 * The time of day for what cannot be taken back. A step of the clock counts only once it has lasted for `beliefMs`:
 * until then the time goes on from before the step, at the start from `last`, when there is one. So a clock that is
 * wrong for a minute is not noticed at all. To be asked now and then, as that is when it looks.
 */
export class SteadyTime {
  readonly #clock: Clock;
  readonly #beliefMs: number;
  /** `now` less `monotonic`, as believed. */
  #offset: number;
  #step: { offset: number; since: number } | undefined;

  /** `last`: a moment in the past, ms since the epoch; one in the future says nothing. */
  constructor(clock: Clock, beliefMs: number, last = Number.NEGATIVE_INFINITY) {
    this.#clock = clock;
    this.#beliefMs = beliefMs;
    const now = clock.now();
    this.#offset = (Number.isFinite(last) ? Math.min(last, now) : now) - clock.monotonic();
    this.now();
  }

  /** Milliseconds since the epoch. */
  now(): number {
    const monotonic = this.#clock.monotonic();
    const offset = this.#clock.now() - monotonic;
    if (Math.abs(offset - this.#offset) <= STEADY_TOLERANCE_MS) {
      this.#offset = offset;
      this.#step = undefined;
    } else if (this.#step === undefined || Math.abs(offset - this.#step.offset) > STEADY_TOLERANCE_MS) {
      this.#step = { offset, since: monotonic };
    } else if (monotonic - this.#step.since >= this.#beliefMs) {
      this.#offset = offset;
      this.#step = undefined;
    }
    return monotonic + this.#offset;
  }
}
