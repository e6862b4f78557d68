/**
 * The two clocks by which timers are due. A time (TIMER_DELIVER_MS) follows the machine's clock, also when that is set;
 * a span (TIMER_DELAY_*) is counted in elapsed time: the monotonic clock plus a constant, so that it showed the
 * machine's time when the store first had a timer, and goes on from boot to boot. The wheel is ordered by the machine's
 * clock, so what counts in elapsed time is in another slot after that was set: `ahead` is by how much the machine's
 * clock is ahead of elapsed time.
 *
 * A clock set back makes such timers due earlier on the wheel, and what stood in a later slot than its own because that
 * was over, or taken, is not late any more. They are put into it once more (timer-moves.ts), and what stands in the old
 * slot counts no more: which units that are follows from the steps alone, so none is rewritten. Slots that had come
 * before the step come a second time: what of them still waits is put there once more too, so that all that was there
 * before is known to be done, however often the process stops.
 */
import type { Clock } from '../../lib/clock.ts';
import { isStep, skewOf } from '../../metadata/append-times.ts';
import { isRecall, slotOf, type TimerUnit } from './timer-layout.ts';

/** A step back of the machine's clock after which units were put into the wheel once more. */
export interface ClockStep {
  /** Units before it in the log are older than the step. */
  position: number;
  ahead: number;
  /** Slots behind it were too far away then. */
  lastSlot: number;
  /** Slots before it had come. */
  passed: number;
}

/** What is kept across restarts. */
export interface TimerClockState {
  /** The boot that `base` belongs to; 0 = nobody tells. */
  boot: number;
  /** Elapsed time less the monotonic clock. */
  base: number;
  ahead: number;
  steps: readonly ClockStep[];
}

/** As many fit into the checkpoint file; so many steps back within the days that a timer waits are beyond belief. */
export const MAX_STEPS = 48;

export class TimerClock {
  readonly precisionMs: number;
  readonly #clock: Clock;
  readonly #boot: number;
  readonly #base: number;
  #ahead: number;
  #skew: number;
  #steps: ClockStep[];

  /**
   * `before` of an earlier boot tells how far ahead the clock was; of this one, whether it was set since. Elapsed time
   * never goes back: a clock that shows less than `lastMs`, which it showed then, was set.
   */
  constructor(clock: Clock, precisionMs: number, boot: number, before?: TimerClockState, lastMs = 0) {
    this.precisionMs = precisionMs;
    this.#clock = clock;
    this.#boot = boot;
    const skew = skewOf(clock);
    this.#ahead = before?.ahead ?? 0;
    const sameBoot = before !== undefined && boot !== 0 && before.boot === boot;
    this.#base = sameBoot ? before.base : skew - this.#ahead + Math.max(0, lastMs - clock.now());
    this.#skew = this.#base + this.#ahead;
    this.#steps = [...(before?.steps ?? [])];
  }

  /** ms of the machine's clock. */
  get nowMs(): number {
    return this.#clock.now();
  }

  /** ms of elapsed time. */
  get elapsed(): number {
    return this.ofMonotonic(this.#clock.monotonic());
  }

  ofMonotonic(monotonic: number): number {
    return monotonic + this.#base;
  }

  /** The slot that now belongs to. */
  get slot(): number {
    return Math.floor(this.nowMs / this.precisionMs);
  }

  /** Notices that the clock was set; by how much, 0 = it was not. */
  takeStep(): number {
    const skew = skewOf(this.#clock);
    if (!isStep(this.#skew, skew)) return 0;
    const before = this.#ahead;
    this.#skew = skew;
    this.#ahead = skew - this.#base;
    return this.#ahead - before;
  }

  /** By how much the machine's clock is ahead of elapsed time. */
  get ahead(): number {
    return this.#ahead;
  }

  /** What is due then by its own clock, as the machine's would show it. */
  machineTime(due: number, elapsed: boolean): number {
    return elapsed ? due + this.#ahead : due;
  }

  /** Elapsed time when the machine's clock shows `ms`, as it goes now. */
  elapsedAt(ms: number): number {
    return ms - this.#ahead;
  }

  /** A step back: units before `position` are looked at once more, as seen from now. */
  noteStep(position: number, lastSlot: number, passed: number): void {
    this.#steps.push({ position, ahead: this.#ahead, lastSlot, passed });
    if (this.#steps.length > MAX_STEPS) this.#steps.shift();
  }

  /** Steps older than all units that wait say nothing any more. */
  forgetSteps(oldestUnit: number): void {
    this.#steps = this.#steps.filter(({ position }) => position > oldestUnit);
  }

  /** Whether the unit at `position` was put into the wheel once more after a step, or had been delivered. */
  hasMoved(position: number, unit: Readonly<TimerUnit>): boolean {
    for (const step of this.#steps) if (position < step.position && this.#moves(unit, step)) return true;
    return false;
  }

  /** Whether the newest step puts the unit at `position` into the wheel once more, which no older one has. */
  movesNow(position: number, unit: Readonly<TimerUnit>): boolean {
    const moving = this.#steps.filter((step) => position < step.position && this.#moves(unit, step));
    return moving.length === 1 && moving[0] === this.#steps.at(-1);
  }

  /** Whether that is another slot than its own. */
  leavesSlot(unit: Readonly<TimerUnit>): boolean {
    const newest = this.#steps.at(-1);
    return newest !== undefined && this.#leaves(unit, newest);
  }

  state(): TimerClockState {
    return { boot: this.#boot, base: this.#base, ahead: this.#ahead, steps: [...this.#steps] };
  }

  #moves(unit: Readonly<TimerUnit>, step: ClockStep): boolean {
    const hadCome = unit.slotTime < step.passed * this.precisionMs;
    return this.#leaves(unit, step) || (hadCome && !isRecall(unit));
  }

  #leaves({ slotTime, due, elapsed }: Readonly<TimerUnit>, { ahead, lastSlot }: ClockStep): boolean {
    const slot = slotTime / this.precisionMs;
    // RocketMQ's units say nothing of when in their slot they are due.
    return slot > lastSlot || (due !== 0 && slotOf(elapsed ? due + ahead : due, this.precisionMs) < slot);
  }
}
