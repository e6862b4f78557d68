/**
 * Shared words and record format of a ring.
 *
 * Control words, an Int32Array over a SharedArrayBuffer. Every word that one side writes has a cache line of its own,
 * so that the two sides do not invalidate each other's lines:
 *
 *     byte   0   head             written by the consumer: everything before it may be overwritten
 *     byte  64   tail             written by the producer: everything before it may be read
 *     byte 128   producerWaiting  set by a producer that found the ring full, cleared by the consumer
 *
 * `head` and `tail` are byte positions that grow and wrap as int32; the place in the buffer is position & (capacity-1).
 *
 * A record, 8-byte aligned:
 *
 *      0       4       8                     8 + payload length
 *      +-------+-------+---------------------+- - - - -+
 *      | size  | type  | payload             | padding |
 *      +-------+-------+---------------------+- - - - -+
 *
 * `size` counts the 8 header bytes and the payload, without padding. Type PADDING fills the rest of the buffer when
 * the next record does not fit before its end, so that a record is always contiguous. Integers are in the machine's
 * byte order: a ring never leaves the process.
 */
export const RING_HEAD = 0;
export const RING_TAIL = 16;
export const RING_PRODUCER_WAITING = 32;
export const RING_WORDS = 48;

export const RECORD_HEADER_BYTES = 8;
export const RECORD_ALIGNMENT = 8;
export const TYPE_PADDING = 0;

export function alignRecord(size: number): number {
  return (size + (RECORD_ALIGNMENT - 1)) & ~(RECORD_ALIGNMENT - 1);
}

/** What one side needs to join a ring; can be posted to a worker. */
export interface RingShape {
  control: SharedArrayBuffer;
  /** Addon region of the bytes. */
  region: number;
  /** Bytes, a power of two. */
  capacity: number;
}
