/** What node:fs leaves to be wished: making directories on any file system, errors that name their file. */
import { accessSync, constants, mkdirSync, statSync } from 'node:fs';
import { dirname } from 'node:path';

/**
 * Makes a directory and those above it that are missing; what is there already is fine. Throws Node's error for the
 * first path that cannot be made. Node's own `mkdir` with `recursive` never ends where the system says that the
 * directory above does not exist although it does, as /proc does.
 */
export function makeDirectories(path: string): void {
  if (isDirectory(path)) return;
  const above = dirname(path);
  if (above !== path) makeDirectories(above);
  try {
    mkdirSync(path);
  } catch (error) {
    // Another process may have been faster.
    if (!isDirectory(path)) throw error;
  }
}

/** As makeDirectories; throws also when this process may not read, write and enter the directory. */
export function makeUsableDirectory(path: string): void {
  makeDirectories(path);
  accessSync(path, constants.R_OK | constants.W_OK | constants.X_OK);
}

/** Runs `action`; an error of the system that it throws names `path`, which errors of a descriptor do not. */
export function naming<T>(path: string, action: () => T): T {
  try {
    return action();
  } catch (error) {
    if (error instanceof Error && 'code' in error && !('path' in error)) Object.assign(error, { path });
    throw error;
  }
}

function isDirectory(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch {
    return false;
  }
}
