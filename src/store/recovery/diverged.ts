/**
 * The note that a copy has to be cut: from a position on the log here holds other messages than the log of which it is
 * a copy. The next opening cuts there as it cuts a torn tail, keeps what it cuts beside the log, and removes the note
 * before anything new is written; a kill at any moment leaves the note, and the opening after it does the same again.
 */
import type { Disk } from '../disk/disk.ts';
import type { StoreOptions } from '../options.ts';
import { storePaths } from '../paths.ts';
import { readNote, removeNote, writeNote } from './position-note.ts';

/** Leaves the note. Durable when it returns; throws when the disk refuses. */
export function noteDiverged(disk: Disk, { directory }: StoreOptions, position: number): void {
  writeNote(disk, storePaths.diverged(directory), position);
}

/** Where the log is to be cut; undefined when it is not, also when the note is damaged: it would be found again. */
export function readDiverged(
  disk: Disk,
  { directory }: StoreOptions,
  warn: (line: string) => void,
): number | undefined {
  return readNote(disk, storePaths.diverged(directory), warn);
}

/** The log is cut, or cannot be. Throws when the note may stay, which would cut again what is written from now on. */
export function removeDivergedNote(disk: Disk, { directory }: StoreOptions): void {
  removeNote(disk, storePaths.diverged(directory));
}
