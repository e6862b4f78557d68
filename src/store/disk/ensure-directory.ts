/** Making a directory whose name a power cut does not take back. */
import { dirname } from 'node:path';
import type { Disk } from './disk.ts';

/** Makes `path` and what is missing above it; the names are durable when it returns. */
export function ensureDirectory(disk: Disk, path: string): void {
  if (disk.isDirectory(path)) return;
  const parent = dirname(path);
  if (parent !== path) ensureDirectory(disk, parent);
  disk.makeDirectory(path);
  disk.syncDirectory(parent);
}
