/** Cutting the torn tail: behind the last sound record there must be nothing but zeros. */
import { join } from 'node:path';
import type { Disk } from '../disk/disk.ts';
import { fileNameOf, type Segments } from '../log/segments.ts';
import type { StoreOptions } from '../options.ts';
import type { LogScan } from './log-scan.ts';

/**
 * How far behind the end stale bytes are looked for while the page cache is what it was: records of a crashed append
 * begin right at the end. After a power cut whole records may have outlived a gap of any length, and would come back to
 * life when the log has grown up to them: then the rest of the file is zeroed unseen.
 */
const LOOK_AHEAD = 64 * 1024;

/** Cuts the log at the end of the scan. Returns a line for the operator when something was cut, else undefined. */
export function cutTail(
  parts: { disk: Disk; options: StoreOptions; clean: boolean; pageCacheSurvived: boolean },
  segments: Segments,
  scan: LogScan,
): string | undefined {
  const { disk, options } = parts;
  const { fileSize } = segments;
  const removed = removeLaterFiles(disk, options.commitLogDirectory, scan.end, fileSize);
  const at = scan.end % fileSize;
  const mapping = disk.size(segments.pathOf(scan.end)) < 0 ? undefined : segments.at(scan.end);
  if (mapping === undefined) return undefined;
  const dirty =
    scan.damage !== undefined ||
    !(parts.clean || parts.pageCacheSurvived) ||
    !allZero(mapping.bytes, at, Math.min(at + LOOK_AHEAD, fileSize));
  if (dirty) {
    segments.close();
    const outcome = disk.zero(segments.pathOf(scan.end), at, fileSize);
    if (outcome < 0) throw new Error(`cannot cut the torn tail at ${scan.end} (errno ${-outcome})`);
  }
  if (scan.damage === undefined && removed === 0) return undefined;
  return (
    `cut the log at ${scan.end}: ${scan.damage ?? 'the log ends there'}` +
    (removed > 0 ? `; ${removed} later files were set aside as ${fileNameOf(scan.end)}.cut-*` : '')
  );
}

/**
 * Empty files made ahead are removed; files with content are kept beside the log, out of every reader's way. The last
 * goes first: a crash in between must not leave a log with a file missing in the middle.
 */
function removeLaterFiles(disk: Disk, directory: string, end: number, fileSize: number): number {
  let kept = 0;
  for (const name of disk.list(directory).sort().reverse()) {
    const start = Number(name);
    if (!/^\d{20}$/.test(name) || start < end || start === end - (end % fileSize)) continue;
    const path = join(directory, name);
    const mapping = disk.map(path, fileSize, false);
    const empty =
      typeof mapping !== 'number' && mapping.view.getInt32(0) === 0 && mapping.view.getInt32(4) === 0;
    if (typeof mapping !== 'number') mapping.close();
    if (empty) {
      disk.remove(path);
    } else {
      disk.setAside(path, join(directory, '..', `${fileNameOf(end)}.cut-${name}`));
      kept++;
    }
  }
  return kept;
}

function allZero(bytes: Uint8Array, from: number, to: number): boolean {
  for (let i = from; i < to; i++) if (bytes[i] !== 0) return false;
  return true;
}
