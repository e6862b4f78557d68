/** Keeping what is taken out of the log: nothing that was ever in it is only overwritten. */
import { join } from 'node:path';
import type { Disk } from '../disk/disk.ts';
import { ensureDirectory } from '../disk/ensure-directory.ts';
import { soundRecords } from '../log/find-record.ts';
import { fileNameOf, type Segments } from '../log/segments.ts';
import type { StoreOptions } from '../options.ts';
import { cutDirectory } from '../paths.ts';
import { requireMapping } from './context.ts';

const COMPARE_BYTES = 64 * 1024;

export interface Kept {
  bytes: number;
  /** Whole messages among them. */
  messages: number;
  path: string;
}

/** Copies bytes [from, to) of the log, which lie in one file, to a file of their own; durable when it returns. */
export function keepRange(
  disk: Disk,
  options: StoreOptions,
  segments: Segments,
  from: number,
  to: number,
): Kept {
  const at = segments.offsetOf(from);
  const fileStart = segments.startOf(from);
  const mapping = requireMapping(segments, from);
  const { count: messages, end } = soundRecords(mapping, at, fileStart, at + to - from);
  // A record may end in zeros: it is kept whole.
  const length = Math.max(to - from, end - at);
  const directory = cutDirectory(options.commitLogDirectory);
  ensureDirectory(disk, directory);
  const source = segments.pathOf(from);
  for (let n = 0; ; n++) {
    const path = join(directory, `${fileNameOf(from)}.cut${n === 0 ? '' : `.${n}`}`);
    const there = disk.size(path);
    // A recovery that did not come to its end has kept the same bytes before.
    if (there >= 0 && !(there === length && isSame(disk, source, at, path, length))) continue;
    if (there < 0) disk.copyRange(source, at, at + length, path);
    return { bytes: length, messages, path };
  }
}

/** Moves the log's file that begins at `start`, behind the log's new `end`, out of the log. */
export function keepFile(
  disk: Disk,
  options: StoreOptions,
  segments: Segments,
  start: number,
  end: number,
): Kept {
  const mapping = requireMapping(segments, start);
  const messages = soundRecords(mapping, 0, start, mapping.size).count;
  const directory = cutDirectory(options.commitLogDirectory);
  ensureDirectory(disk, directory);
  let path = join(directory, `${fileNameOf(end)}.cut-${fileNameOf(start)}`);
  for (let n = 1; disk.size(path) >= 0; n++) path = `${path.replace(/\.\d+$/, '')}.${n}`;
  segments.close();
  disk.setAside(segments.pathOf(start), path);
  disk.syncDirectory(directory);
  disk.syncDirectory(options.commitLogDirectory);
  return { bytes: segments.fileSize, messages, path };
}

function isSame(disk: Disk, source: string, from: number, copy: string, length: number): boolean {
  const [a, b] = [disk.open(source, -1), disk.open(copy, -1)];
  if (typeof a === 'number' || typeof b === 'number') return false;
  const [left, right] = [new Uint8Array(COMPARE_BYTES), new Uint8Array(COMPARE_BYTES)];
  let at = 0;
  while (at < length) {
    const wanted = Math.min(COMPARE_BYTES, length - at);
    const isEqual =
      a.read(from + at, left, 0, wanted) === wanted &&
      b.read(at, right, 0, wanted) === wanted &&
      Buffer.compare(left.subarray(0, wanted), right.subarray(0, wanted)) === 0;
    if (!isEqual) break;
    at += wanted;
  }
  a.close();
  b.close();
  return at >= length;
}
