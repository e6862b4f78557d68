/**
 * The one ring type: one producer, one consumer, variable-length records (see layout.ts).
 *
 * Producer: `claim` space, write the payload in place, `commit` the record, then `publish` once per batch. Nothing is
 * visible before `publish`, and what was claimed and never committed never is: whoever fails between the two leaves
 * nothing behind. A full ring gives FULL at once; waiting is the caller's business (back-pressure, never a wait).
 *
 * Consumer: `next` steps to a record and sets `type`, `offset`, `length`; the payload may be read until `release`,
 * which gives all records stepped over back to the producer, once per batch.
 *
 * Claim, write and commit of a record happen in one synchronous call of one thread; neither side may change threads.
 */
import { assert } from '../lib/assert.ts';
import { addon } from '../native/addon.ts';
import { attachBulk, type Bulk, plainBulk } from './bulk.ts';
import {
  alignRecord,
  RECORD_HEADER_BYTES,
  RING_HEAD,
  RING_PRODUCER_WAITING,
  RING_TAIL,
  RING_WORDS,
  type RingShape,
  TYPE_PADDING,
} from './layout.ts';

/** `claim` found no room. */
export const FULL = -1;

/** Creates the shared parts of a ring; `capacity` is a power of two, at least twice the largest record. */
export function createRing(capacity: number): RingShape {
  assert(
    capacity >= 4096 && (capacity & (capacity - 1)) === 0,
    `ring capacity ${capacity} is no power of two`,
  );
  const region = addon.allocateRegion(capacity);
  if (region < 0) throw new Error(`cannot reserve ${capacity} bytes for a ring (errno ${-region})`);
  return { control: new SharedArrayBuffer(RING_WORDS * 4), region, capacity };
}

/** Bytes that its producer has published and its consumer not released, for whoever is neither of them. */
export function usedOf(words: Int32Array): number {
  return (Atomics.load(words, RING_TAIL) - Atomics.load(words, RING_HEAD)) | 0;
}

interface RingMemory {
  words: Int32Array;
  bulk: Bulk;
  capacity: number;
}

function join(shape: RingShape): RingMemory {
  return { words: new Int32Array(shape.control), bulk: attachBulk(shape.region), capacity: shape.capacity };
}

export class RingProducer {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  readonly capacity: number;
  /** Bytes, header and alignment included: half the ring always fits at some moment, wherever its end falls. */
  readonly largestRecord: number;
  readonly #words: Int32Array;
  readonly #mask: number;
  /** Behind the last record committed. */
  #tail: number;
  /** Last seen head: the shared word is read only when the cached one says "full". */
  #head: number;
  readonly #wakeConsumer: () => void;
  /** The consumer was woken for all that is published. */
  #told = true;
  /** Of the record claimed last: bytes left out before it at the end of the buffer, and where it begins. */
  #padding = 0;
  #claimed = 0;

  constructor(memory: RingMemory, wakeConsumer: () => void = () => {}) {
    this.#words = memory.words;
    this.bytes = memory.bulk.bytes;
    this.view = memory.bulk.view;
    this.capacity = memory.capacity;
    this.largestRecord = memory.capacity / 2;
    this.#mask = memory.capacity - 1;
    this.#tail = Atomics.load(this.#words, RING_TAIL);
    this.#head = Atomics.load(this.#words, RING_HEAD);
    this.#wakeConsumer = wakeConsumer;
  }

  static join(shape: RingShape, wakeConsumer: () => void): RingProducer {
    return new RingProducer(join(shape), wakeConsumer);
  }

