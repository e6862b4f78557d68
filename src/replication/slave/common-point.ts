/**
 * Finding the last position up to which a slave's log is that of its master. A record has its own position and the time
 * at which it was stored, so where a whole record is the same in both logs, all before it is; what has to be found is
 * the first that differs. The comparison begins a little before the own end, and further back each time that not even
 * its first record was the same.
 */
import { MAGIC, MAGIC_BLANK, MAGIC_V1, MAGIC_V2, TOTAL_SIZE } from '../../record/layout.ts';
import type { ServedLog } from '../master/slave-feed.ts';

const FIRST_BYTES = 64 * 1024;
const FACTOR = 8;
const HEAD_BYTES = 8;

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
  readonly #log: ServedLog;
  #compared = FIRST_BYTES;
  #from = 0;

  constructor(log: ServedLog) {
    this.#log = log;
  }

  /** Begins a comparison; returns where. */
  begin(): number {
    const { start, end } = this.#log;
    this.#from = Math.max(start, Math.min(end, this.masterEnd) - this.#compared);
    return this.#from;
  }

  /** The bytes are the same from where it was begun up to `position`, where they differ. */
  differs(position: number): Difference {
    const record = this.#recordAt(position);
    if (record !== undefined && this.#holdsRecord(this.#from, record)) return { kind: 'cut', at: record };
    if (this.#from <= this.#log.start) return { kind: 'stranger' };
    this.#compared *= FACTOR;
    return { kind: 'earlier' };
  }

  /** Whether a whole record lies in [from, end). */
  #holdsRecord(from: number, end: number): boolean {
    for (let at = this.#fileStart(from); at < end; ) {
      const size = this.#sizeAt(at);
      if (size === undefined) return false;
      // Two logs may end a file at the same place by chance.
      if (at >= from && !this.#isBlank(at)) return true;
      at += size;
    }
    return false;
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

  #isBlank(at: number): boolean {
    return this.#headAt(at)?.getInt32(MAGIC) === MAGIC_BLANK;
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
