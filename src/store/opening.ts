/**
 * Opening and closing a store's directory: the lock, the abort file, recovery, checkpoints. Everything that is true of
 * a store however many threads serve it afterwards.
 */
import { getSystemErrorName } from 'node:util';
import type { Clock } from '../lib/clock.ts';
import {
  APPENDED,
  DISPATCHED,
  DISPATCHED_RECORD,
  DISPATCHED_TIME,
  FLUSHED,
  FLUSHED_TIME,
  INDEX_COMPLETED_TIME,
  type Positions,
} from '../ring/positions.ts';
import type { Disk } from './disk/disk.ts';
import { type Checkpoint, readCheckpoint, writeCheckpoint } from './log/checkpoint.ts';
import { checkStoreOptions, type StoreOptions } from './options.ts';
import { storePaths } from './paths.ts';
import type { QueueDirectory } from './queue/queue-directory.ts';
import { type Recovered, recoverStore } from './recovery/recover.ts';

const EAGAIN = 11;

export interface OpeningParts {
  disk: Disk;
  options: StoreOptions;
  positions: Positions;
  directory: QueueDirectory;
  clock: Clock;
  delayMillis: readonly number[];
  idOf: (topic: string, queueId: number) => number;
  progress: (line: string) => void;
}

export class OpenStore {
  readonly recovered: Recovered;
  readonly #parts: OpeningParts;
  readonly #lock: number;
  #checkpoint: Checkpoint;
  /** The newest dispatched record that a checkpoint may name once the log is durable behind it. */
  #sample: { position: number; time: number; end: number };
  /** A recovery has nothing to enter again of the log before it, whatever happens now. */
  #covered: number;
  #problem: string | undefined;

  private constructor(parts: OpeningParts, lock: number, recovered: Recovered) {
    this.#parts = parts;
    this.#lock = lock;
    this.recovered = recovered;
    this.#checkpoint = readCheckpoint(parts.disk, storePaths.checkpoint(parts.options.directory));
    const { queuePhysicalOffset: position, queueTimestamp: time } = this.#checkpoint;
    this.#sample = { position, time, end: 0 };
    // After a clean stop nothing was dispatched: its checkpoint names the last record, and will until there is another.
    const { positions } = parts;
    const end = positions.get(DISPATCHED);
    this.#covered = positions.get(DISPATCHED_RECORD) === end ? end : 0;
  }

  /** Locks, recovers and marks the store as running. Throws with a sentence that says what to do. */
  static open(parts: OpeningParts): OpenStore {
    const { disk, options } = parts;
    checkStoreOptions(options);
    disk.makeDirectory(options.commitLogDirectory);
    disk.makeDirectory(storePaths.consumeQueue(options.directory));
    disk.makeDirectory(storePaths.config(options.directory));
    const lock = takeLock(disk, options.directory);
    try {
      const boot = disk.boot();
      const clean = disk.size(storePaths.abort(options.directory)) < 0;
      const recovered = recoverStore({
        ...parts,
        clean,
        pageCacheSurvived: boot !== '' && boot === lastBoot(disk, options),
      });
      disk.writeWhole(storePaths.abort(options.directory), Buffer.from(String(process.pid)));
      disk.writeWhole(storePaths.boot(options.directory), Buffer.from(boot));
      return new OpenStore(parts, lock, recovered);
    } catch (error) {
      disk.unlock(lock);
      throw error;
    }
  }

  /** Why the last checkpoint could not be taken, as the end of a sentence; undefined when it was. */
  get problem(): string | undefined {
    return this.#problem;
  }

  /** Whether the queue entries of the log before `position` are durable and the checkpoint says so. */
  covers(position: number): boolean {
    return this.#covered >= position;
  }

