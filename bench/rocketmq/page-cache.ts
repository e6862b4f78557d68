/** Which part of a log lies in memory, and making it leave: posix_fadvise and mincore, by the addon. */
import fs from 'node:fs';
import path from 'node:path';
import { addon } from '../../src/native/addon.ts';

const PAGE_BYTES = 4096;

/** A file of the log and the part of it that belongs to a range of the log. */
export interface LogPart {
  file: string;
  fileBytes: number;
  from: number;
  length: number;
}

/** Log files are named by the offset at which they begin, and all are equally long. */
export function logParts(
  files: readonly { file: string; bytes: number }[],
  from: number,
  to: number,
): LogPart[] {
  return files.flatMap(({ file, bytes }) => {
    const start = Number(path.basename(file));
    const first = Math.max(from, start);
    const last = Math.min(to, start + bytes);
    return last > first ? [{ file, fileBytes: bytes, from: first - start, length: last - first }] : [];
  });
}

export function logFiles(store: string): { file: string; bytes: number }[] {
  const folder = path.join(store, 'commitlog');
  return fs
    .readdirSync(folder)
    .filter((name) => /^\d{20}$/.test(name))
    .sort()
    .map((name) => ({ file: path.join(folder, name), bytes: fs.statSync(path.join(folder, name)).size }));
}

function check(result: number, what: string): number {
  if (result < 0) throw new Error(`${what} failed with errno ${-result}`);
  return result;
}

/** Only pages that are on disk and mapped by nobody go: the broker must not run, and `sync` comes first. */
export function evict(parts: readonly LogPart[]): void {
  for (const { file, from, length } of parts) check(addon.dropFileCache(file, from, length), 'posix_fadvise');
}

/** Share of the pages that are in memory, asked without touching any. */
export function residentShare(parts: readonly LogPart[]): number {
  let resident = 0;
  let pages = 0;
  for (const { file, fileBytes, from, length } of parts) {
    const region = check(addon.openSegment(file, fileBytes, false), 'mapping the log');
    const first = Math.ceil(from / PAGE_BYTES) * PAGE_BYTES;
    const whole = Math.floor((from + length - first) / PAGE_BYTES) * PAGE_BYTES;
    try {
      if (whole > 0) resident += check(addon.residentPages(region, first, whole), 'mincore');
      pages += Math.max(0, whole) / PAGE_BYTES;
    } finally {
      addon.closeRegion(region);
    }
  }
  return pages === 0 ? 0 : resident / pages;
}
