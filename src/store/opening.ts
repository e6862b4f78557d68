/**
 * Opening and closing a store's directory: the lock, the abort file, recovery, checkpoints. Everything that is true of
 * a store however many threads serve it afterwards.
 */
import type { Clock } from '../lib/clock.ts';
import {
  APPENDED,
  DISPATCHED,
  DISPATCHED_RECORD,
  DISPATCHED_TIME,
  FLUSHED,
  FLUSHED_TIME,
  HALT_THREAD_DIED,
  HALTED,
  INDEX_COMPLETED_TIME,
  LOG_START,
  type Positions,
} from '../ring/positions.ts';
import type { Disk } from './disk/disk.ts';
import { ensureDirectory } from './disk/ensure-directory.ts';
import { LedgerKeeper } from './ledger-keeper.ts';
import { type Checkpoint, readCheckpoint, writeCheckpoint } from './log/checkpoint.ts';
import { checkStoreOptions, type StoreOptions } from './options.ts';
import { storePaths } from './paths.ts';
import type { QueueDirectory } from './queue/queue-directory.ts';
import { readLedger } from './queue-ledger.ts';
import type { LastRun } from './recovery/beliefs.ts';
import { readFailedSync } from './recovery/failed-sync.ts';
import { type Recovered, recoverStore } from './recovery/recover.ts';
import { SyncMark } from './sync-mark.ts';
import { TopicBirths } from './topic-births.ts';

const EAGAIN = 11;
const EACCES = 13;
/** Between two tries to write what must be written before anything else goes on. */
const RETRY_MS = 1000;

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
  progress: (line: string) => void;
  /** One line for a person who must know: what was found damaged, and what was done. */
  warn: (line: string) => void;
}

export class OpenStore {
  readonly recovered: Recovered;
  readonly births: TopicBirths;
  /** Where the log began when the store was opened: what was deleted of it before then stays deleted. */
  readonly #logStart: number;
  readonly #ledger: LedgerKeeper;
  readonly #mark: SyncMark;
  readonly #parts: OpeningParts;
  readonly #lock: number;
  #checkpoint: Checkpoint;
  #sample: { position: number; time: number };

  private constructor(
    parts: OpeningParts,
    lock: number,
    recovered: Recovered,
    births: TopicBirths,
    ledgerEnd: number,
  ) {
    this.births = births;
    this.#logStart = parts.positions.get(LOG_START);
    this.#ledger = new LedgerKeeper(parts, ledgerEnd);
    this.#mark = new SyncMark(parts.disk, parts.options);
    this.#parts = parts;
    this.#lock = lock;
    this.recovered = recovered;
    this.#checkpoint = readCheckpoint(parts.disk, storePaths.checkpoint(parts.options.directory));
    this.#sample = { position: this.#checkpoint.queuePhysicalOffset, time: this.#checkpoint.queueTimestamp };
  }

  /** Locks, recovers and marks the store as running. Throws with a sentence that says what to do. */
  static open(parts: OpeningParts): OpenStore {
    const { disk, options } = parts;
    checkStoreOptions(options);
    ensureDirectory(disk, options.commitLogDirectory);
    ensureDirectory(disk, storePaths.consumeQueue(options.directory));
    ensureDirectory(disk, storePaths.config(options.directory));
    const lock = takeLock(disk, options.directory);
    try {
      const lastRun = lastRunOf(parts);
      const births = TopicBirths.load(disk, options, parts.warn);
      const ledger = readLedger(disk, options, parts.warn);
      const recovered = recoverStore({ ...parts, lastRun, births, ledger });
      disk.writeWhole(storePaths.abort(options.directory), Buffer.from(String(process.pid)));
      disk.writeWhole(storePaths.boot(options.directory), Buffer.from(disk.boot()));
      return new OpenStore(parts, lock, recovered, births, ledger?.end ?? -1);
    } catch (error) {
      disk.unlock(lock);
      throw error;
    }
  }