  /**
   * Makes queue entries durable and notes how far they reach. The position is sampled first: what it names was
   * written before the sync began. Resolves false when the disk refused (`problem`); the old checkpoint then stays,
   * and the next call tries again.
   */
  async checkpoint(): Promise<boolean> {
    const { positions, disk } = this.#parts;
    // The end is published after its record: read first, it belongs to that record or to one before.
    const end = positions.get(DISPATCHED);
    const now = { position: positions.get(DISPATCHED_RECORD), time: positions.get(DISPATCHED_TIME), end };
    const flushed = positions.get(FLUSHED);
    // Recovery must find a record where the checkpoint points, so the log too has to be durable that far. Under load
    // the newest record never is; one sampled earlier is by now, so a sample stays until it has been of use.
    const durable = ({ position, end }: typeof now) => position < end && flushed >= end;
    const sample = durable(now) ? now : this.#sample;
    const isDurable = durable(sample);
    const next: Checkpoint = { ...this.#checkpoint };
    // Not the greatest ever: after a clock that was ahead, store times have gone back (STORE_TIME_LEAD_MS).
    next.logTimestamp = positions.get(FLUSHED_TIME) || next.logTimestamp;
    // An index file counts as full before it is durable: the sync below comes after this look.
    next.indexTimestamp = positions.get(INDEX_COMPLETED_TIME) || next.indexTimestamp;
    if (isDurable && sample.position >= next.queuePhysicalOffset) {
      next.queuePhysicalOffset = sample.position;
      next.queueTimestamp = sample.time;
    }
    const says = JSON.stringify(next) !== JSON.stringify(this.#checkpoint);
    if (says || (isDurable && sample.end > this.#covered)) {
      const outcome = await disk.syncRangeFiles();
      if (outcome < 0) return this.#failed(`ConsumeQueue files cannot be synced (errno ${-outcome})`);
    }
    if (says && !this.#write(next)) return false;
    this.#problem = undefined;
    if (isDurable) this.#covered = Math.max(this.#covered, sample.end);
    if (this.#sample.position >= this.#sample.end || this.#sample.end <= this.#covered) this.#sample = now;
    return true;
  }

  /**
   * Makes the queue entries written so far durable without a checkpoint that says so: enough to let the log before them
   * go. 0 or -errno.
   */
  syncQueues(): Promise<number> {
    return this.#parts.disk.syncRangeFiles();
  }

  #write(checkpoint: Checkpoint): boolean {
    const path = storePaths.checkpoint(this.#parts.options.directory);
    try {
      writeCheckpoint(this.#parts.disk, path, checkpoint);
    } catch (error) {
      // What the system refused may work the next time; anything else is a fault of ours.
      if ((error as NodeJS.ErrnoException).code === undefined) throw error;
      return this.#failed(`${path} cannot be written: ${(error as Error).message}`);
    }
    this.#checkpoint = checkpoint;
    return true;
  }

  #failed(problem: string): false {
    this.#problem = problem;
    return false;
  }

  /** Lets go of the store after a death: it stays marked as not cleanly closed. */
  abandon(): void {
    this.#parts.disk.unlock(this.#lock);
  }

  /**
   * After all threads have stopped: checkpoint and, when everything appended is durable and dispatched, removal of the
   * abort file. Resolves whether the stop counts as clean; `problem` may say why not.
   */
  async close(): Promise<boolean> {
    const { positions, options, disk } = this.#parts;
    const end = positions.get(APPENDED);
    const complete = positions.get(FLUSHED) === end && positions.get(DISPATCHED) === end && !positions.halted;
    const clean = complete && (await this.checkpoint());
    if (clean) {
      disk.remove(storePaths.abort(options.directory));
      disk.syncDirectory(options.directory);
    }
    disk.unlock(this.#lock);
    return clean;
  }
}

function takeLock(disk: Disk, directory: string): number {
  const lock = disk.lock(storePaths.lock(directory));
  if (lock >= 0) return lock;
  if (lock === -EAGAIN) {
    throw new Error(
      `The store ${directory} is in use by another broker: stop that one, or use another store directory.`,
    );
  }
  const reason = getSystemErrorName(lock);
  throw new Error(
    `${storePaths.lock(directory)} cannot be used (${reason}): it has to be a file that this user may write.`,
  );
}

function lastBoot(disk: Disk, options: StoreOptions): string {
  const bytes = disk.readWhole(storePaths.boot(options.directory));
  return bytes === undefined ? '' : Buffer.from(bytes).toString('utf8').trim();
}
