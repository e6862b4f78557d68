/**
 * Telling apart three things that a walk through the log may meet where no sound record stands: the end of the log, a
 * torn tail, and damage with sound records behind it.
 *
 * RocketMQ ends the log at the first unsound record. That gives up everything behind one bad byte, acknowledged or not;
 * so here the log ends only where it must have ended:
 *
 * - With the page cache as it was, nothing is missing: a record behind the place was written after the place itself
 *   had been written whole, so the place was damaged later, and what is behind it stays. One thing looks alike: a write
 *   that a kill cut short. It lacks its first eight bytes, which are written last, and nothing of it was ever seen.
 * - After a power cut a page that was never synced reads as zeros, and later ones may be there. No acknowledgement
 *   rested on anything behind such a gap (a sync covers all before it), and the queues' numbers would have a hole: the
 *   log ends at the gap. What is neither zeros nor a record with zeros in it is no gap but damage.
 * - Before the record of the last checkpoint everything was durable: whatever is unsound there was damaged later.
 */
import { physicalOffsetOf } from '../../record/view.ts';
import type { Mapping } from '../disk/disk.ts';
import { firstNonZero, nextSound } from '../log/find-record.ts';
import { hasZeroSector, RecordCheck, SECTOR } from '../log/record-check.ts';
import type { Segments } from '../log/segments.ts';
import { maxRecordBytes, type StoreOptions } from '../options.ts';
import type { Beliefs } from './beliefs.ts';
import { type LogFiles, requireMapping } from './context.ts';

/** The fixed fields of a record, its length without hosts of IPv6 and without text. */
const HEAD_BYTES = 88;
const BEHIND_POSITION = 36;
const PAGE = 4096;

/** Zeros so many times as long as the largest record are the empty rest of the file: it may be a gigabyte. */
const LOOK_AHEAD_RECORDS = 2;

export type Unsound =
  | { kind: 'end' }
  | { kind: 'torn'; reason: string }
  /** The log goes on at `to` or behind it, perhaps in the next file. */
  | { kind: 'hole'; to: number; reason: string };

/** What stands at `position`, where `check` has just found no sound record. */
export function judge(
  log: LogFiles,
  options: StoreOptions,
  beliefs: Beliefs,
  position: number,
  check: RecordCheck,
): Unsound {
  const { segments } = log;
  const mapping = requireMapping(segments, position);
  const at = segments.offsetOf(position);
  const { reason } = check;
  const isEmpty = beginsWithZeros(mapping, at);
  if (isEmpty && namesPosition(mapping, at, position)) {
    return { kind: 'torn', reason: 'a write that was cut short' };
  }
  const lookAhead = LOOK_AHEAD_RECORDS * maxRecordBytes(options);
  const isGap =
    !beliefs.pageCacheSurvived && position > beliefs.durableRecord && isMissing(mapping, at, reason);
  const to = isGap ? -1 : goesOnAt(log, position, lookAhead);
  // Where only a body is damaged the record's own fields say where the next one is, be that sound or not.
  const end = reason === 'body checksum differs' ? Math.min(to, position + check.size) : to;
  if (to >= 0) return { kind: 'hole', to: end, reason: isEmpty ? 'zeros' : reason };
  return isEmpty ? { kind: 'end' } : { kind: 'torn', reason };
}

export function beginsWithZeros({ view, size }: Mapping, at: number): boolean {
  return at + 8 <= size && view.getInt32(at) === 0 && view.getInt32(at + 4) === 0;
}

/** Whether a record that only lacks its first eight bytes stands there. */
function namesPosition({ bytes, view, size }: Mapping, at: number, position: number): boolean {
  if (at + HEAD_BYTES > size || physicalOffsetOf(view, at) !== position) return false;
  // At the log's very beginning zeros would name the position.
  return firstNonZero(bytes.subarray(at + BEHIND_POSITION, at + HEAD_BYTES), 0) >= 0;
}

/** Whether zeros stand where a record was, or in it, as pages do that never reached the disk. */
function isMissing(mapping: Mapping, at: number, reason: string): boolean {
  if (beginsWithZeros(mapping, at) || reason === 'a part of topic or properties is missing') return true;
  // A record may begin in the last bytes of a sector of which the disk has an older version.
  const isSizeGood = reason === 'body checksum differs' || reason === 'names another position';
  const boundary = Math.ceil(at / SECTOR) * SECTOR;
  if (!isSizeGood && boundary > at && firstNonZero(mapping.bytes.subarray(at, boundary), 0) < 0) return true;
  const size = mapping.view.getInt32(at);
  const end = size > 0 && at + size <= mapping.size ? at + size : Math.min(at + PAGE, mapping.size);
  // A record without properties ends in their length, which is zero.
  return hasZeroSector(mapping.bytes, at, end - 2);
}

/** Where sound records follow, or -1. */
function goesOnAt({ segments, limit }: LogFiles, position: number, lookAhead: number): number {
  const mapping = requireMapping(segments, position);
  const fileStart = segments.startOf(position);
  const at = segments.offsetOf(position);
  const isRest = firstNonZero(mapping.bytes.subarray(at, at + lookAhead), 0) < 0;
  const found = isRest ? -1 : nextSound(mapping, at + 1, fileStart);
  if (found >= 0) return fileStart + found;
  const next = fileStart + segments.fileSize;
  return hasRecords(segments, next, limit) ? next : -1;
}

/** Whether some file from `start` on begins with a sound record. */
function hasRecords(segments: Segments, start: number, limit: number): boolean {
  const check = new RecordCheck();
  for (let at = start; at < limit; at += segments.fileSize) {
    if (check.check(requireMapping(segments, at), 0, at)) return true;
  }
  return false;
}
