/**
 * The one way between two threads: a ring for what is small, slabs for what is large, a wake-up for whoever waits for
 * room in either, and a backlog, counted in bytes, for what nobody can be asked to say again.
 *
 * The sender either *claims* (FULL = the caller's own source is not read on until the bell rings) or *posts* (kept in
 * order behind what waits already; who causes posts looks at `overfull` before taking more work). The receiver sees
 * records of either kind in the same way, in the order in which they were committed.
 *
 * In the ring a record whose payload lies in a slab has SLAB_BIT in its type and this payload:
 *
 *      0 slab    i32
 *      4 length  i32  of the payload in the slab
 */
import { Fifo } from '../lib/fifo.ts';
import type { Bulk } from './bulk.ts';
import { RECORD_HEADER_BYTES, type RingShape } from './layout.ts';
import { createSlabs, NO_SLAB, type SlabShape, Slabs } from './slabs.ts';
import { createRing, FULL, RingConsumer, RingProducer } from './spsc-ring.ts';

/** Payloads larger than this travel in a slab. */
export const MAX_INLINE = 256 * 1024;

/** What a posted record that waits costs beside its payload, roughly: an entry, a closure, a buffer. */
const POSTED_BYTES = 256;

const SLAB_BIT = 1 << 30;
const SLAB_RECORD_BYTES = 8;
const IN_RING = NO_SLAB;

/** Both ends of a channel; can be posted to a worker. */
export interface ChannelShape {
  ring: RingShape;
  /** Undefined: nothing larger than MAX_INLINE may be sent. */
  slabs: SlabShape | undefined;
}

export interface ChannelSize {
  /** A power of two, at least twice MAX_INLINE where slabs are asked for. */
  ringBytes: number;
  /** 0 = no large payloads. */
  slabs?: number;
  slabBytes?: number;
}

export function createChannel({ ringBytes, slabs = 0, slabBytes = 0 }: ChannelSize): ChannelShape {
  return { ring: createRing(ringBytes), slabs: slabs === 0 ? undefined : createSlabs(slabs, slabBytes) };
}

/** Writes a payload of the announced length at `at`. */
export type WritePayload = (bytes: Uint8Array, view: DataView, at: number) => void;

interface Posted {
  type: number;
  length: number;
  write: WritePayload;
}

export class ChannelSender {
  /** Memory of the payload claimed last. */
  bytes: Uint8Array;
  view: DataView;
  readonly #ring: RingProducer;
  readonly #slabs: Slabs | undefined;
  /** Slab of a claim that is not committed yet, or IN_RING; and where the ring names it. */
  #slab = IN_RING;
  #ringAt = 0;
  readonly #late = new Fifo<Posted>();
  #lateBytes = 0;
  readonly #maxLateBytes: number;

  /** `maxLateBytes`: posted bytes that wait for room before the channel is `overfull`. */
  constructor(ring: RingProducer, slabs: Slabs | undefined, maxLateBytes: number) {
    this.#ring = ring;
    this.#slabs = slabs;
    this.#maxLateBytes = maxLateBytes;
    this.bytes = ring.bytes;
    this.view = ring.view;
  }

  static join(shape: ChannelShape, wakeReceiver: () => void, maxLateBytes = 0): ChannelSender {
    const slabs = shape.slabs && new Slabs(shape.slabs);
    return new ChannelSender(RingProducer.join(shape.ring, wakeReceiver), slabs, maxLateBytes);
  }

  /** Longest payload that can ever be sent. */
  get maxPayload(): number {
    return this.#slabs?.slabBytes ?? Math.min(MAX_INLINE, this.#ring.largestRecord - RECORD_HEADER_BYTES);
  }

  /**
   * Reserves a record with a payload of so many bytes; returns where it goes in `bytes` and `view`. `commit` makes it
   * count; what is never committed never happened. FULL: the receiver rings when there may be room. Throws a RangeError
   * for what can never be sent.
   */
  claim(type: number, length: number): number {
    if (length <= MAX_INLINE) {
      this.#dropClaim();
      this.bytes = this.#ring.bytes;
      this.view = this.#ring.view;
      return this.#ring.claimOrAwait(type, length);
    }
    return this.#claimSlab(type, length);
  }

  /** Counts the claimed record in. */
  commit(): void {
    this.#slab = IN_RING;
    this.#ring.commit();
  }

  /** Counts the claimed record in with a payload of `length` bytes, no more than claimed. */
  commitPart(length: number): void {
    if (this.#slab === IN_RING) {
      this.#ring.commitPart(length);
      return;
    }
    this.#ring.view.setInt32(this.#ringAt + 4, length, true);
    this.commit();
  }

