/** What the steps of a recovery share. */
import type { Clock } from '../../lib/clock.ts';
import type { Positions } from '../../ring/positions.ts';
import type { Disk, Mapping } from '../disk/disk.ts';
import { errnoName } from '../disk/errors.ts';
import { RecordCheck } from '../log/record-check.ts';
import { listSegments, removeUnmadeSegments, Segments } from '../log/segments.ts';
import type { StoreOptions } from '../options.ts';
import type { QueueDirectory } from '../queue/queue-directory.ts';
import type { QueueLedger } from '../queue-ledger.ts';
import type { TopicStarts } from '../topic-starts.ts';
import type { LastRun } from './beliefs.ts';

export interface RecoveryParts {
  disk: Disk;
  options: StoreOptions;
  positions: Positions;
  directory: QueueDirectory;
  clock: Clock;
  delayMillis: readonly number[];
  lastRun: LastRun;
  starts: TopicStarts;
  /** Where the log is to end at the latest: a copy that differs from there on. */
  cutAt?: number | undefined;
  /** What the last checkpoint knew of queues and index; undefined without one. */
  ledger: QueueLedger | undefined;
  /** Gives a queue its id in the directory; same queue, same id. */
  idOf: (topic: string, queueId: number) => number;
  /** One line for a person who waits. */
  progress: Tell;
  /** One line for a person who must know: what was found damaged, and what was done. */
  warn: Tell;
  /** Before the log is read: the last run did not end as it should, and so much of the log is to be read. */
  notClean?: ((fields: { from: number; atMost: number; logStart: number }) => void) | undefined;
}

/** A sentence, and its numbers for programs. */
export type Tell = (line: string, fields?: object) => void;

/** The log's files as they were found. */
export interface LogFiles {
  segments: Segments;
  /** Position of the first record that still exists. */
  start: number;
  /** End of the last file that anybody has written to: no record is sought behind it. */
  limit: number;
  /**
   * Starts of files that nobody has written to, made ahead of need: a GiB each that need not be read to know that. To
   * be asked before anything of them is read: pages in memory count as data.
   */
  unwritten: ReadonlySet<number>;
}

/**
 * Removes what a crash left of a file that was being made, and lists the others. Throws when one of them cannot be
 * opened.
 */
export function openLogFiles({ disk, options }: RecoveryParts): LogFiles {
  const { commitLogDirectory, mappedFileSizeCommitLog } = options;
  removeUnmadeSegments(disk, commitLogDirectory);
  const starts = listSegments(disk, commitLogDirectory, mappedFileSizeCommitLog);
  const segments = new Segments(disk, commitLogDirectory, mappedFileSizeCommitLog);
  const unwritten = starts.filter((start) => disk.firstData(segments.pathOf(start), 0) < 0);
  const last = starts.findLast((start) => !unwritten.includes(start)) ?? starts[0];
  for (const start of starts) {
    requireMapping(segments, start);
    segments.dropBefore(start + mappedFileSizeCommitLog);
  }
  return {
    segments,
    start: starts[0] ?? 0,
    limit: last === undefined ? 0 : last + mappedFileSizeCommitLog,
    unwritten: new Set(unwritten),
  };
}

/**
 * The mapping that holds `position` of a file that is there. Throws when it cannot be opened: that is no end of the
 * log, and what cuts there would take away sound messages.
 */
export function requireMapping(segments: Segments, position: number): Mapping {
  const mapping = segments.at(position);
  if (mapping !== undefined) return mapping;
  throw new Error(
    `The CommitLog file ${segments.pathOf(position)} cannot be opened (${errnoName(segments.lastError)}): ` +
      'this user has to be allowed to read and write it, and to open so many files.',
  );
}

/** `position` when a sound record starts there, else the start of its file, else the start of the log. */
export function soundStart({ segments, start, limit }: LogFiles, position: number): number {
  if (position <= start || position > limit) return start;
  if (position === limit) return limit;
  const at = segments.offsetOf(position);
  if (new RecordCheck().check(requireMapping(segments, position), at, position - at)) return position;
  return position - at;
}

export function gib(bytes: number): string {
  return (bytes / 1024 ** 3).toFixed(2);
}