  /**
   * Makes queue entries durable and notes how far they reach. The position is sampled first: what it names was
   * written before the sync began. Resolves false when the disk refused; the old checkpoint then stays.
   */
  async checkpoint(): Promise<boolean> {
    const { positions, disk } = this.#parts;
    const now = { position: positions.get(DISPATCHED_RECORD), time: positions.get(DISPATCHED_TIME) };
    const flushed = positions.get(FLUSHED);
    // Recovery must find a record where the checkpoint points, so the log too has to be durable that far. Under load
    // the newest record never is; the one sampled at the previous checkpoint is by now.
    const sample = flushed > now.position ? now : this.#sample;
    this.#sample = now;
    const next: Checkpoint = { ...this.#checkpoint };
    next.logTimestamp = Math.max(next.logTimestamp, positions.get(FLUSHED_TIME));
    next.indexTimestamp = Math.max(next.indexTimestamp, positions.get(INDEX_COMPLETED_TIME));
    if (flushed > sample.position && sample.position >= next.queuePhysicalOffset) {
      next.queuePhysicalOffset = sample.position;
      next.queueTimestamp = sample.time;
    }
    const isNews = JSON.stringify(next) !== JSON.stringify(this.#checkpoint);
    if (!isNews && !this.#mark.waitsForCheckpoint) return true;
    const ledger = this.#ledger.sample();
    if ((await disk.syncRangeFiles()) < 0) {
      // What could not be written is clean now, and the next sync will not find it.
      this.#mark.leave(this.#checkpoint.queuePhysicalOffset);
      return false;
    }
    if (!this.#mark.isLeft()) return false;
    this.#ledger.write(ledger);
    writeCheckpoint(disk, storePaths.checkpoint(this.#parts.options.directory), next);
    this.#checkpoint = next;
    this.#mark.settle();
    return true;
  }

  /**
   * The topic is deleted, and no record before `position` counts any more, whoever reads the log again: durable when
   * this returns. Throws when the disk refuses, and nothing has changed.
   */
  endTopic(topic: string, position: number): void {
    const start = this.#logStart;
    const { written } = this.#ledger;
    // A ledger from before a deletion has rows of the old topic: until there is a newer one its end must be known.
    this.births.ended(topic, position, written < 0 ? start : Math.min(start, written - 1));
  }

  /** The same; resolves when it is done: what the disk refuses is tried again. */
  async topicEnded(topic: string, position: number): Promise<void> {
    const { positions, warn } = this.#parts;
    for (let tries = 0; ; tries++) {
      try {
        this.endTopic(topic, position);
        return;
      } catch (error) {
        const { code, message } = error as NodeJS.ErrnoException;
        if (code === undefined || positions.halted || positions.stopping) throw error;
        if (tries === 0)
          warn(`the end of topic ${topic} cannot be noted yet, its name stays taken: ${message}`);
        await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
      }
    }
  }

  /** Lets go of the store after a death: it stays marked as not cleanly closed. */
  abandon(): void {
    this.#markWhenHalted();
    this.#parts.disk.unlock(this.#lock);
  }

  /**
   * After all threads have stopped: checkpoint and, when everything appended is durable and dispatched, removal of the
   * abort file. Resolves whether the stop counts as clean.
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
    if (!this.#mark.leave(this.#checkpoint.queuePhysicalOffset)) {
      warn('the disk has failed, and refuses a note about that for the next start');
    }
  }
}

function takeLock(disk: Disk, directory: string): number {
  const lock = disk.lock(storePaths.lock(directory));
  if (lock >= 0) return lock;
  if (lock === -EAGAIN || lock === -EACCES) {
    throw new Error(
      `The store ${directory} is in use by another broker: stop that one, or use another store directory.`,
    );
  }
  throw new Error(`Cannot lock the store ${directory} (errno ${-lock}).`);
}

function lastRunOf({ disk, options, warn }: OpeningParts): LastRun {
  const boot = disk.boot();
  const before = lastBoot(disk, options);
  const failedSync = readFailedSync(disk, options, warn);
  if (failedSync !== undefined) {
    warn('a sync of the disk failed in the last run: what it left is trusted no more than after a power cut');
  }
  return {
    clean: disk.size(storePaths.abort(options.directory)) < 0,
    sameBoot: boot !== '' && boot === before,
    otherBoot: boot !== '' && before !== '' && boot !== before,
    failedSync,
  };
}

function lastBoot(disk: Disk, options: StoreOptions): string {
  const bytes = disk.readWhole(storePaths.boot(options.directory));
  return bytes === undefined ? '' : Buffer.from(bytes).toString('utf8').trim();
}
