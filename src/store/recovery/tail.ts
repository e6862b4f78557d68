/**
 * Cutting the tail: behind the last sound record there must be nothing but zeros, or it would come back to life when
 * the log has grown up to it. What is cut is kept beside the log first.
 */
import { join } from 'node:path';
import { endOfDirt, firstNonZeroInFile } from '../log/find-record.ts';
import type { Beliefs } from './beliefs.ts';
import type { LogFiles, RecoveryParts } from './context.ts';
import type { LogScan } from './log-scan.ts';
import { type Kept, keepFile, keepRange } from './set-aside.ts';

/**
 * How far behind the end stale bytes are looked for while the page cache is what it was: records of a crashed append
 * begin right at the end. After a power cut whole records may have outlived a gap of any length: then all of the file
 * is looked at.
 */
const LOOK_AHEAD = 64 * 1024;

/** Cuts the log at the end of the scan. */
export function cutTail(parts: RecoveryParts, log: LogFiles, beliefs: Beliefs, scan: LogScan): void {
  const { disk, warn } = parts;
  const kept = removeLaterFiles(parts, log, scan.end);
  const piece = cutFile(parts, log, beliefs, scan);
  if (piece !== undefined) kept.unshift(piece);
  if (kept.length === 0) return;
  const bytes = kept.reduce((sum, one) => sum + one.bytes, 0);
  const messages = kept.reduce((sum, one) => sum + one.messages, 0);
  disk.syncDirectory(parts.options.commitLogDirectory);
  warn(
    `cut the log at ${scan.end} (${scan.damage ?? 'the log ends there'}): ${bytes} bytes with ${messages} whole ` +
      `messages are kept as ${kept.map(({ path }) => path).join(', ')}`,
    { at: scan.end, reason: scan.damage ?? 'the log ends there', bytes, messages },
  );
}

function cutFile(
  { disk, options }: RecoveryParts,
  { segments }: LogFiles,
  beliefs: Beliefs,
  scan: LogScan,
): Kept | undefined {
  const { fileSize } = segments;
  const path = segments.pathOf(scan.end);
  if (disk.size(path) < 0) return undefined;
  const at = segments.offsetOf(scan.end);
  const looksFar = scan.damage !== undefined || !beliefs.pageCacheSurvived;
  const dirtEnd = endOfDirt(disk, path, at, looksFar ? fileSize : Math.min(at + LOOK_AHEAD, fileSize));
  if (dirtEnd === at) {
    // The zeros may be those of a recovery that was killed before it had synced them.
    const outcome = beliefs.clean ? 0 : (segments.at(scan.end)?.sync(at, fileSize) ?? -segments.lastError);
    if (outcome < 0) throw new Error(`cannot sync the end of the log at ${scan.end} (errno ${-outcome})`);
    return undefined;
  }
  const kept = keepRange(disk, options, segments, scan.end, scan.end + dirtEnd - at);
  segments.close();
  const outcome = disk.zero(path, at, fileSize);
  if (outcome < 0) throw new Error(`cannot cut the torn tail at ${scan.end} (errno ${-outcome})`);
  return kept;
}

/**
 * Empty files made ahead are removed; files with content are moved out of every reader's way. The last goes first: a
 * crash in between must not leave a log with a file missing in the middle.
 */
function removeLaterFiles(
  { disk, options }: RecoveryParts,
  { segments, unwritten }: LogFiles,
  end: number,
): Kept[] {
  const kept: Kept[] = [];
  for (const name of disk.list(options.commitLogDirectory).sort().reverse()) {
    const start = Number(name);
    if (!/^\d{20}$/.test(name) || start < end || start === segments.startOf(end)) continue;
    const path = join(options.commitLogDirectory, name);
    if (unwritten.has(start) || firstNonZeroInFile(disk, path, 0) < 0) disk.remove(path);
    else kept.unshift(keepFile(disk, options, segments, start, end));
  }
  return kept;
}
