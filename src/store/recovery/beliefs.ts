/** What recovery believes of the store as it finds it, told from how the last run ended. */
import type { Checkpoint } from '../log/checkpoint.ts';
import type { FailedSync } from './failed-sync.ts';

/** How the last run ended. */
export interface LastRun {
  /** It removed its abort file: everything was durable and dispatched. */
  clean: boolean;
  /** The machine has not been started since: what was written can still be read, synced or not. */
  sameBoot: boolean;
  /** The machine has been started since, for certain: what can be read is what the disk has. */
  otherBoot: boolean;
  /** The mark of a sync that failed. */
  failedSync: FailedSync | undefined;
}

export interface Beliefs {
  /** The queues are complete and the log is durable. */
  clean: boolean;
  /** Nothing that was written is missing, and nothing was written behind something that is. */
  pageCacheSurvived: boolean;
  /** What can be read may not be on the disk: it is written again before it is synced. */
  writeAgain: boolean;
  /**
   * The record at this position, if the log still has it, and all before it were durable; -1 when nothing is known.
   */
  durableRecord: number;
  /** Queue entries of records before this position count. */
  queuesTrustedUntil: number;
  /**
   * Store time of the last record of an index file that was complete and synced, like all before it, ms; 0 when nothing
   * is known.
   */
  completeIndexTime: number;
}

/** `logStart`: position of the first record that still exists. */
export function beliefsOf(lastRun: LastRun, checkpoint: Checkpoint, logStart: number): Beliefs {
  const { failedSync } = lastRun;
  const clean = lastRun.clean && failedSync === undefined;
  // The record at the checkpoint itself is dispatched again while the log has it: a checkpoint of 0 says nothing about
  // the record at 0.
  const { queuePhysicalOffset } = checkpoint;
  const covered = queuePhysicalOffset + (queuePhysicalOffset >= logStart ? 0 : 1);
  const unmarked = failedSync?.queuesTrustedUntil ?? Number.POSITIVE_INFINITY;
  // Log files go only when the entries of their records are durable, also when no checkpoint could say so.
  const durable = Math.max(Math.min(covered, unmarked), logStart);
  return {
    clean,
    pageCacheSurvived: lastRun.sameBoot && failedSync === undefined,
    writeAgain: !clean && !lastRun.otherBoot,
    durableRecord: queuePhysicalOffset > 0 ? queuePhysicalOffset : -1,
    queuesTrustedUntil: clean ? Number.POSITIVE_INFINITY : durable,
    completeIndexTime: checkpoint.indexTimestamp,
  };
}
