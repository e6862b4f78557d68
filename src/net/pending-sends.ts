/**
 * Sends under way of one network thread, in the order in which they entered the send ring. The writer answers in that
 * order, so the answers need no lookup; an acknowledgement leaves when its message is as durable as promised.
 *
 *     head ............ answered ............ tail
 *     waits for its      waits for the
 *     end position       writer
 *
 * Invariant: head <= answered <= tail <= head + capacity; sequence numbers, int32, index by their low bits. Everything
 * is kept in flat arrays: a send under way is no object.
 */
import { assert } from '../lib/assert.ts';
import { copied } from '../lib/copied.ts';

/** Longest unique key that is kept in place; a longer one is kept in `longKeys`. Clients make 32 characters. */
const KEY_BYTES = 64;

export const SEND_ONEWAY = 1;
/** The producer does not wait for the flush (WAIT=false). */
export const SEND_NO_WAIT = 2;
/** Answered already; the slot only keeps the order. */
export const SEND_DONE = 4;
export const SEND_BINARY = 8;
/** The unique key means itself between JSON quotes. */
export const SEND_PLAIN_KEY = 16;

export class PendingSends {
  readonly capacity: number;
  head = 0;
  answered = 0;
  tail = 0;
  readonly slot: Int32Array;
  readonly generation: Int32Array;
  readonly opaque: Int32Array;
  readonly flags: Uint8Array;
  /** Which request it was: its number among the calls that are counted. */
  readonly call: Uint8Array;
  readonly queueId: Int32Array;
  readonly sentAt: Float64Array;
  readonly answeredAt: Float64Array;
  readonly status: Int32Array;
  readonly queueOffset: Float64Array;
  readonly physicalOffset: Float64Array;
  readonly end: Float64Array;
  readonly keyLength: Int32Array;
  readonly keys: Uint8Array;
  /** Unique keys longer than KEY_BYTES, and the record sizes of batches, by index. */
  readonly longKeys = new Map<number, Uint8Array>();
  readonly batchSizes = new Map<number, Int32Array>();
  /** Of timed messages, by index. */
  readonly recallHandles = new Map<number, string>();
  readonly #mask: number;

  constructor(capacity: number) {
    assert((capacity & (capacity - 1)) === 0, 'capacity is no power of two');
    this.capacity = capacity;
    this.#mask = capacity - 1;
    this.slot = new Int32Array(capacity);
    this.generation = new Int32Array(capacity);
    this.opaque = new Int32Array(capacity);
    this.flags = new Uint8Array(capacity);
    this.call = new Uint8Array(capacity);
    this.queueId = new Int32Array(capacity);
    this.sentAt = new Float64Array(capacity);
    this.answeredAt = new Float64Array(capacity);
    this.status = new Int32Array(capacity);
    this.queueOffset = new Float64Array(capacity);
    this.physicalOffset = new Float64Array(capacity);
    this.end = new Float64Array(capacity);
    this.keyLength = new Int32Array(capacity);
    this.keys = new Uint8Array(capacity * KEY_BYTES);
  }

  get full(): boolean {
    return ((this.tail - this.head) | 0) >= this.capacity;
  }

  get size(): number {
    return (this.tail - this.head) | 0;
  }

  /** Index of a sequence number in the arrays. */
  indexOf(sequence: number): number {
    return sequence & this.#mask;
  }

  setKey(index: number, bytes: Uint8Array, offset: number, length: number): void {
    this.keyLength[index] = length;
    if (length > KEY_BYTES) {
      this.longKeys.set(index, copied(bytes, offset, offset + length));
      return;
    }
    const at = index * KEY_BYTES;
    for (let i = 0; i < length; i++) this.keys[at + i] = bytes[offset + i] as number;
  }

  /** Copies the unique key to target[at…]; returns its length. */
  copyKey(index: number, target: Uint8Array, at: number): number {
    const length = this.keyLength[index] as number;
    if (length > KEY_BYTES) {
      target.set(this.longKeys.get(index) as Uint8Array, at);
      return length;
    }
    const from = index * KEY_BYTES;
    for (let i = 0; i < length; i++) target[at + i] = this.keys[from + i] as number;
    return length;
  }

  /** Forgets what the maps hold for a slot that is about to be used again. */
  clear(index: number): void {
    if ((this.keyLength[index] as number) > KEY_BYTES) this.longKeys.delete(index);
    if (this.batchSizes.size > 0) this.batchSizes.delete(index);
    if (this.recallHandles.size > 0) this.recallHandles.delete(index);
    this.keyLength[index] = 0;
  }
}
