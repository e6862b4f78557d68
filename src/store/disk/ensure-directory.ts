/** Making a directory whose name a power cut does not take back. */
import { dirname } from 'node:path';
import type { Disk } from './disk.ts';

/**
 * Makes each of `paths` and what is missing above it; the names are durable when it returns. Throws when one cannot be
 * made or used. Names that are there already are synced as well: a kill may have come between the making of one and its
 * sync.
 */
export function ensureDirectory(disk: Disk, ...paths: readonly string[]): void {
  const parents = new Set<string>();
  for (const path of paths) {
    disk.makeDirectory(path);
    for (let at = path; dirname(at) !== at; at = dirname(at)) parents.add(dirname(at));
  }
  // From the top: what stands in a directory counts when the directory does.
  for (const parent of [...parents].sort((a, b) => a.length - b.length)) disk.syncDirectory(parent);
}
