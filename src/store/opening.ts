/**
 * Opening and closing a store's directory: the lock, the abort file, recovery, checkpoints. Everything that is true of
 * a store however many threads serve it afterwards.
 */
import { getSystemErrorName } from 'node:util';
import type { Clock } from '../lib/clock.ts';
import { UserError } from '../lib/user-error.ts';
import {
  APPENDED,
  DISPATCHED,
  DISPATCHED_RECORD,
  DISPATCHED_TIME,
  FLUSHED,
  FLUSHED_TIME,
  HALT_ERRNO,
  HALT_THREAD_DIED,
  HALTED,
  INDEX_COMPLETED_TIME,
  LOG_START,
  type Positions,
} from '../ring/positions.ts';
import type { Disk } from './disk/disk.ts';
import { ensureDirectory } from './disk/ensure-directory.ts';
import { losesPages } from './disk/errors.ts';
import { LedgerKeeper } from './ledger-keeper.ts';
import { type Checkpoint, readCheckpoint, writeCheckpoint } from './log/checkpoint.ts';
import { checkStoreOptions, type StoreOptions } from './options.ts';
import { storePaths } from './paths.ts';
import type { QueueDirectory } from './queue/queue-directory.ts';
import { type LedgerSample, readLedger } from './queue-ledger.ts';
import { beginElsewhere, noteBeginning } from './recovery/beginning.ts';
import type { LastRun } from './recovery/beliefs.ts';
import type { RecoveryParts, Tell } from './recovery/context.ts';
import { noteDiverged, readDiverged, removeDivergedNote } from './recovery/diverged.ts';
import { readFailedSync } from './recovery/failed-sync.ts';
import { type Recovered, recoverStore } from './recovery/recover.ts';
import { SyncMark } from './sync-mark.ts';
import { TopicStarts } from './topic-starts.ts';

const EAGAIN = 11;

export interface OpeningParts {
  disk: Disk;
  options: StoreOptions;
  positions: Positions;
  directory: QueueDirectory;
  clock: Clock;
  delayMillis: readonly number[];
  idOf: (topic: string, queueId: number) => number;
  /** Every queue that has an id. */
  queues: () => Iterable<{ topic: string; queueId: number; id: number }>;
  /** One line for a person who waits. */
  progress: Tell;
  /** One line for a person who must know: what was found damaged, and what was done. */
  warn: Tell;
  notClean?: RecoveryParts['notClean'];
}

/** Another broker has the store's lock. */
export class StoreInUse extends UserError {
  override name = 'StoreInUse';
}

export class OpenStore {
  readonly recovered: Recovered;
  readonly starts: TopicStarts;
  /** Where the log began when the store was opened: what was deleted of it before then stays deleted. */
  readonly #logStart: number;
  readonly #ledger: LedgerKeeper;
  readonly #mark: SyncMark;
  readonly #parts: OpeningParts;
  readonly #lock: number;
  #checkpoint: Checkpoint;
  /** RocketMQ's of that name: kept for it in the checkpoint, and of no use here. */
  masterFlushedOffset: number;
  /** The newest dispatched record that a checkpoint may name once the log is durable behind it. */
  #sample: { position: number; time: number; end: number };
  /** A recovery has nothing to enter again of the log before it, whatever happens now. */
  #covered: number;
  #problem: string | undefined;

