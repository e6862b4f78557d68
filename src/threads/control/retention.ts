/**
 * Deleting what is expired: whole CommitLog files by age (in the set hours, or when the disk fills up), then the queue
 * and index files that point nowhere else. The new start of the log is published first; threads drop their mappings of
 * older files when they see it. Unlinking a mapped file is safe: its blocks are freed when the last mapping goes.
 */
import { statfsSync } from 'node:fs';
import { join } from 'node:path';
import type { ControlLog } from '../../control/log.ts';
import { type Clock, SteadyTime } from '../../lib/clock.ts';
import { APPENDED, LOG_START, type Positions } from '../../ring/positions.ts';
import type { Disk } from '../../store/disk/disk.ts';
import { fileNameOf, listSegments } from '../../store/log/segments.ts';
import type { StoreOptions } from '../../store/options.ts';

/** RocketMQ's levels of the used share of the disk. */
const DELETE_BY_TIME = 0.75;
const DELETE_BY_FORCE = 0.85;
const REFUSE_WRITES = 0.9;
/** Files deleted per round (deleteFileBatchMax). */
const BATCH = 10;
const HOUR_MS = 3_600_000;
/** Times of files are a little finer than the clock's, and the clock is corrected. */
const FUTURE_TOLERANCE_MS = 60_000;
/**
 * A step of the clock makes no file older before it has lasted for so long: what is deleted does not come back. A clock
 * that is ahead of the newest file at the start counts as a step too: nobody knows whether the store rested so long.
 */
const BELIEVE_STEP_MS = HOUR_MS;

export interface RetentionParts {
  disk: Disk;
  options: StoreOptions;
  positions: Positions;
  clock: Clock;
  log: ControlLog;
  /** Resolves when the log up to the position is durable, dispatched and covered by a checkpoint. */
  settled: (position: number) => Promise<void>;
  /** Moves the queues' minima up to the log's start and deletes the queue and index files before it: a job. */
  followLog: () => Promise<void>;
  /** The log's start has moved: every thread shall look. */
  announce: () => void;
}

export class Retention {
  readonly #parts: RetentionParts;
  /** What the files' ages are reckoned from. */
  readonly #time: SteadyTime;

  constructor(parts: RetentionParts) {
    this.#parts = parts;
    const modified = this.#files().map((file) => file.modified);
    this.#time = new SteadyTime(parts.clock, BELIEVE_STEP_MS, Math.max(...modified));
  }

  /** Used share of the store's file system, 0 to 1. */
  diskRatio(): number {
    const { blocks, bavail, bfree } = statfsSync(this.#parts.options.commitLogDirectory);
    const used = blocks - bfree;
    return used / (used + bavail);
  }

  /** Whether the disk is too full to take messages. */
  refusesWrites(ratio: number): boolean {
    return ratio > REFUSE_WRITES;
  }

  /** One round; `now` deletes expired files whatever the hour. Returns how many files went. */
  async run(now = false): Promise<number> {
    const time = this.#time.now();
    const ratio = this.diskRatio();
    const forced = ratio > DELETE_BY_FORCE;
    if (!now && !forced && ratio <= DELETE_BY_TIME && !this.#isTheHour()) return 0;
    const { paths, end } = this.#expired(time, forced);
    if (paths.length === 0) return 0;
    // A checkpoint that still needs these files would make a recovery find less than the queues know.
    await this.#parts.settled(end);
    this.#delete(paths, end, forced);
    await this.#parts.followLog();
    return paths.length;
  }

  #isTheHour(): boolean {
    const hour = new Date(this.#parts.clock.now()).getHours();
    return this.#parts.options.deleteWhen.split(';').some((text) => Number(text) === hour);
  }

  /** The oldest files that may go, and the position where the log begins without them. */
  #expired(time: number, forced: boolean): { paths: string[]; end: number } {
    const { options, positions } = this.#parts;
    const { mappedFileSizeCommitLog, fileReservedTime } = options;
    const appended = positions.get(APPENDED);
    const inUse = appended - (appended % mappedFileSizeCommitLog);
    const paths: string[] = [];
    let end = positions.get(LOG_START);
    const files = this.#files();
    const ages = agesOf(
      files.map(({ modified }) => modified),
      time,
    );
    for (const [i, { start, path }] of files.entries()) {
      if (paths.length >= BATCH || start >= inUse) break;
      if (!forced && (ages[i] as number) < fileReservedTime * HOUR_MS) break;
      paths.push(path);
      end = start + mappedFileSizeCommitLog;
    }
    return { paths, end };
  }

  /** The CommitLog's files, oldest first. */
  #files(): { start: number; path: string; modified: number }[] {
    const { disk, options } = this.#parts;
    const { commitLogDirectory, mappedFileSizeCommitLog } = options;
    return listSegments(disk, commitLogDirectory, mappedFileSizeCommitLog).map((start) => {
      const path = join(commitLogDirectory, fileNameOf(start));
      return { start, path, modified: disk.modified(path) };
    });
  }

  #delete(paths: readonly string[], end: number, forced: boolean): void {
    const { disk, positions, log, announce } = this.#parts;
    positions.set(LOG_START, end);
    announce();
    for (const path of paths) disk.remove(path);
    log.info({ files: paths.length, start: end, forced }, 'expired CommitLog files deleted');
  }
}

/**
 * Ages in ms of files that were written one after the other, given when they were modified. Such a time is wrong where
 * the clock was: none lies in the future, and none before that of an older file. A file counts as young as its
 * neighbours say then; one of which nobody knows counts as new.
 */
function agesOf(modified: readonly number[], now: number): number[] {
  let known = now;
  const finished = modified.toReversed().map((time) => {
    if (time <= now + FUTURE_TOLERANCE_MS) known = time;
    return known;
  });
  let latest = Number.NEGATIVE_INFINITY;
  return finished.reverse().map((time) => {
    latest = Math.max(latest, time);
    return now - latest;
  });
}
