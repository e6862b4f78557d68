/**
 * The note that a copy has to be cut: from a position on the log here holds other messages than the log of which it is
 * a copy. The next opening cuts there as it cuts a torn tail, keeps what it cuts beside the log, and removes the note
 * before anything new is written; a kill at any moment leaves the note, and the opening after it does the same again.
 */
import { dirname } from 'node:path';
import type { Disk } from '../disk/disk.ts';
import type { StoreOptions } from '../options.ts';
import { storePaths } from '../paths.ts';
import { positionOf, readState, writeState } from '../small-state.ts';

/** Leaves the note. Durable when it returns; throws when the disk refuses. */
export function noteDiverged(disk: Disk, options: StoreOptions, position: number): void {
  writeState(disk, storePaths.diverged(options.directory), { position });
}

/** Where the log is to be cut; undefined when it is not, also when the note is damaged: it would be found again. */
export function readDiverged(
  disk: Disk,
  options: StoreOptions,
  warn: (line: string) => void,
): number | undefined {
  const path = storePaths.diverged(options.directory);
  if (disk.size(path) < 0) return undefined;
  const position = positionOf(readState(disk, path, warn)?.['position']);
  return position < 0 ? undefined : position;
}

/** The log is cut, or cannot be. Throws when the note may stay, which would cut again what is written from now on. */
export function removeDivergedNote(disk: Disk, options: StoreOptions): void {
  const path = storePaths.diverged(options.directory);
  if (disk.size(path) < 0) return;
  disk.remove(path);
  const outcome = disk.syncDirectory(dirname(path));
  if (outcome < 0)
    throw new Error(`${path} cannot be removed (errno ${-outcome}): remove it before the next start.`);
}
