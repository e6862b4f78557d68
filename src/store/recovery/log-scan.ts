/** Finding the end of the log: walk sound records from a known start to the first place that holds none. */
import { getSystemErrorName } from 'node:util';
import { storeTimestampOf } from '../../record/view.ts';
import type { Mapping } from '../disk/disk.ts';
import { RecordCheck } from '../log/record-check.ts';
import type { Segments } from '../log/segments.ts';

export interface LogScan {
  /** End of the last sound record, or the start of the next file behind a BLANK. */
  end: number;
  /** Start of the last sound record, or -1. */
  lastRecord: number;
  /** Store time of the last sound record, ms; 0 without one. */
  lastTimestamp: number;
  records: number;
  /** Why the scan ended before the end of the files; undefined when zeros follow, as behind any tail. */
  damage: string | undefined;
}

/** Bytes between two calls of `progress`. */
const PROGRESS_STEP = 256 * 1024 * 1024;

/**
 * The mapping that holds `position` of a file that is there. Throws when it cannot be opened: that is no end of the
 * log, and what cuts there would take away sound messages.
 */
export function requireMapping(segments: Segments, position: number): Mapping {
  const mapping = segments.at(position);
  if (mapping !== undefined) return mapping;
  throw new Error(
    `The CommitLog file ${segments.pathOf(position)} cannot be opened (${getSystemErrorName(-segments.lastError)}): ` +
      'this user has to be allowed to read and write it, and to open so many files.',
  );
}

/** Scans from `start`, which must be the start of a record or of a file, to at most `limit` (end of the last file). */
export function scanLog(
  segments: Segments,
  start: number,
  limit: number,
  progress: (position: number) => void = () => {},
): LogScan {
  const check = new RecordCheck();
  const scan: LogScan = { end: start, lastRecord: -1, lastTimestamp: 0, records: 0, damage: undefined };
  let nextProgress = start + PROGRESS_STEP;
  while (scan.end < limit) {
    const mapping = requireMapping(segments, scan.end);
    const at = segments.offsetOf(scan.end);
    if (!check.check(mapping, at, scan.end - at)) {
      const empty =
        at + 8 <= mapping.size && mapping.view.getInt32(at) === 0 && mapping.view.getInt32(at + 4) === 0;
      if (!empty) scan.damage = check.reason;
      break;
    }
    if (!check.blank) {
      scan.lastRecord = scan.end;
      scan.lastTimestamp = storeTimestampOf(mapping.view, at);
      scan.records++;
    }
    scan.end += check.size;
    if (check.blank) segments.dropBefore(scan.end);
    if (scan.end >= nextProgress) {
      progress(scan.end);
      nextProgress = scan.end + PROGRESS_STEP;
    }
  }
  return scan;
}
