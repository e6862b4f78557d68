/**
 * How fast a slave is fed: so many bytes a second at most, and how many it was. The second is a window of its own, as
 * in RocketMQ's FlowMonitor.
 */
const WINDOW_MS = 1_000;

export class Pace {
  #lastSecond = 0;
  readonly #limit: number;
  #began: number;
  #sent = 0;

  /** `limit`: bytes a second; Infinity = as fast as the slave reads. `now`: ms of the monotonic clock. */
  constructor(limit: number, now: number) {
    this.#limit = limit;
    this.#began = now;
  }

  /** Bytes that may be sent now. */
  room(now: number): number {
    this.#roll(now);
    return Math.max(0, this.#limit - this.#sent);
  }

  sent(bytes: number): void {
    this.#sent += bytes;
  }

  /** Bytes of the last whole second; 0 when nothing has come since. */
  lastSecond(now: number): number {
    this.#roll(now);
    return this.#lastSecond;
  }

  #roll(now: number): void {
    const passed = now - this.#began;
    if (passed < WINDOW_MS) return;
    this.#lastSecond = passed < 2 * WINDOW_MS ? this.#sent : 0;
    this.#sent = 0;
    this.#began = now;
  }
}