  /**
   * Reserves a record; returns the offset of its payload in `bytes`, or FULL. `commit` makes it count; another claim
   * takes its place. Throws a RangeError for what would never fit: waiting would not end.
   */
  claim(type: number, payloadLength: number): number {
    const size = RECORD_HEADER_BYTES + payloadLength;
    const aligned = alignRecord(size);
    if (aligned > this.largestRecord)
      throw new RangeError(`a ring of ${this.capacity} bytes takes no record of ${size}`);
    const position = this.#tail & this.#mask;
    const toEnd = this.capacity - position;
    const padding = aligned <= toEnd ? 0 : toEnd;
    if (!this.#hasRoom(padding + aligned)) return FULL;
    let offset = position;
    if (padding > 0) {
      this.view.setInt32(position, toEnd, true);
      this.view.setInt32(position + 4, TYPE_PADDING, true);
      offset = 0;
    }
    this.view.setInt32(offset, size, true);
    this.view.setInt32(offset + 4, type, true);
    this.#padding = padding;
    this.#claimed = offset;
    return offset + RECORD_HEADER_BYTES;
  }

  /** Counts the claimed record in. */
  commit(): void {
    this.#tail = (this.#tail + this.#padding + alignRecord(this.view.getInt32(this.#claimed, true))) | 0;
  }

  /** Counts the claimed record in with a payload of `payloadLength` bytes, no more than claimed. */
  commitPart(payloadLength: number): void {
    this.view.setInt32(this.#claimed, RECORD_HEADER_BYTES + payloadLength, true);
    this.commit();
  }

  /**
   * Makes everything committed so far visible and wakes the consumer; without `wake` it finds it when it next looks, or
   * is woken by a later `publish`.
   */
  publish(wake = true): void {
    if (Atomics.load(this.#words, RING_TAIL) !== this.#tail) {
      Atomics.store(this.#words, RING_TAIL, this.#tail);
      this.#told = false;
    }
    if (!wake || this.#told) return;
    this.#told = true;
    this.#wakeConsumer();
  }

  /**
   * Reserves a record like `claim`; when the ring is full, shows the consumer what there is and asks it to ring when it
   * has released something. FULL then means: wait for the bell.
   */
  claimOrAwait(type: number, payloadLength: number): number {
    const claimed = this.claim(type, payloadLength);
    if (claimed !== FULL) return claimed;
    this.publish();
    return this.awaitRoom(payloadLength) ? this.claim(type, payloadLength) : FULL;
  }

  /**
   * After FULL: asks the consumer to ring when it has released something. True = there is room for a record of this
   * size meanwhile, claim again at once.
   */
  awaitRoom(payloadLength: number): boolean {
    this.awaitRelease();
    const aligned = alignRecord(RECORD_HEADER_BYTES + payloadLength);
    const toEnd = this.capacity - (this.#tail & this.#mask);
    return this.#hasRoom(aligned <= toEnd ? aligned : toEnd + aligned);
  }

  /** Where the next record begins: an int32 that grows and wraps. */
  get position(): number {
    return this.#tail;
  }

  /** Whether the consumer has released everything before `position`. */
  isReleased(position: number): boolean {
    if (((this.#head - position) | 0) >= 0) return true;
    this.#head = Atomics.load(this.#words, RING_HEAD);
    return ((this.#head - position) | 0) >= 0;
  }

  /** Asks the consumer to ring when it has released something. */
  awaitRelease(): void {
    Atomics.store(this.#words, RING_PRODUCER_WAITING, 1);
  }

  /** Bytes committed and not yet released. */
  get used(): number {
    return (this.#tail - Atomics.load(this.#words, RING_HEAD)) | 0;
  }

  #hasRoom(needed: number): boolean {
    if (this.capacity - ((this.#tail - this.#head) | 0) >= needed) return true;
    this.#head = Atomics.load(this.#words, RING_HEAD);
    return this.capacity - ((this.#tail - this.#head) | 0) >= needed;
  }
}

export class RingConsumer {
  /** Of the current record. */
  type = 0;
  /** Payload offset in `bytes`. */
  offset = 0;
  /** Payload length. */
  length = 0;
  readonly bulk: Bulk;
  readonly bytes: Uint8Array;
  readonly view: DataView;
  readonly #words: Int32Array;
  readonly #mask: number;
  #head: number;
  #tail: number;
  readonly #wakeProducer: () => void;

  constructor(memory: RingMemory, wakeProducer: () => void = () => {}) {
    this.#words = memory.words;
    this.bulk = memory.bulk;
    this.bytes = memory.bulk.bytes;
    this.view = memory.bulk.view;
    this.#mask = memory.capacity - 1;
    this.#head = Atomics.load(this.#words, RING_HEAD);
    this.#tail = this.#head;
    this.#wakeProducer = wakeProducer;
  }

  static join(shape: RingShape, wakeProducer: () => void): RingConsumer {
    return new RingConsumer(join(shape), wakeProducer);
  }

  /** Steps to the next record; false when there is none. */
  next(): boolean {
    for (;;) {
      if (this.#head === this.#tail) {
        this.#tail = Atomics.load(this.#words, RING_TAIL);
        if (this.#head === this.#tail) return false;
      }
      const position = this.#head & this.#mask;
      const size = this.view.getInt32(position, true);
      const type = this.view.getInt32(position + 4, true);
      this.#head = (this.#head + alignRecord(size)) | 0;
      if (type === TYPE_PADDING) continue;
      this.type = type;
      this.offset = position + RECORD_HEADER_BYTES;
      this.length = size - RECORD_HEADER_BYTES;
      return true;
    }
  }

  /** Gives everything stepped over back to the producer and wakes it when it waits for room. */
  release(): void {
    if (Atomics.load(this.#words, RING_HEAD) === this.#head) return;
    Atomics.store(this.#words, RING_HEAD, this.#head);
    if (Atomics.load(this.#words, RING_PRODUCER_WAITING) === 1) {
      Atomics.store(this.#words, RING_PRODUCER_WAITING, 0);
      this.#wakeProducer();
    }
  }

  /** Whether a `next` would find something. */
  get pending(): boolean {
    return this.#head !== this.#tail || Atomics.load(this.#words, RING_TAIL) !== this.#head;
  }
}

/** Both ends of a ring in one thread, over plain memory: for inline topologies and tests. */
export function plainRing(capacity: number): { producer: RingProducer; consumer: RingConsumer } {
  const memory = {
    words: new Int32Array(new SharedArrayBuffer(RING_WORDS * 4)),
    bulk: plainBulk(capacity),
    capacity,
  };
  return { producer: new RingProducer(memory), consumer: new RingConsumer(memory) };
}
