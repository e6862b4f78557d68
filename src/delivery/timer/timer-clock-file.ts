/**
 * Our own `ringmq.timer-clock`: the clock of elapsed time of the boot that opened timers last. Units of the timer log
 * that count in it mean nothing without it, so it is durable before the first of them is put, and does not depend on
 * config/timercheck, which may be older, lost, or written by RocketMQ. A stop adds when what is not in the wheel yet
 * came, as the clock may have been set meanwhile.
 */
import type { AppendTimesState } from '../../metadata/append-times.ts';
import { stateFrom, toJson } from '../../metadata/delay-times.ts';
import type { RocketJson } from '../../protocol/rocketmq-json.ts';
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
    const isKept = boot !== 0 && kept?.boot === boot && kept.base === base;
    if (isKept && this.times(boot) === undefined) return;
    const now: Kept = { boot, base, ahead, elapsed: Math.floor(clock.elapsed) };
    writeState(this.#disk, this.#path, now);
  }

  /** When the entries of the timer topic's queue came, by what was kept in this boot. */
  times(boot: number): AppendTimesState | undefined {
    const { timesBoot, times } = this.#content() ?? {};
    return boot !== 0 && timesBoot === boot ? stateFrom(times as RocketJson) : undefined;
  }

  /** Throws when the disk refuses. */
  keepTimes(boot: number, times: AppendTimesState): void {
    writeState(this.#disk, this.#path, { ...this.#content(), timesBoot: boot, times: toJson(times) });
  }

  #content(): Record<string, unknown> | undefined {
    try {
      return readState(this.#disk, this.#path, this.#warn);
    } catch (error) {
      this.#warn(`${this.#path} is not used: ${(error as Error).message}`);
      return undefined;
    }
  }

  #read(): Kept | undefined {
    const content = this.#content();
    const { boot, base, ahead, elapsed } = content ?? {};
    const numbers = [boot, base, ahead, elapsed];
    if (!numbers.every((value) => Number.isFinite(value))) return undefined;
    return { boot, base, ahead, elapsed } as Kept;
  }
}
