/**
 * Looks at the records of a ring without being an end of it: those that its consumer has released ('head'), or its
 * producer published ('tail'), since the last look. Their bytes stay where they are until the producer comes round
 * again, so that is for rings with little traffic.
 */
import { copied } from '../lib/copied.ts';
import { attachBulk, type Bulk } from './bulk.ts';
import { alignRecord, RING_HEAD, RING_TAIL, type RingShape, TYPE_PADDING } from './layout.ts';

export interface TappedRecord {
  /** Where in the ring's memory it lies. */
  at: number;
  /** The record with its head, without what aligns it. */
  bytes: Uint8Array;
}

export class RingTap {
  readonly #words: Int32Array;
  readonly #bulk: Bulk;
  readonly #mask: number;
  readonly #word: number;
  #position: number;

  constructor(ring: RingShape, side: 'head' | 'tail') {
    this.#words = new Int32Array(ring.control);
    this.#bulk = attachBulk(ring.region);
    this.#mask = ring.capacity - 1;
    this.#word = side === 'head' ? RING_HEAD : RING_TAIL;
    this.#position = this.now;
  }

  /** Where that side is: a byte position that grows and wraps as int32. */
  get now(): number {
    return Atomics.load(this.#words, this.#word);
  }

  take(): TappedRecord[] {
    const end = this.now;
    const records: TappedRecord[] = [];
    while (this.#position !== end) {
      const at = this.#position & this.#mask;
      const size = this.#bulk.view.getInt32(at, true);
      const isPadding = this.#bulk.view.getInt32(at + 4, true) === TYPE_PADDING;
      if (!isPadding) records.push({ at, bytes: copied(this.#bulk.bytes, at, at + size) });
      this.#position = (this.#position + alignRecord(size)) | 0;
    }
    return records;
  }
}
