/**
 * The mark that a failed sync leaves.
 *
 * After a failed write-back the kernel may hold pages that read well, count as clean and are not on the disk: a later
 * sync passes them over and says that all is well. Only writing them again helps. So whoever sees a sync fail leaves a
 * mark beside the store (`ringmq.failed-sync`), and the next start trusts no more than after a power cut, even when the
 * stop was clean: queue entries of records from the mark's position on are entered again from the log, index files that
 * no checkpoint vouches for are made anew, and the log is written again. The mark goes when all that is durable.
 */
import type { Disk } from '../disk/disk.ts';
import type { StoreOptions } from '../options.ts';
import { storePaths } from '../paths.ts';
import { positionOf, readState, writeState } from '../small-state.ts';

export interface FailedSync {
  /** Queue entries of records before this position were durable before the sync failed. */
  queuesTrustedUntil: number;
}

export function readFailedSync(
  disk: Disk,
  options: StoreOptions,
  warn: (line: string) => void,
): FailedSync | undefined {
  const path = storePaths.failedSync(options.directory);
  if (disk.size(path) < 0) return undefined;
  // A mark that cannot be read is a mark all the same.
  const position = positionOf(readState(disk, path, warn)?.['queuesTrustedUntil']);
  return { queuesTrustedUntil: Math.max(position, 0) };
}

/** Leaves the mark, or lowers the one that is there. Durable when it returns; throws when the disk refuses. */
export function markFailedSync(disk: Disk, options: StoreOptions, queuesTrustedUntil: number): void {
  const before = readFailedSync(disk, options, () => {});
  if (before !== undefined && before.queuesTrustedUntil <= queuesTrustedUntil) return;
  writeState(disk, storePaths.failedSync(options.directory), { queuesTrustedUntil });
}