  /** Sends without fail: what finds no room goes later, in order. `write` may be called later. */
  post(type: number, length: number, write: WritePayload): void {
    if (length > this.maxPayload) throw new RangeError(`a channel takes no payload of ${length} bytes`);
    const posted = { type, length, write };
    if (this.#late.size === 0 && this.#send(posted)) return;
    this.#late.push(posted);
    this.#lateBytes += POSTED_BYTES + length;
  }

  /** Something posted waits for room: what is claimed now would overtake it. */
  get late(): boolean {
    return this.#late.size > 0;
  }

  /**
   * Sends what was late as far as there is room. Whoever claims among posts asks first; false = something is late
   * still, and the receiver rings when there may be room.
   */
  catchUp(): boolean {
    for (let posted = this.#late.peek(); posted !== undefined; posted = this.#late.peek()) {
      if (!this.#send(posted)) return false;
      this.#late.shift();
      this.#lateBytes -= POSTED_BYTES + posted.length;
    }
    return true;
  }

  /** More waits than should: take no more work that leads to posts. */
  get overfull(): boolean {
    return this.#lateBytes > this.#maxLateBytes;
  }

  /** Share of the ring that is committed and not yet released, 0 to 1. */
  get fill(): number {
    return this.#ring.used / this.#ring.capacity;
  }

  /** Where the next record begins in the ring, for `isReleased`. */
  get position(): number {
    return this.#ring.position;
  }

  /** Whether the receiver has released everything before `position`; false = it rings when it has released more. */
  isReleasedOrAwait(position: number): boolean {
    if (this.#ring.isReleased(position)) return true;
    this.#ring.publish();
    this.#ring.awaitRelease();
    return this.#ring.isReleased(position);
  }

  /** Sends what was late as far as there is room, and shows the receiver everything committed. */
  publish(wake = true): void {
    this.#dropClaim();
    this.catchUp();
    this.#ring.publish(wake);
  }

  #claimSlab(type: number, length: number): number {
    this.#dropClaim();
    const slabs = this.#slabs;
    if (slabs === undefined || length > slabs.slabBytes) {
      throw new RangeError(`a channel takes no payload of ${length} bytes`);
    }
    const at = this.#ring.claimOrAwait(type | SLAB_BIT, SLAB_RECORD_BYTES);
    if (at === FULL) return FULL;
    const slab = slabs.takeOrAwait();
    if (slab === NO_SLAB) {
      // The receiver may sleep with the records in the ring that hold all slabs.
      this.#ring.publish();
      return FULL;
    }
    this.#slab = slab;
    this.#ringAt = at;
    this.#ring.view.setInt32(at, slab, true);
    this.#ring.view.setInt32(at + 4, length, true);
    const bulk = slabs.bulk(slab);
    this.bytes = bulk.bytes;
    this.view = bulk.view;
    return 0;
  }

  #dropClaim(): void {
    if (this.#slab === IN_RING) return;
    this.#slabs?.drop(this.#slab);
    this.#slab = IN_RING;
  }

  #send({ type, length, write }: Posted): boolean {
    const at = this.claim(type, length);
    if (at === FULL) return false;
    write(this.bytes, this.view, at);
    this.commit();
    return true;
  }
}

export class ChannelReceiver {
  /** Of the current record. */
  type = 0;
  /** Payload: length, and where it lies in `bytes`, `view` and `bulk`. */
  offset = 0;
  length = 0;
  bulk: Bulk;
  readonly #ring: RingConsumer;
  readonly #slabs: Slabs | undefined;
  readonly #wakeSender: () => void;
  /** Slab of the current record, or IN_RING. */
  #slab = IN_RING;

  constructor(ring: RingConsumer, slabs: Slabs | undefined, wakeSender: () => void) {
    this.#ring = ring;
    this.#slabs = slabs;
    this.#wakeSender = wakeSender;
    this.bulk = ring.bulk;
  }

  static join(shape: ChannelShape, wakeSender: () => void): ChannelReceiver {
    const slabs = shape.slabs && new Slabs(shape.slabs);
    return new ChannelReceiver(RingConsumer.join(shape.ring, wakeSender), slabs, wakeSender);
  }

  get bytes(): Uint8Array {
    return this.bulk.bytes;
  }

  get view(): DataView {
    return this.bulk.view;
  }

  /** Steps to the next record, whose payload may be read until the next step or `release`; false when there is none. */
  next(): boolean {
    if (this.#slab !== IN_RING) this.#freeSlab();
    const ring = this.#ring;
    if (!ring.next()) return false;
    if ((ring.type & SLAB_BIT) === 0) {
      this.type = ring.type;
      this.offset = ring.offset;
      this.length = ring.length;
    } else {
      this.#enterSlab();
    }
    return true;
  }

  /** Gives everything stepped over back to the sender and wakes it when it waits for room. */
  release(): void {
    if (this.#slab !== IN_RING) this.#freeSlab();
    this.#ring.release();
  }

  /** Whether a `next` would find something. */
  get pending(): boolean {
    return this.#ring.pending;
  }

  #enterSlab(): void {
    const { type, offset, view } = this.#ring;
    const slabs = this.#slabs as Slabs;
    this.type = type & ~SLAB_BIT;
    this.#slab = view.getInt32(offset, true);
    this.length = view.getInt32(offset + 4, true);
    this.offset = 0;
    this.bulk = slabs.bulk(this.#slab);
  }

  #freeSlab(): void {
    const slab = this.#slab;
    this.#slab = IN_RING;
    this.bulk = this.#ring.bulk;
    if (this.#slabs?.free(slab)) this.#wakeSender();
  }
}

/** Both ends in one thread, over shared memory: for inline runs and tests. */
export function plainChannel(
  size: ChannelSize,
  maxLateBytes = 0,
): { sender: ChannelSender; receiver: ChannelReceiver } {
  const shape = createChannel(size);
  return {
    sender: ChannelSender.join(shape, () => {}, maxLateBytes),
    receiver: ChannelReceiver.join(shape, () => {}),
  };
}
