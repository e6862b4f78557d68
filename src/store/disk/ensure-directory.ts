/** Making a directory whose name a power cut does not take back. */
import { dirname } from 'node:path';
import type { Disk } from './disk.ts';

/**
 * Makes `path` and what is missing above it; the names are durable when it returns. Throws when that, or the use of
 * `path`, is not possible.
 */
export function ensureDirectory(disk: Disk, path: string): void {
  const missing: string[] = [];
  for (let at = path; !isDirectory(disk, at) && dirname(at) !== at; at = dirname(at)) missing.push(at);
  disk.makeDirectory(path);
  for (const made of missing.reverse()) disk.syncDirectory(dirname(made));
}

/** What cannot be looked at is told by the attempt to make it, with the place that is in the way. */
function isDirectory(disk: Disk, path: string): boolean {
  try {
    return disk.isDirectory(path);
  } catch {
    return false;
  }
}
