/**
 * Deleting what is expired: whole CommitLog files by age (in the set hours, or when the disk fills up), then the queue
 * and index files that point nowhere else. The new start of the log is published first; threads drop their mappings of
 * older files when they see it. Unlinking a mapped file is safe: its blocks are freed when the last mapping goes.
 */
import { statfsSync } from 'node:fs';
import { basename, join } from 'node:path';
import { type Clock, SteadyTime } from '../../lib/clock.ts';
import { type ControlLog, whyFailed } from '../../lib/log.ts';
import { APPENDED, LOG_START, type Positions } from '../../ring/positions.ts';
import type { Disk } from '../disk/disk.ts';
import { fileNameOf, listSegments } from '../log/segments.ts';
import type { StoreOptions } from '../options.ts';

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
  /**
   * Whether the log up to a position may go: queues that end there cannot be built from it again, so their entries must
   * be durable. A checkpoint should say so too, as recovery begins at the log's start otherwise; but when `forced` that
   * is no condition: a full disk may refuse to write one.
   */
  mayGo: (position: number, forced: boolean) => Promise<boolean>;
  /** Unlinks a file, which takes long for a large one: not in this thread. */
  removeFile: (path: string) => Promise<void>;
  /** Moves the queues' minima up to the log's start and deletes the queue and index files before it: a job. */
  followLog: () => Promise<void>;
  /** The log's start has moved: every thread shall look. */
  announce: () => void;
  /** Of what is not due yet, the oldest record of each kind, as far as is known. */
  needed?: () => readonly NeededRecord[];
}

/** A record that somebody waits for. */
export interface NeededRecord {
  /** Where the records of its kind wait. */
  topic: string;
  position: number;
}

export class Retention {
  readonly #parts: RetentionParts;
  /** What the files' ages are reckoned from. */
  readonly #time: SteadyTime;
  #running: Promise<unknown> = Promise.resolve();
  #isRunning = false;
  /** The queues do not know of the log's start yet: a round failed on the way to it. */
  #toFollow = false;
  /** Expired files had to stay in the last round. */
  #held = false;

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

  /** Of the store's file system; `free` counts what only root may use, as RocketMQ does. */
  diskBytes(): { total: number; free: number } {
    const { blocks, bfree, bsize } = statfsSync(this.#parts.options.commitLogDirectory);
    return { total: blocks * bsize, free: bfree * bsize };
  }

  /** Whether the disk is too full to take messages. */
  refusesWrites(ratio: number): boolean {
    return ratio > this.#parts.options.diskSpaceWarningLevelRatio / 100;
  }

  /**
   * One round; `now` deletes expired files whatever the hour. Resolves how many files went. One round at a time: a
   * second one begins when the first has ended, and one that nobody asked for is left out then.
   */
  run(now = false): Promise<number> {
    if (this.#isRunning && !now) return Promise.resolve(0);
    const round = this.#running.then(() => this.#round(now));
    this.#running = round.catch(() => {});
    return round;
  }

  async #round(now: boolean): Promise<number> {
    this.#isRunning = true;
    try {
      return await this.#clean(now);
    } finally {
      this.#isRunning = false;
    }
  }

  async #clean(now: boolean): Promise<number> {
    if (this.#toFollow) await this.#follow();
    const time = this.#time.now();
    const ratio = this.diskRatio();
    const forced = this.#frees(ratio);
    const filling = ratio > this.#parts.options.diskMaxUsedSpaceRatio / 100;
    if (!now && !forced && !filling && !this.#isTheHour()) return 0;
    const { paths, end } = this.#expired(time, forced);
    if (paths.length === 0 || !(await this.#mayGo(end, forced))) return 0;
    this.#toFollow = true;
    await this.#delete(paths, end, forced);
    await this.#follow();
    return paths.length;
  }

  async #follow(): Promise<void> {
    await this.#parts.followLog();
    this.#toFollow = false;
  }

  async #mayGo(end: number, forced: boolean): Promise<boolean> {
    const { mayGo, log } = this.#parts;
    const may = await mayGo(end, forced);
    if (!may && !this.#held) {
      log.warn(
        { to: end, forced },
        'expired CommitLog files stay until their queue entries are durable and a checkpoint says so',
      );
    }
    this.#held = !may;
    return may;
  }

  /** Whether the disk is so full that files go before their time: RocketMQ's rule, the one that refuses included. */
  #frees(ratio: number): boolean {
    const { cleanFileForciblyEnable, diskSpaceCleanForciblyRatio } = this.#parts.options;
    if (!cleanFileForciblyEnable) return false;
    return ratio > diskSpaceCleanForciblyRatio / 100 || this.refusesWrites(ratio);
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

  /** Oldest first, one after the other: whenever that is cut short, what is left is a log without gap. */
  async #delete(paths: readonly string[], end: number, forced: boolean): Promise<void> {
    const { positions, log, announce, removeFile } = this.#parts;
    const needed = this.#needed();
    // A file of an earlier round that could not be unlinked may lie before the log's start.
    positions.set(LOG_START, Math.max(end, positions.get(LOG_START)));
    announce();
    for (const path of paths) {
      this.#tellLoss(path, needed);
      await removeFile(path);
    }
    const what = forced
      ? 'the oldest CommitLog files deleted, as the disk is full'
      : 'expired CommitLog files deleted';
    log.info({ files: paths.length, logStart: end }, what);
  }

  /** A queue that cannot be read must not keep a full disk full. */
  #needed(): readonly NeededRecord[] {
    const { needed, log } = this.#parts;
    try {
      return needed?.() ?? [];
    } catch (error) {
      log.warn(
        whyFailed(error),
        'nobody can tell whether expired CommitLog files hold messages that are not due yet',
      );
      return [];
    }
  }

  /** Records that are not due yet go with their file: then nothing is ever delivered of them. */
  #tellLoss(path: string, needed: readonly NeededRecord[]): void {
    const { options, log } = this.#parts;
    const end = Number(basename(path)) + options.mappedFileSizeCommitLog;
    for (const { topic, position } of needed) {
      if (position >= end) continue;
      log.warn(
        { file: path, topic, position, fileReservedTime: options.fileReservedTime },
        'a deleted CommitLog file may hold messages that are not due yet: they are lost. ' +
          'Raise fileReservedTime above the longest delay and free some space on the disk',
      );
    }
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
