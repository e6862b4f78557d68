/**
 * The note that an empty log is to begin elsewhere than at 0: a copy has to have its records where they stand in the
 * log of which it is one, and the first files of that may have expired. The next opening makes the log's first file
 * there. The note goes last, so a kill at any moment leaves it, and the opening after it does the same again.
 */
import { join } from 'node:path';
import type { Disk } from '../disk/disk.ts';
import { firstNonZeroInFile } from '../log/find-record.ts';
import { fileNameOf } from '../log/segments.ts';
import type { StoreOptions } from '../options.ts';
import { storePaths } from '../paths.ts';
import type { Tell } from './context.ts';
import { readNote, removeNote, writeNote } from './position-note.ts';

/** Leaves the note. Durable when it returns; throws when the disk refuses. */
export function noteBeginning(disk: Disk, options: StoreOptions, position: number): void {
  writeNote(disk, storePaths.beginning(options.directory), position);
}

/** Does what a note says. A log that holds anything stays as it is. Throws when the disk refuses. */
export function beginElsewhere(disk: Disk, options: StoreOptions, warn: Tell): void {
  const note = storePaths.beginning(options.directory);
  if (disk.size(note) < 0) return;
  const position = readNote(disk, note, warn);
  const { mappedFileSizeCommitLog: fileSize, commitLogDirectory: log } = options;
  const files = disk.list(log).filter((name) => /^\d{20}$/.test(name));
  const isEmpty = files.every((name) => holdsNothing(disk, join(log, name)));
  if (position !== undefined && position % fileSize === 0 && isEmpty)
    makeFirst(disk, options, position, files);
  removeNote(disk, note);
}

function makeFirst(disk: Disk, options: StoreOptions, position: number, files: readonly string[]): void {
  const { mappedFileSizeCommitLog: fileSize, commitLogDirectory: log, preallocateBytes } = options;
  const first = fileNameOf(position);
  // What a kill has left of its making.
  if (disk.size(join(log, first)) === 0) disk.remove(join(log, first));
  const mapping = disk.map(join(log, first), fileSize, Math.min(preallocateBytes, fileSize));
  if (typeof mapping === 'number') {
    throw new Error(`${join(log, first)} cannot be made (errno ${-mapping}): is the disk full?`);
  }
  mapping.close();
  for (const name of files) if (name !== first) disk.remove(join(log, name));
  const outcome = disk.syncDirectory(log);
  if (outcome < 0) throw new Error(`${log} cannot be synced (errno ${-outcome})`);
}

function holdsNothing(disk: Disk, path: string): boolean {
  return disk.size(path) <= 0 || disk.firstData(path, 0) < 0 || firstNonZeroInFile(disk, path, 0) < 0;
}
