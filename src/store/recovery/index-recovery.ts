/** After a power cut the unfinished index files cannot be trusted: they are written without syncs. */
import { join } from 'node:path';
import { readInt64 } from '../../lib/int64.ts';
import type { Disk } from '../disk/disk.ts';
import { END_PHYSICAL, END_TIMESTAMP, INDEX_COUNT, INDEX_HEADER_BYTES } from '../index/index-layout.ts';
import { listIndexFiles } from '../index/key-index.ts';
import type { StoreOptions } from '../options.ts';
import { storePaths } from '../paths.ts';

/**
 * Keeps the index files that were full and synced by the checkpoint's word, removes all others, and returns the log
 * position from which keys must be entered again. What the header of another file says proves nothing: the page may be
 * an old one, or all zeros. Nor does a file count that reaches behind the log's end: under ASYNC_FLUSH the log's pages
 * may be lost although the index's were synced, and other messages will stand there.
 */
export function dropUncertainIndex(
  disk: Disk,
  options: StoreOptions,
  indexTimestamp: number,
  logEnd: number,
): number {
  const directory = storePaths.index(options.directory);
  const bytes = new Uint8Array(INDEX_HEADER_BYTES);
  const view = new DataView(bytes.buffer);
  let from = 0;
  for (const name of listIndexFiles(disk, directory)) {
    const path = join(directory, name);
    const file = disk.open(path, -1);
    if (typeof file === 'number') continue;
    const read = file.read(0, bytes, 0, INDEX_HEADER_BYTES);
    file.close();
    const isFull = read === INDEX_HEADER_BYTES && view.getInt32(INDEX_COUNT) >= options.maxIndexNum;
    const end = readInt64(view, END_PHYSICAL);
    if (isFull && end < logEnd && readInt64(view, END_TIMESTAMP) <= indexTimestamp) {
      from = Math.max(from, end);
    } else {
      disk.remove(path);
    }
  }
  return from;
}
