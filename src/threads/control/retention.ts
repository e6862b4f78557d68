/**
 * Deleting what is expired: whole CommitLog files by age (in the set hours, or when the disk fills up), then the queue
 * and index files that point nowhere else. The new start of the log is published first; threads drop their mappings of
 * older files when they see it. Unlinking a mapped file is safe: its blocks are freed when the last mapping goes.
 */
import { statfsSync } from 'node:fs';
import { join } from 'node:path';
import type { ControlLog } from '../../control/log.ts';
import type { Clock } from '../../lib/clock.ts';
import { readInt64 } from '../../lib/int64.ts';
import { APPENDED, LOG_START, type Positions } from '../../ring/positions.ts';
import type { Disk } from '../../store/disk/disk.ts';
import { END_PHYSICAL, INDEX_HEADER_BYTES } from '../../store/index/index-layout.ts';
import { listIndexFiles } from '../../store/index/key-index.ts';
import { fileNameOf, listSegments } from '../../store/log/segments.ts';
import type { StoreOptions } from '../../store/options.ts';
import { storePaths } from '../../store/paths.ts';
import { ENTRY_BYTES, queueDirectoryPath } from '../../store/queue/consume-queue.ts';
import type { QueueDirectory } from '../../store/queue/queue-directory.ts';
import { firstWhere } from '../../store/recovery/queue-recovery.ts';

/** RocketMQ's levels of the used share of the disk. */
const DELETE_BY_TIME = 0.75;
const DELETE_BY_FORCE = 0.85;
const REFUSE_WRITES = 0.9;
/** Files deleted per round (deleteFileBatchMax). */
const BATCH = 10;
/** Queues looked at before others get their turn. */
const SWEEP = 256;
const HOUR_MS = 3_600_000;

export interface RetentionParts {
  disk: Disk;
  options: StoreOptions;
  positions: Positions;
  directory: QueueDirectory;
  clock: Clock;
  log: ControlLog;
  /** All queues that are known. */
  queues: () => Iterable<{ topic: string; queueId: number; id: number }>;
  /** Log position of a queue's entry, or -1. */
  positionOf: (topic: string, queueId: number, queueOffset: number) => number;
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
    if (deleted > 0) await this.#followLog();
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

  /** Moves the queues' minima up to the log's start and deletes what lies before them. */
  async #followLog(): Promise<void> {
    let looked = 0;
    for (const queue of this.#parts.queues()) {
      this.#followQueue(queue);
      if (++looked % SWEEP === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    this.#deleteIndexFiles();
  }

  #followQueue({ topic, queueId, id }: { topic: string; queueId: number; id: number }): void {
    const { directory, positions, positionOf, options, disk } = this.#parts;
    const before = directory.minimum(id);
    const maximum = directory.maximum(id);
    const start = positions.get(LOG_START);
    const minimum = firstWhere(before, maximum, (offset) => positionOf(topic, queueId, offset) >= start);
    if (minimum === before) return;
    directory.setMinimum(id, minimum);
    const perFile = options.mappedFileSizeConsumeQueue / ENTRY_BYTES;
    // The newest file stays even when it is all expired: the queue's numbering goes on from it.
    const kept = Math.floor(Math.min(minimum, maximum - 1) / perFile) * options.mappedFileSizeConsumeQueue;
    const path = queueDirectoryPath(storePaths.consumeQueue(options.directory), topic, queueId);
    for (const name of disk.list(path)) {
      if (/^\d{20}$/.test(name) && Number(name) < kept) disk.remove(join(path, name));
    }
  }

  #deleteIndexFiles(): void {
    const { disk, options, positions } = this.#parts;
    const directory = storePaths.index(options.directory);
    const header = new Uint8Array(INDEX_HEADER_BYTES);
    for (const name of listIndexFiles(disk, directory).slice(0, -1)) {
      const file = disk.open(join(directory, name), -1);
      if (typeof file === 'number') continue;
      const read = file.read(0, header, 0, INDEX_HEADER_BYTES);
      file.close();
      if (read !== INDEX_HEADER_BYTES) continue;
      const end = readInt64(new DataView(header.buffer), END_PHYSICAL);
      if (end < positions.get(LOG_START)) disk.remove(join(directory, name));
    }
  }
}
