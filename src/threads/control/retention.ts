/**
 * Deleting what is expired: whole CommitLog files by age (in the set hours, or when the disk fills up), then the queue
 * and index files that point nowhere else. The new start of the log is published first; threads drop their mappings of
 * older files when they see it. Unlinking a mapped file is safe: its blocks are freed when the last mapping goes.
 */
import { statfsSync } from 'node:fs';
import { join } from 'node:path';
import type { ControlLog } from '../../control/log.ts';
import type { Clock } from '../../lib/clock.ts';
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

export interface RetentionParts {
  disk: Disk;
  options: StoreOptions;
  positions: Positions;
  clock: Clock;
  log: ControlLog;
  /** Moves the queues' minima up to the log's start and deletes the queue and index files before it: a job. */
  followLog: () => Promise<void>;
  /** The log's start has moved: every thread shall look. */
  announce: () => void;
}

export class Retention {
  readonly #parts: RetentionParts;

  constructor(parts: RetentionParts) {
    this.#parts = parts;
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
    const ratio = this.diskRatio();
    const forced = ratio > DELETE_BY_FORCE;
    if (!now && !forced && ratio <= DELETE_BY_TIME && !this.#isTheHour()) return 0;
    const deleted = this.#deleteLogFiles(forced);
    if (deleted > 0) await this.#parts.followLog();
    return deleted;
  }

  #isTheHour(): boolean {
    const hour = new Date(this.#parts.clock.now()).getHours();
    return this.#parts.options.deleteWhen.split(';').some((text) => Number(text) === hour);
  }

  #deleteLogFiles(forced: boolean): number {
    const { disk, options, positions, clock, log, announce } = this.#parts;
    const end = positions.get(APPENDED);
    const doomed: string[] = [];
    let start = positions.get(LOG_START);
    for (const fileStart of listSegments(disk, options.commitLogDirectory, options.mappedFileSizeCommitLog)) {
      const fileEnd = fileStart + options.mappedFileSizeCommitLog;
      if (doomed.length >= BATCH || fileEnd > end - (end % options.mappedFileSizeCommitLog)) break;
      const path = join(options.commitLogDirectory, fileNameOf(fileStart));
      const age = clock.now() - disk.modified(path);
      if (!forced && age < options.fileReservedTime * HOUR_MS) break;
      doomed.push(path);
      start = fileEnd;
    }
    if (doomed.length === 0) return 0;
    positions.set(LOG_START, start);
    announce();
    for (const path of doomed) disk.remove(path);
    log.info({ files: doomed.length, start, forced }, 'expired CommitLog files deleted');
    return doomed.length;
  }
}
