/** What a thread with an event loop counts of its time: how busy the loop is, and how late its ticks are. */
import { performance } from 'node:perf_hooks';
import { type Counters, counterPlace } from './counters.ts';
import { type SlowLog, type Step, tellSlow } from './step-clock.ts';

const TICKS = counterPlace('ticks');
const TICK_LATE = counterPlace('tickLateMicros');
const TICK_LATE_MAX = counterPlace('tickLateMaxMicros');
const TICKED_AT = counterPlace('tickedAt');
const BUSY = counterPlace('busyMillis');
const IDLE = counterPlace('idleMillis');

export interface LoopTimeParts {
  everyMs: number;
  /** What a turn of this loop is called. */
  step: Step;
  /** Ms by which a tick may be late before the log is told; 0 = any time. */
  slowMillis: number;
  log: SlowLog;
}

export class LoopTime {
  readonly #counters: Counters;
  readonly #parts: LoopTimeParts;
  /** When the next tick should come, ms of the monotonic clock. */
  #due: number;
  /** How busy the loop was at the last one. */
  #utilization = performance.eventLoopUtilization();

  /** `now`: ms of the monotonic clock, at which the timer for ticks is started. */
  constructor(counters: Counters, now: number, parts: LoopTimeParts) {
    this.#counters = counters;
    this.#parts = parts;
    this.#due = now + parts.everyMs;
  }

  /** A tick has come. */
  tick(now: number): void {
    const { everyMs, slowMillis, step, log } = this.#parts;
    const late = Math.max(0, now - this.#due);
    this.#due = now + everyMs;
    this.#counters.set(TICKED_AT, now);
    this.#counters.add(TICKS);
    this.#counters.add(TICK_LATE, late * 1000);
    this.#counters.raiseTo(TICK_LATE_MAX, late * 1000);
    if (slowMillis > 0 && late >= slowMillis) tellSlow(log, step, late);
    const utilization = performance.eventLoopUtilization();
    this.#counters.add(BUSY, utilization.active - this.#utilization.active);
    this.#counters.add(IDLE, utilization.idle - this.#utilization.idle);
    this.#utilization = utilization;
  }
}
