/**
 * Finding the last position up to which a slave's log is that of its master. A record has its own position and the
 * time at which it was stored, so where a whole record is the same in both logs, all before it is; a part of one may
 * be the same by chance. What has to be found is the first that differs. The comparison begins a little before the
 * own end, and further back each time that not even its first record was the same.
 */
import { MAGIC, MAGIC_BLANK, MAGIC_V1, MAGIC_V2, TOTAL_SIZE } from '../../record/layout.ts';
import { magicOf, physicalOffsetOf, totalSizeOf } from '../../record/view.ts';
import type { ServedLog } from '../master/slave-feed.ts';

const FIRST_BYTES = 64 * 1024;
const FACTOR = 8;
const HEAD_BYTES = 8;
/** Size, magic, and what stands before the end of the position that a record names. */
const POSITION_END = 36;
/** What the magics of all records begin with. */
const RECORD_MARK = Buffer.from([0xda, 0xa3, 0x20]);

export type Difference =
  /** The records before `at` are the same, the one at `at` is not. */
  | { kind: 'cut'; at: number }
  /** Nothing that was compared is the same: the next comparison begins further back. */
  | { kind: 'earlier' }
  /** Not even the first record is the same. */
  | { kind: 'stranger' };

export class CommonPoint {
  /** End of the master's log, where it is known. */
  masterEnd = Number.POSITIVE_INFINITY;
  /** Of the comparison: when everything up to here is the same, both logs are, as a whole record is. */
  proof = 0;
  readonly #log: ServedLog;
  #compared = FIRST_BYTES;
  #from = 0;

  constructor(log: ServedLog) {
    this.#log = log;
  }

  /** Begins a comparison; returns where. */
  begin(): number {
    const { start, end } = this.#log;
    const last = Math.min(end, this.masterEnd);
    for (let compared = this.#compared; ; compared *= FACTOR) {
      this.#from = Math.max(start, last - compared);
      const isAll = this.#from === start;
      const proof = this.#endOfRecord(this.#from, isAll ? end : last);
      this.proof = proof ?? end;
      if (proof !== undefined || isAll) return this.#from;
    }
  }

  /** The bytes are the same from where it was begun up to `position`, where they differ. */
  differs(position: number): Difference {
    const record = this.#recordAt(position);
    if (record !== undefined && this.proof <= record) return { kind: 'cut', at: record };
    if (this.#from <= this.#log.start) return { kind: 'stranger' };
    this.#compared *= FACTOR;
    return { kind: 'earlier' };
  }

  /** End of the first whole record of the own log in [from, to), or undefined. */
  #endOfRecord(from: number, to: number): number | undefined {
    for (let at = from; at < to; ) {
      const piece = this.#log.bytes(at, to - at);
      // What cannot be read ends the comparison, when it comes there.
      if (piece === undefined || piece.length === 0) return to;
      const end = endOfRecordIn(piece, at);
      if (end >= 0) return at + end;
      at += piece.length;
    }
    return undefined;
  }

  /** Beginning of the record that holds `position`; undefined when the own log cannot be walked up to it. */
  #recordAt(position: number): number | undefined {
    for (let at = this.#fileStart(position); ; ) {
      const size = this.#sizeAt(at);
      if (size === undefined) return undefined;
      if (at + size > position) return at;
      at += size;
    }
  }

  /** The log begins with a record, and so does each of its files. */
  #fileStart(position: number): number {
    const { start, fileSize } = this.#log;
    return Math.max(start, position - (position % fileSize));
  }

  #headAt(at: number): DataView | undefined {
    const head = this.#log.bytes(at, HEAD_BYTES);
    if (head === undefined || head.length < HEAD_BYTES) return undefined;
    return new DataView(head.buffer, head.byteOffset, head.byteLength);
  }

  /** Of the record there, or the rest of the file; undefined when there is neither. */
  #sizeAt(at: number): number | undefined {
    const head = this.#headAt(at);
    if (head === undefined) return undefined;
    const size = head.getInt32(TOTAL_SIZE);
    const magic = head.getInt32(MAGIC);
    const isRecord = magic === MAGIC_V1 || magic === MAGIC_V2 || magic === MAGIC_BLANK;
    return isRecord && size > 0 ? size : undefined;
  }
}

/**
 * End of the first whole record in bytes of the log that begin at `position`, or -1. That it names its own position
 * tells it from whatever else may look like a record.
 */
function endOfRecordIn(piece: Uint8Array, position: number): number {
  const bytes = Buffer.from(piece.buffer, piece.byteOffset, piece.length);
  const view = new DataView(piece.buffer, piece.byteOffset, piece.length);
  for (
    let found = bytes.indexOf(RECORD_MARK, MAGIC);
    found >= 0;
    found = bytes.indexOf(RECORD_MARK, found + 1)
  ) {
    const at = found - MAGIC;
    if (at + POSITION_END > piece.length) break;
    const magic = magicOf(view, at);
    const size = totalSizeOf(view, at);
    const isRecord = magic === MAGIC_V1 || magic === MAGIC_V2;
    const isHere = isRecord && physicalOffsetOf(view, at) === position + at;
    if (isHere && size > POSITION_END && at + size <= piece.length) return at + size;
  }
  return -1;
}
