/** What a run needs to know and to do about the disk that holds its stores. */
import fs from 'node:fs';
import path from 'node:path';
import type { RunFolder } from './cleanup.ts';

const BLOCK_BYTES = 512;

/** Bytes that the files of a folder really occupy. Files that vanish meanwhile count nothing. */
export function occupiedBytes(folder: string): number {
  let bytes = 0;
  for (const entry of fs.readdirSync(folder, { withFileTypes: true, recursive: true })) {
    if (!entry.isFile()) continue;
    const stat = fs.statSync(path.join(entry.parentPath, entry.name), { throwIfNoEntry: false });
    bytes += (stat?.blocks ?? 0) * BLOCK_BYTES;
  }
  return bytes;
}

/** Waits until all that was written so far is on disk. */
export async function writeBack(folder: RunFolder): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const child = folder.start({ command: 'sync', args: [] });
    child.once('error', reject);
    child.once('close', () => resolve());
  });
}
