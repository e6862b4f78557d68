/**
 * How far timers have come at the master, in a slave's config/timercheck. A slave has no wheel and no timer log of its
 * own that go with it: the file says that they are to be made anew from the queue of the timer topic, which happens
 * when the broker delivers, as a master. What the master had delivered by then is not delivered again.
 */
import type { ControlLog } from '../../lib/log.ts';
import type { Disk } from '../../store/disk/disk.ts';
import { decodeTimerCheck, type TimerCheck } from './timer-check.ts';
import { TimerFiles, type TimerOptions } from './timer-files.ts';

export class FollowedTimers {
  readonly #files: TimerFiles;
  readonly #log: ControlLog;
  #isFailing = false;

  constructor(disk: Disk, options: TimerOptions, log: ControlLog) {
    this.#files = new TimerFiles(disk, options, log);
    this.#log = log;
  }

  /** The bytes of the master's file: all of one of RingMQ, or the 56 that RocketMQ tells. */
  take(bytes: Uint8Array): void {
    const check = decodeTimerCheck(bytes);
    const problem = typeof check === 'string' ? `of the master: ${check}` : this.#write(check);
    if (problem !== undefined && !this.#isFailing)
      this.#log.warn({ reason: problem }, 'the progress of timers is not taken over from the master');
    this.#isFailing = problem !== undefined;
  }

  #write(check: TimerCheck): string | undefined {
    // Where there was never a timed message.
    if (check.readTimeMs === 0 || check.queueOffset === 0) return undefined;
    // Its clock and its wheel are of another machine.
    return this.#files.announceRemaking({ ...check, own: undefined });
  }
}
