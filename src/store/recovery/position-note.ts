/**
 * A note beside the store with a position of the log, for the next opening: durable when it is written, and durably
 * gone before anything is written that it would be wrong about.
 */
import { dirname } from 'node:path';
import type { Disk } from '../disk/disk.ts';
import { positionOf, readState, writeState } from '../small-state.ts';

/** Leaves the note. Durable when it returns; throws when the disk refuses. */
export function writeNote(disk: Disk, path: string, position: number): void {
  writeState(disk, path, { position });
}

/** Its position; undefined without a note, and for a damaged one, of which `warn` hears. */
export function readNote(disk: Disk, path: string, warn: (line: string) => void): number | undefined {
  if (disk.size(path) < 0) return undefined;
  const position = positionOf(readState(disk, path, warn)?.['position']);
  return position < 0 ? undefined : position;
}

/** Throws when it may stay. */
export function removeNote(disk: Disk, path: string): void {
  if (disk.size(path) < 0) return;
  disk.remove(path);
  const outcome = disk.syncDirectory(dirname(path));
  if (outcome < 0)
    throw new Error(`${path} cannot be removed (errno ${-outcome}): remove it before the next start.`);
}
