/** After a power cut the unfinished index files cannot be trusted: they are written without syncs. */
import { join } from 'node:path';
import { readInt64 } from '../../lib/int64.ts';
import type { Disk } from '../disk/disk.ts';
import { END_PHYSICAL, END_TIMESTAMP, INDEX_COUNT, INDEX_HEADER_BYTES } from '../index/index-layout.ts';
import { listIndexFiles } from '../index/key-index.ts';
import type { StoreOptions } from '../options.ts';
import { storePaths } from '../paths.ts';

/**
 * Keeps the index files up to the one that the checkpoint calls complete, removes all others, and returns the log
 * position from which keys must be entered again. What the header of another file says proves nothing: the page may be
 * an old one, or all zeros. Nor does a file count that reaches behind the log's end: under ASYNC_FLUSH the log's pages
 * may be lost although the index's were synced, and other messages will stand there.
 *
 * The checkpoint names the file by the time of its last record. Times that are smaller say nothing, as those of a clock
 * that was wrong are; of several files with that time the oldest is meant, since a later one may not be complete.
 */
export function dropUncertainIndex(
  disk: Disk,
  options: StoreOptions,
  indexTimestamp: number,
  logEnd: number,
): number {
  const directory = storePaths.index(options.directory);
  const headers = listIndexFiles(disk, directory).map((name) => headerOf(disk, join(directory, name)));
  const complete = headers.findIndex(
    ({ endTimestamp }) => endTimestamp > 0 && endTimestamp === indexTimestamp,
  );
  let from = 0;
  for (const [i, { path, endTimestamp, endPhysical }] of headers.entries()) {
    if (i <= complete && endTimestamp > 0 && endPhysical < logEnd) from = Math.max(from, endPhysical);
    else disk.remove(path);
  }
  return from;
}

interface IndexFileHeader {
  path: string;
  /** Store time of its last record, ms; 0 when there is none. */
  endTimestamp: number;
  /** Position of its last record. */
  endPhysical: number;
}

function headerOf(disk: Disk, path: string): IndexFileHeader {
  const bytes = new Uint8Array(INDEX_HEADER_BYTES);
  const file = disk.open(path, -1);
  if (typeof file === 'number') return { path, endTimestamp: 0, endPhysical: 0 };
  const isWhole = file.read(0, bytes, 0, INDEX_HEADER_BYTES) === INDEX_HEADER_BYTES;
  file.close();
  const view = new DataView(bytes.buffer);
  if (!isWhole || view.getInt32(INDEX_COUNT) <= 1) return { path, endTimestamp: 0, endPhysical: 0 };
  return { path, endTimestamp: readInt64(view, END_TIMESTAMP), endPhysical: readInt64(view, END_PHYSICAL) };
}