  private constructor(
    parts: OpeningParts,
    lock: number,
    recovered: Recovered,
    starts: TopicStarts,
    ledgerEnd: number,
  ) {
    this.starts = starts;
    this.#logStart = parts.positions.get(LOG_START);
    this.#ledger = new LedgerKeeper(parts, ledgerEnd);
    this.#mark = new SyncMark(parts.disk, parts.options);
    this.#parts = parts;
    this.#lock = lock;
    this.recovered = recovered;
    this.#checkpoint = readCheckpoint(parts.disk, storePaths.checkpoint(parts.options.directory));
    const { queuePhysicalOffset: position, queueTimestamp: time, masterFlushedOffset } = this.#checkpoint;
    this.masterFlushedOffset = masterFlushedOffset;
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
    const { commitLogDirectory, directory } = options;
    ensureDirectory(
      disk,
      commitLogDirectory,
      storePaths.consumeQueue(directory),
      storePaths.config(directory),
    );
    const lock = takeLock(disk, options.directory);
    try {
      const lastRun = lastRunOf(parts);
      const starts = TopicStarts.load(disk, options, parts.warn);
      const ledger = readLedger(disk, options, parts.warn);
      beginElsewhere(disk, options, parts.warn);
      const cutAt = readDiverged(disk, options, parts.warn);
      const recovered = recoverStore({ ...parts, lastRun, starts, ledger, cutAt });
      removeDivergedNote(disk, options);
      markRunning(disk, options);
      return new OpenStore(parts, lock, recovered, starts, ledger?.end ?? -1);
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
    const { positions } = this.#parts;
    // The end is published after its record: read first, it belongs to that record or to one before.
    const end = positions.get(DISPATCHED);
    const now = { position: positions.get(DISPATCHED_RECORD), time: positions.get(DISPATCHED_TIME), end };
    const flushed = positions.get(FLUSHED);
    // Recovery must find a record where the checkpoint points, so the log too has to be durable that far. Under load
    // the newest record never is; one sampled earlier is by now, so a sample stays until it has been of use.
    const durable = ({ position, end }: typeof now) => position < end && flushed >= end;
    const sample = durable(now) ? now : this.#sample;
    const isDurable = durable(sample);
    const next: Checkpoint = { ...this.#checkpoint, masterFlushedOffset: this.masterFlushedOffset };
    // Not the greatest ever: after a clock that was ahead, store times have gone back (STORE_TIME_LEAD_MS).
    next.logTimestamp = positions.get(FLUSHED_TIME) || next.logTimestamp;
    // An index file counts as full before it is durable: the sync below comes after this look.
    next.indexTimestamp = positions.get(INDEX_COMPLETED_TIME) || next.indexTimestamp;
    if (isDurable && sample.position >= next.queuePhysicalOffset) {
      next.queuePhysicalOffset = sample.position;
      next.queueTimestamp = sample.time;
    }
    const says = JSON.stringify(next) !== JSON.stringify(this.#checkpoint);
    if (says || (isDurable && sample.end > this.#covered) || this.#mark.waitsForCheckpoint) {
      // Before the sync: what the ledger counts must be durable when it is written.
      const ledger = this.#ledger.sample();
      const outcome = await this.syncQueues();
      if (outcome < 0) return this.#failed(`ConsumeQueue files cannot be synced (errno ${-outcome})`);
      if (!this.#mark.isLeft()) {
        return this.#failed('an earlier sync has failed, and the note about it cannot be written');
      }
      if (!this.#write(next, ledger)) return false;
    }
    this.#problem = undefined;
    if (isDurable) this.#covered = Math.max(this.#covered, sample.end);
    if (this.#sample.position >= this.#sample.end || this.#sample.end <= this.#covered) this.#sample = now;
    return true;
  }

  /**
   * Makes the queue entries written so far durable without a checkpoint that says so: enough to let the log before them
   * go. 0 or -errno.
   */
  async syncQueues(): Promise<number> {
    const outcome = await this.#parts.disk.syncRangeFiles();
    // Pages whose write-back failed are clean now; the addon writes them again with the next call, if there is one.
    if (outcome < 0 && losesPages(-outcome)) this.#mark.leave(this.#checkpoint.queuePhysicalOffset);
    return outcome;
  }

  /** Writes ledger and checkpoint, and takes the marks away that they make needless. */
  #write(checkpoint: Checkpoint, ledger: LedgerSample): boolean {
    const path = storePaths.checkpoint(this.#parts.options.directory);
    try {
      this.#ledger.write(ledger);
      writeCheckpoint(this.#parts.disk, path, checkpoint);
      this.#checkpoint = checkpoint;
      this.#mark.settle();
    } catch (error) {
      // What the system refused may work the next time; anything else is a fault of ours.
      if ((error as NodeJS.ErrnoException).code === undefined) throw error;
      return this.#failed(`${path} cannot be written: ${(error as Error).message}`);
    }
    return true;
  }

  #failed(problem: string): false {
    this.#problem = problem;
    return false;
  }

  /**
   * The topic is deleted, and no record before `position` counts any more, whoever reads the log again: durable when
   * this returns. Throws when the disk refuses, and nothing has changed.
   */
  endTopic(topic: string, position: number): void {
    this.starts.ended(topic, position, this.#passed());
  }

  /** The topic's messages before `position` count no more, and its queues go on; all else as with `endTopic`. */
  purgeTopic(topic: string, position: number): void {
    this.starts.purged(topic, position, this.#passed());
  }

  /** Where topics begin before this position nobody asks any more. */
  #passed(): number {
    const start = this.#logStart;
    const { written } = this.#ledger;
    // A ledger from before a deletion has rows of the old topic: until there is a newer one its end must be known.
    return written < 0 ? start : Math.min(start, written - 1);
  }

  /** The log here differs from that of which it is a copy, from `position` on: the next opening cuts it there. */
  noteDiverged(position: number): void {
    noteDiverged(this.#parts.disk, this.#parts.options, position);
  }

  /** The log, which is empty, is to begin at `position`: the next opening sees to that. */
  noteBeginning(position: number): void {
    noteBeginning(this.#parts.disk, this.#parts.options, position);
  }

  /** Lets go of the store after a death: it stays marked as not cleanly closed. */
  abandon(): void {
    this.#markWhenHalted();
    this.#parts.disk.unlock(this.#lock);
  }

  /**
   * After all threads have stopped: checkpoint and, when everything appended is durable and dispatched, removal of the
   * abort file. Resolves whether the stop counts as clean; `problem` may say why not.
   */
  async close(): Promise<boolean> {
    const { positions, options, disk } = this.#parts;
    this.#markWhenHalted();
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

  /** The disk has failed, and nobody knows what else of what reads well is not on it. */
  #markWhenHalted(): void {
    const { positions, warn } = this.#parts;
    if (!positions.halted || positions.get(HALTED) === HALT_THREAD_DIED) return;
    if (!losesPages(positions.get(HALT_ERRNO))) return;
    if (!this.#mark.leave(this.#checkpoint.queuePhysicalOffset)) {
      warn('the disk has failed, and refuses a note about that for the next start');
    }
  }
}

function takeLock(disk: Disk, directory: string): number {
  const lock = disk.lock(storePaths.lock(directory));
  if (lock >= 0) return lock;
  if (lock === -EAGAIN) {
    throw new StoreInUse(
      `The store ${directory} is in use by another broker: stop that one, or use another store directory.`,
    );
  }
  const reason = getSystemErrorName(lock);
  throw new Error(
    `${storePaths.lock(directory)} cannot be used (${reason}): it has to be a file that this user may write.`,
  );
}

/** Says that the store is in use, and in which boot. A full disk has room for an empty file, and consumers to serve. */
function markRunning(disk: Disk, options: StoreOptions): void {
  const abort = storePaths.abort(options.directory);
  const boot = storePaths.boot(options.directory);
  whereRoomIs(
    () => disk.writeWhole(abort, Buffer.from(String(process.pid))),
    () => {
      const file = disk.open(abort, 0);
      if (typeof file !== 'number') file.close();
      return typeof file !== 'number' && disk.syncDirectory(options.directory) === 0;
    },
  );
  whereRoomIs(
    () => disk.writeWhole(boot, Buffer.from(disk.boot())),
    // What stands there is right, or goes: an unknown boot is taken for another one.
    () => {
      if (lastBoot(disk, options) !== disk.boot()) disk.remove(boot);
      return true;
    },
  );
}

/** `otherwise` = what will do on a full disk; false when that is not possible either. */
function whereRoomIs(write: () => void, otherwise: () => boolean): void {
  try {
    write();
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if ((code !== 'ENOSPC' && code !== 'EDQUOT') || !otherwise()) throw error;
  }
}

function lastRunOf({ disk, options, warn }: OpeningParts): LastRun {
  const boot = disk.boot();
  const before = lastBoot(disk, options);
  const failedSync = readFailedSync(disk, options, warn);
  if (failedSync !== undefined) {
    warn('a sync of the disk failed in the last run: what it left is trusted no more than after a power cut');
  }
  return {
    clean:
      disk.size(storePaths.abort(options.directory)) < 0 &&
      disk.size(storePaths.diverged(options.directory)) < 0,
    sameBoot: boot !== '' && boot === before,
    otherBoot: boot !== '' && before !== '' && boot !== before,
    failedSync,
  };
}

function lastBoot(disk: Disk, options: StoreOptions): string {
  const bytes = disk.readWhole(storePaths.boot(options.directory));
  return bytes === undefined ? '' : Buffer.from(bytes).toString('utf8').trim();
}
