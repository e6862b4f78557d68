/** Finding the end of the log: walk sound records from a known start to where the log ends (damage.ts says where). */
import { storeTimestampOf } from '../../record/view.ts';
import { errnoName } from '../disk/errors.ts';
import { endOfDirt } from '../log/find-record.ts';
import { RecordCheck } from '../log/record-check.ts';
import type { Beliefs } from './beliefs.ts';
import { gib, type LogFiles, type RecoveryParts, requireMapping } from './context.ts';
import { judge } from './damage.ts';
import { fillHole } from './hole.ts';
import { keepRange } from './set-aside.ts';

export interface LogScan {
  /** End of the last sound record, or the start of the next file behind a BLANK. */
  end: number;
  /** Store time of the last sound record, ms; 0 without one. */
  lastTimestamp: number;
  records: number;
  /** Positions of the holes that were filled. */
  holes: number[];
  /** Why the scan ended before the end of the files; undefined when zeros follow, as behind any tail. */
  damage: string | undefined;
}

const PAGE = 4096;
/** Bytes between two calls of `progress`. */
const PROGRESS_STEP = 256 * 1024 * 1024;

/** Scans from `start`, which must be the start of a record or of a file; fills the holes that it meets. */
export function scanLog(parts: RecoveryParts, log: LogFiles, beliefs: Beliefs, start: number): LogScan {
  const { segments, limit } = log;
  const check = new RecordCheck();
  const scan: LogScan = { end: start, lastTimestamp: 0, records: 0, holes: [], damage: undefined };
  let nextProgress = start + PROGRESS_STEP;
  while (scan.end < limit) {
    const mapping = requireMapping(segments, scan.end);
    const at = segments.offsetOf(scan.end);
    const isSound = check.check(mapping, at, scan.end - at);
    // Zeros that the fault guard put in place of an unreadable page are neither an end nor a record.
    throwUnreadable(parts, log, scan.end);
    if (!isSound) {
      const found = judge(log, parts.options, beliefs, scan.end, check);
      throwUnreadable(parts, log, scan.end);
      if (found.kind === 'hole') {
        mendHole(parts, log, scan, found.to, found.reason, check);
        continue;
      }
      if (found.kind === 'torn') scan.damage = found.reason;
      break;
    }
    if (!check.blank) {
      scan.lastTimestamp = storeTimestampOf(mapping.view, at);
      scan.records++;
    }
    scan.end += check.size;
    if (check.blank) segments.dropBefore(scan.end);
    if (scan.end >= nextProgress) {
      parts.progress(`checking the log: ${gib(scan.end - start)} of at most ${gib(limit - start)} GiB`);
      nextProgress = scan.end + PROGRESS_STEP;
    }
  }
  return scan;
}

function mendHole(
  parts: RecoveryParts,
  { segments }: LogFiles,
  scan: LogScan,
  to: number,
  reason: string,
  check: RecordCheck,
): void {
  const { disk, options, warn } = parts;
  const from = scan.end;
  const at = segments.offsetOf(from);
  const dirty = endOfDirt(disk, segments.pathOf(from), at, at + to - from) - at;
  const kept =
    dirty === 0
      ? ''
      : `; what stood there is kept as ${keepRange(disk, options, segments, from, from + dirty).path}`;
  // `keepRange` may have looked elsewhere: the place is judged by its own record once more.
  check.check(requireMapping(segments, from), at, from - at);
  scan.holes.push(from);
  fillHole(disk, segments, from, to, scan.lastTimestamp, check);
  warn(
    `the log is damaged at ${from} (${reason}), and sound again from ${to} on: filled ${to - from} bytes, ` +
      `whose messages are lost${kept}`,
    { from, to, reason, bytes: to - from },
  );
}

/**
 * Throws when something that was looked at cannot be read. A hole behind the log can: it is zeros. But to look at one
 * through a mapping takes room on a full tmpfs, and the fault guard then tells of it as of a bad page.
 */
function throwUnreadable({ disk, options }: RecoveryParts, { segments }: LogFiles, position: number): void {
  const errno = segments.error();
  if (errno === 0) return;
  const page = Math.ceil(segments.offsetOf(position) / PAGE) * PAGE;
  const elsewhere = segments.error(segments.startOf(position));
  const before = segments.at(position)?.error(0, page) ?? errno;
  if (elsewhere === 0 && before === 0 && disk.firstData(segments.pathOf(position), page) < 0) {
    // Mapped anew they have met nothing.
    segments.close();
    return;
  }
  throw new Error(
    `${segments.pathOf(position)} cannot be read near ${position} (${errnoName(errno)}); nothing was changed. ` +
      `Copy ${options.commitLogDirectory} to a sound disk, with zeros for what cannot be read, and start from there.`,
  );
}
