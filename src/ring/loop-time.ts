/** What a thread with an event loop counts of its time: how busy the loop is, and how late its ticks are. */
import { performance } from 'node:perf_hooks';
import { type Counters, counterPlace } from './counters.ts';

const TICKS = counterPlace('ticks');
const TICK_LATE = counterPlace('tickLateMicros');
const TICK_LATE_MAX = counterPlace('tickLateMaxMicros');
const BUSY = counterPlace('busyMillis');
const IDLE = counterPlace('idleMillis');

export class LoopTime {
  readonly #counters: Counters;
  readonly #everyMs: number;
  /** When the next tick should come, ms of the monotonic clock. */
  #due: number;
  /** How busy the loop was at the last one. */
  #utilization = performance.eventLoopUtilization();

  /** `now`: ms of the monotonic clock, at which a timer for ticks every `everyMs` is started. */
  constructor(counters: Counters, everyMs: number, now: number) {
    this.#counters = counters;
    this.#everyMs = everyMs;
    this.#due = now + everyMs;
  }

  /** A tick has come. */
  tick(now: number): void {
    const late = Math.max(0, now - this.#due) * 1000;
    this.#due = now + this.#everyMs;
    this.#counters.add(TICKS);
    this.#counters.add(TICK_LATE, late);
    this.#counters.raiseTo(TICK_LATE_MAX, late);
    const utilization = performance.eventLoopUtilization();
    this.#counters.add(BUSY, utilization.active - this.#utilization.active);
    this.#counters.add(IDLE, utilization.idle - this.#utilization.idle);
    this.#utilization = utilization;
  }
}
