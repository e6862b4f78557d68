/** Making a directory whose name a power cut does not take back. */
import { dirname } from 'node:path';
import type { Disk } from './disk.ts';

/**
 * Makes `path` and what is missing above it; the names are durable when it returns. Throws when it cannot be made or
 * used. Names that are there already are synced as well: a kill may have come between the making of one and its sync.
 */
export function ensureDirectory(disk: Disk, path: string): void {
  disk.makeDirectory(path);
  const parents: string[] = [];
  for (let at = path; dirname(at) !== at; at = dirname(at)) parents.push(dirname(at));
  for (const parent of parents.reverse()) disk.syncDirectory(parent);
}
