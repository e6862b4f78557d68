/**
 * The marks that say what the next start must not trust, during a run: that of a failed sync is left at once, and what
 * this run's start found or left goes when a checkpoint has made durable what it warns of.
 */
import type { Disk } from './disk/disk.ts';
import type { StoreOptions } from './options.ts';
import { storePaths } from './paths.ts';
import { markFailedSync } from './recovery/failed-sync.ts';

export class SyncMark {
  readonly #disk: Disk;
  readonly #options: StoreOptions;
  /** There are marks from before this run, which its recovery has obeyed. */
  #isOld: boolean;
  /** A sync failed in this run: the mark stays for the next. */
  #hasFailed = false;
  /** The position of a mark that the disk has refused so far. */
  #unwritten: number | undefined;

  constructor(disk: Disk, options: StoreOptions) {
    this.#disk = disk;
    this.#options = options;
    this.#isOld = this.#paths().some((path) => disk.size(path) >= 0);
  }

  /** Whether a checkpoint is wanted to be rid of them. */
  get waitsForCheckpoint(): boolean {
    return this.#isOld && !this.#hasFailed;
  }

  /**
   * A sync has failed; queue entries of records before the position were durable before. False when the disk refused.
   */
  leave(queuesTrustedUntil: number): boolean {
    this.#hasFailed = true;
    this.#unwritten = Math.min(queuesTrustedUntil, this.#unwritten ?? queuesTrustedUntil);
    return this.isLeft();
  }

  /** False while a mark is due that the disk refuses: until it stands no later sync may be believed. */
  isLeft(): boolean {
    if (this.#unwritten === undefined) return true;
    try {
      markFailedSync(this.#disk, this.#options, this.#unwritten);
    } catch {
      return false;
    }
    this.#unwritten = undefined;
    return true;
  }

  /** A checkpoint was taken: log and queues are durable up to it, and what the marks warn of is. */
  settle(): void {
    if (!this.waitsForCheckpoint) return;
    for (const path of this.#paths()) this.#disk.remove(path);
    this.#disk.syncDirectory(this.#options.directory);
    this.#isOld = false;
  }

  #paths(): string[] {
    const { directory } = this.#options;
    return [storePaths.failedSync(directory), storePaths.rebuilding(directory)];
  }
}
