/** Finding the way again behind damage, and telling a clean tail from a dirty one. */
import type { Disk, Mapping } from '../disk/disk.ts';
import { RecordCheck } from './record-check.ts';

/** What the magics of both record versions and of BLANK begin with. */
const RECORD_MARK = Buffer.from([0xda, 0xa3, 0x20]);
const BLANK_MARK = Buffer.from([0xcb, 0xd4, 0x31, 0x94]);
const MAGIC_AT = 4;

const READ_BYTES = 1024 * 1024;
const ZEROS = Buffer.alloc(64 * 1024);

/** Offset in the file of the first sound record or BLANK at or behind `from`, or -1. */
export function nextSound(mapping: Mapping, from: number, fileStart: number): number {
  const record = nextSoundRecord(mapping, from, fileStart);
  const blank = nextMarked(mapping, from, fileStart, BLANK_MARK);
  return record < 0 || blank < 0 ? Math.max(record, blank) : Math.min(record, blank);
}

/** Offset in the file of the first sound record in [from, to), BLANKs aside, or -1. */
export function nextSoundRecord(
  mapping: Mapping,
  from: number,
  fileStart: number,
  to = mapping.size,
): number {
  return nextMarked(mapping, from, fileStart, RECORD_MARK, to);
}

/** How many sound records begin in [from, to) of a file, whatever lies between them, and where the last one ends. */
export function soundRecords(
  mapping: Mapping,
  from: number,
  fileStart: number,
  to: number,
): { count: number; end: number } {
  const check = new RecordCheck();
  let count = 0;
  let at = nextSoundRecord(mapping, from, fileStart, to);
  let end = from;
  while (at >= 0) {
    count++;
    check.check(mapping, at, fileStart);
    at += check.size;
    end = at;
    // Mostly the next one follows at once, and need not be looked for.
    if (at >= to || !check.check(mapping, at, fileStart) || check.blank) {
      at = nextSoundRecord(mapping, at, fileStart, to);
    }
  }
  return { count, end };
}

function nextMarked(
  mapping: Mapping,
  from: number,
  fileStart: number,
  mark: Buffer,
  to = mapping.size,
): number {
  const length = Math.min(mapping.size, to + MAGIC_AT + mark.length - 1);
  const bytes = Buffer.from(mapping.bytes.buffer, mapping.bytes.byteOffset, length);
  const check = new RecordCheck();
  let found = bytes.indexOf(mark, from + MAGIC_AT);
  while (found >= 0) {
    if (check.check(mapping, found - MAGIC_AT, fileStart)) return found - MAGIC_AT;
    found = bytes.indexOf(mark, found + 1);
  }
  return -1;
}

/** Offset of the first byte at or behind `from` that is not zero, or -1. */
export function firstNonZero(bytes: Uint8Array, from: number): number {
  for (let at = from; at < bytes.length; at += ZEROS.length) {
    const end = Math.min(at + ZEROS.length, bytes.length);
    if (ZEROS.compare(bytes, at, end, 0, end - at) === 0) continue;
    for (let i = at; i < end; i++) if (bytes[i] !== 0) return i;
  }
  return -1;
}

/**
 * The same for a file, by reading ranges: for the empty rest of a CommitLog file that takes a tenth of the time that
 * faulting in all pages of a mapping does.
 */
export function firstNonZeroInFile(disk: Disk, path: string, from: number): number {
  const file = disk.open(path, -1);
  if (typeof file === 'number') throw new Error(`${path} cannot be read (errno ${-file}).`);
  const block = new Uint8Array(Math.max(1, Math.min(READ_BYTES, file.size() - from)));
  try {
    for (let at = from; ; ) {
      const read = file.read(at, block, 0, block.length);
      if (read < 0) throw new Error(`${path} cannot be read at ${at} (errno ${-read}).`);
      if (read === 0) return -1;
      const found = firstNonZero(block.subarray(0, read), 0);
      if (found >= 0) return at + found;
      at += read;
    }
  } finally {
    file.close();
  }
}

/** Offset behind the last byte of [from, to) of a file that is not zero; `from` when all are. */
export function endOfDirt(disk: Disk, path: string, from: number, to: number): number {
  const file = disk.open(path, -1);
  if (typeof file === 'number') throw new Error(`${path} cannot be read (errno ${-file}).`);
  const block = new Uint8Array(Math.max(0, Math.min(READ_BYTES, to - from)));
  let end = from;
  try {
    for (let at = from; at < to; ) {
      const read = file.read(at, block, 0, Math.min(block.length, to - at));
      if (read < 0) throw new Error(`${path} cannot be read at ${at} (errno ${-read}).`);
      if (read === 0) break;
      const bytes = block.subarray(0, read);
      if (firstNonZero(bytes, 0) >= 0) {
        let last = read - 1;
        while (bytes[last] === 0) last--;
        end = at + last + 1;
      }
      at += read;
    }
  } finally {
    file.close();
  }
  return end;
}
