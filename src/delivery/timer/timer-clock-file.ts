/**
 * Our own `ringmq.timer-clock`: the clock of elapsed time of the boot that opened timers last. Units of the timer log
 * that count in it mean nothing without it, so it is durable before the first of them is put, and does not depend on
 * config/timercheck, which may be older, lost, or written by RocketMQ.
 */
import type { Disk } from '../../store/disk/disk.ts';
import { storePaths } from '../../store/paths.ts';
import { readState, writeState } from '../../store/small-state.ts';
import type { TimerCheck } from './timer-check.ts';
import type { TimerClock, TimerClockState } from './timer-clock.ts';

/** A clock as it was once. */
export interface ClockBefore {
  state: TimerClockState;
  /** What it showed then: elapsed time, ms. */
  elapsed: number;
}

type Kept = Omit<TimerClockState, 'steps'> & { elapsed: number };

export class TimerClockFile {
  readonly #disk: Disk;
  readonly #path: string;
  readonly #warn: (line: string) => void;

  constructor(disk: Disk, root: string, warn: (line: string) => void) {
    this.#disk = disk;
    this.#path = storePaths.timerClock(root);
    this.#warn = warn;
  }

  /** The newest that is known. Elapsed time never goes back, so that is the one which shows the most. */
  newest(check: TimerCheck | undefined): ClockBefore | undefined {
    const kept = this.#read();
    const own = check?.own?.clock;
    const checked = own && { state: own, elapsed: (check?.timestamp ?? 0) - own.ahead };
    if (kept === undefined || (checked !== undefined && checked.elapsed > kept.elapsed)) return checked;
    const { boot, base, ahead, elapsed } = kept;
    return { state: { boot, base, ahead, steps: own?.steps ?? [] }, elapsed };
  }

  /** Throws when the disk refuses. */
  keep(clock: TimerClock): void {
    const { boot, base, ahead } = clock.state();
    const kept = this.#read();
    if (boot !== 0 && kept?.boot === boot && kept.base === base) return;
    const now: Kept = { boot, base, ahead, elapsed: Math.floor(clock.elapsed) };
    writeState(this.#disk, this.#path, now);
  }

  #read(): Kept | undefined {
    let content: Record<string, unknown> | undefined;
    try {
      content = readState(this.#disk, this.#path, this.#warn);
    } catch (error) {
      this.#warn(`${this.#path} is not used: ${(error as Error).message}`);
    }
    const { boot, base, ahead, elapsed } = content ?? {};
    const numbers = [boot, base, ahead, elapsed];
    if (!numbers.every((value) => Number.isFinite(value))) return undefined;
    return { boot, base, ahead, elapsed } as Kept;
  }
}
