/**
 * Control's end: writes config/timercheck. Delivery's thread writes log and wheel, and cannot wait for them to be
 * durable; so they are synced here first, and the checkpoint promises no more than that.
 */
import type { ControlLog } from '../../lib/log.ts';
import type { Disk } from '../../store/disk/disk.ts';
import { errnoName } from '../../store/disk/errors.ts';
import { storePaths } from '../../store/paths.ts';
import { readTimerCheck, writeTimerCheck } from './timer-check.ts';
import type { TimerState } from './timer-service.ts';

export class TimerCheckKeeper {
  readonly #disk: Disk;
  readonly #path: string;
  readonly #log: ControlLog;
  readonly #saved: (sequence: number) => void;
  /** The newest that waits to be written. */
  #waiting: TimerState | undefined;
  #writing: Promise<void> | undefined;
  /** Of the version written last; unknown before the first. */
  #counter: number | undefined;
  #failing = false;
  /** Position in the CommitLog of the oldest record that waits in the wheel; -1 while nobody knows. */
  oldest = -1;
  /** Up to which time all was delivered, ms, and up to where the queue of timers was read. */
  read: Pick<TimerState['check'], 'readTimeMs' | 'queueOffset'> | undefined;

  /** `saved` hears the sequence of what was written. */
  constructor(disk: Disk, root: string, log: ControlLog, saved: (sequence: number) => void) {
    this.#disk = disk;
    this.#saved = saved;
    this.#path = storePaths.timerCheck(root);
    this.#log = log;
  }

  /** As the file is. */
  get bytes(): Uint8Array | undefined {
    return this.#disk.readWhole(this.#path);
  }

  /** What has come to be durable in the CommitLog. */
  note(state: TimerState): void {
    this.oldest = state.oldest;
    this.read = state.check;
    this.#waiting = state;
    this.#writing ??= this.#write();
  }

  /** Resolves when what was noted is written, or the disk has refused it. */
  async saved(): Promise<void> {
    await this.#writing;
  }

  async #write(): Promise<void> {
    for (let state = this.#waiting; state !== undefined; state = this.#waiting) {
      this.#waiting = undefined;
      const problem = await this.#writeOne(state);
      if (problem !== undefined && !this.#failing) {
        const what = 'the checkpoint of timers cannot be written; a crash now may deliver some once more';
        this.#log.error({ file: this.#path, reason: problem }, what);
      }
      this.#failing = problem !== undefined;
      if (problem === undefined) this.#saved(state.sequence);
    }
    this.#writing = undefined;
  }

  async #writeOne({ check }: TimerState): Promise<string | undefined> {
    const errno = await this.#disk.syncRangeFiles();
    if (errno < 0) return errnoName(-errno);
    try {
      const counter = (this.#counter ?? this.#counterBefore()) + 1;
      writeTimerCheck(this.#disk, this.#path, { ...check, counter });
      this.#counter = counter;
      return undefined;
    } catch (error) {
      return (error as Error).message;
    }
  }

  #counterBefore(): number {
    const before = readTimerCheck(this.#disk, this.#path);
    return typeof before === 'object' ? before.counter : 0;
  }
}
