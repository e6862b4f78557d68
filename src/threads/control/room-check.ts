/** At the start: whether the disk can hold what the broker will want of it. */
import { statfsSync } from 'node:fs';
import type { ControlLog } from '../../lib/log.ts';
import type { StoreOptions } from '../../store/options.ts';

const MIB = 1024 * 1024;

/** Warns when the disk has no room for a whole CommitLog file more. `free` in bytes. */
export function warnOfLittleRoom(
  options: StoreOptions,
  log: ControlLog,
  free: number = freeBytes(options.commitLogDirectory),
): void {
  const { commitLogDirectory, mappedFileSizeCommitLog } = options;
  if (free >= mappedFileSizeCommitLog) return;
  log.warn(
    { directory: commitLogDirectory, freeBytes: free, fileBytes: mappedFileSizeCommitLog },
    `the disk of ${commitLogDirectory} has ${mib(free)} MiB left, and a CommitLog file grows to ` +
      `${mib(mappedFileSizeCommitLog)} MiB: sends are refused when it is full. Free some space, choose another place ` +
      'for the store, or set a smaller mappedFileSizeCommitLog for a new one.',
  );
}

function freeBytes(directory: string): number {
  const { bavail, bsize } = statfsSync(directory);
  return bavail * bsize;
}

function mib(bytes: number): number {
  return Math.floor(bytes / MIB);
}
