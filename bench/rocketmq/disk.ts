import fs from 'node:fs';
import path from 'node:path';

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
