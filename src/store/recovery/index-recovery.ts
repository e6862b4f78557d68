/** After a power cut the unfinished index files cannot be trusted: they are written without syncs. */
import { join } from 'node:path';
import { readInt64 } from '../../lib/int64.ts';
import type { Disk } from '../disk/disk.ts';
import { BEGIN_PHYSICAL, END_TIMESTAMP, INDEX_HEADER_BYTES } from '../index/index-layout.ts';
import { listIndexFiles } from '../index/key-index.ts';
import type { StoreOptions } from '../options.ts';
import { storePaths } from '../paths.ts';

/**
 * Removes index files that are younger than the checkpoint's index timestamp; returns the log position from which
 * keys must be entered again, or undefined when no file was removed.
 */
export function dropUncertainIndex(
  disk: Disk,
  options: StoreOptions,
  indexTimestamp: number,
): number | undefined {
  const directory = storePaths.index(options.directory);
  const bytes = new Uint8Array(INDEX_HEADER_BYTES);
  const view = new DataView(bytes.buffer);
  let from: number | undefined;
  for (const name of listIndexFiles(disk, directory)) {
    const path = join(directory, name);
    const file = disk.open(path, -1);
    if (typeof file === 'number') continue;
    const read = file.read(0, bytes, 0, INDEX_HEADER_BYTES);
    file.close();
    if (read === INDEX_HEADER_BYTES && readInt64(view, END_TIMESTAMP) <= indexTimestamp) continue;
    const begin = readInt64(view, BEGIN_PHYSICAL);
    from = from === undefined ? begin : Math.min(from, begin);
    disk.remove(path);
  }
  return from;
}
