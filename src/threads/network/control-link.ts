/** A network thread's end of the link with control: frames and news up, frames and deltas down. */

import type { Delta, EnsureGroup, EnsureTopic, PulledSubscription } from '../../broker/view/deltas.ts';
import type { Connection } from '../../net/connection.ts';
import { CUT_ALL, CUT_BLOCKED } from '../../protocol/frame-cutter.ts';
import {
  LINK_CLOSE,
  LINK_CLOSED,
  LINK_DELTA,
  LINK_ENSURE,
  LINK_FRAME,
  LINK_FRAME_IN_SLAB,
  LINK_HEADER,
  LINK_IN_SLAB,
  LINK_OPENED,
  LINK_PROGRESS,
  LINK_RESET_TAKEN,
  LINK_SEND,
  LINK_SUBSCRIPTION,
  MAX_LINK_FRAME,
  PROGRESS_BYTES,
  PROGRESS_COMMIT,
  PROGRESS_GROUP,
  PROGRESS_PULL,
  PROGRESS_QUEUE,
} from '../../ring/link-records.ts';
import { NO_SLAB, type Slabs } from '../../ring/slabs.ts';
import { FULL, type RingConsumer, type RingProducer } from '../../ring/spsc-ring.ts';

export interface ControlLinkParts {
  up: RingProducer;
  upSlabs: Slabs;
  down: RingConsumer;
  downSlabs: Slabs;
  connectionOf: (slot: number, generation: number) => Connection | undefined;
  touched: (connection: Connection) => void;
  close: (connection: Connection) => void;
  apply: (delta: Delta, version: number) => void;
}

interface News {
  type: number;
  slot: number;
  generation: number;
  payload: Uint8Array;
}

export class ControlLink {
  readonly #parts: ControlLinkParts;
  /** News that found the ring full; it goes before anything else. */
  readonly #late: News[] = [];
  /** Something in the ring is more than the progress of consumers. */
  #urgent = false;

  constructor(parts: ControlLinkParts) {
    this.#parts = parts;
  }

  /** Whether `drain` would find something now. */
  get pending(): boolean {
    return this.#parts.down.pending;
  }

  /** Forwards a frame. CUT_ALL or CUT_BLOCKED. */
  forward(connection: Connection, bytes: Uint8Array, offset: number, length: number): number {
    if (this.#late.length > 0) return CUT_BLOCKED;
    this.#urgent = true;
    if (length > MAX_LINK_FRAME) return this.#forwardInSlab(connection, bytes, offset, length);
    const { up } = this.#parts;
    const at = this.#parts.up.claimOrAwait(LINK_FRAME, LINK_HEADER + length);
    if (at === FULL) return CUT_BLOCKED;
    this.#writeHeader(at, connection.slot, connection.generation);
    up.bytes.set(bytes.subarray(offset, offset + length), at + LINK_HEADER);
    return CUT_ALL;
  }

  opened(connection: Connection): void {
    this.#news(LINK_OPENED, connection.slot, connection.generation, Buffer.from(connection.remoteAddress));
  }

  closed(connection: Connection): void {
    this.#news(LINK_CLOSED, connection.slot, connection.generation, new Uint8Array(0));
  }

  ensure(what: EnsureTopic | EnsureGroup): void {
    this.#news(LINK_ENSURE, 0, 0, Buffer.from(JSON.stringify(what)));
  }

  subscription(subscription: PulledSubscription): void {
    this.#news(LINK_SUBSCRIPTION, 0, 0, Buffer.from(JSON.stringify(subscription)));
  }

  resetTaken(group: string, topic: string, queueId: number): void {
    this.#news(LINK_RESET_TAKEN, 0, 0, Buffer.from(JSON.stringify({ group, topic, queueId })));
  }

  /** Progress of a consumer; offsets are -1 when there is none to tell. False when the ring is full. */
  progress(group: number, queue: number, commitOffset: number, pullOffset: number): boolean {
    const { view } = this.#parts.up;
    const at = this.#parts.up.claimOrAwait(LINK_PROGRESS, PROGRESS_BYTES);
    if (at === FULL) return false;
    this.#writeHeader(at, 0, 0);
    view.setInt32(at + PROGRESS_GROUP, group, true);
    view.setInt32(at + PROGRESS_QUEUE, queue, true);
    view.setFloat64(at + PROGRESS_COMMIT, commitOffset, true);
    view.setFloat64(at + PROGRESS_PULL, pullOffset, true);
    return true;
  }

  /**
   * Shows control what this turn put into the ring. For the progress of consumers alone it is not woken, once per pull:
   * it meets that before anything that comes later, at the latest after `remind`.
   */
  publish(): void {
    this.#sendLate();
    const { up } = this.#parts;
    up.publish(this.#urgent || up.used > up.capacity / 4);
    this.#urgent = false;
  }

  /** With the next `publish` control is to look, whatever there is. */
  remind(): void {
    this.#urgent = true;
  }

  /** Takes what control sent. */
  drain(): void {
    const { down } = this.#parts;
    while (down.next()) this.#take(down);
    down.release();
  }

  #take({ type, offset, length, view, bytes }: RingConsumer): void {
    const slot = view.getInt32(offset, true);
    const generation = view.getInt32(offset + 4, true);
    const payload = offset + LINK_HEADER;
    if (type === LINK_IN_SLAB) this.#takeFromSlab(view, payload, slot, generation);
    else this.#obey(type, slot, generation, bytes.subarray(payload, offset + length));
  }

  #takeFromSlab(view: DataView, at: number, slot: number, generation: number): void {
    const { downSlabs } = this.#parts;
    const slab = view.getInt32(at, true);
    const length = view.getInt32(at + 4, true);
    this.#obey(view.getInt32(at + 8, true), slot, generation, downSlabs.bulk(slab).bytes.subarray(0, length));
    downSlabs.free(slab);
  }

  #obey(type: number, slot: number, generation: number, payload: Uint8Array): void {
    if (type === LINK_DELTA) {
      const text = Buffer.from(payload.buffer, payload.byteOffset, payload.length).toString();
      this.#parts.apply(JSON.parse(text) as Delta, generation);
      return;
    }
    const connection = this.#parts.connectionOf(slot, generation);
    if (connection === undefined) return;
    if (type === LINK_CLOSE) {
      this.#parts.close(connection);
    } else if (type === LINK_SEND) {
      connection.append(payload);
      this.#parts.touched(connection);
    }
  }

  #forwardInSlab(connection: Connection, bytes: Uint8Array, offset: number, length: number): number {
    const { up, upSlabs } = this.#parts;
    const slab = upSlabs.take();
    if (slab === NO_SLAB) return CUT_BLOCKED;
    const at = this.#parts.up.claimOrAwait(LINK_FRAME_IN_SLAB, LINK_HEADER + 8);
    if (at === FULL) {
      upSlabs.free(slab);
      return CUT_BLOCKED;
    }
    upSlabs.bulk(slab).bytes.set(bytes.subarray(offset, offset + length));
    this.#writeHeader(at, connection.slot, connection.generation);
    up.view.setInt32(at + LINK_HEADER, slab, true);
    up.view.setInt32(at + LINK_HEADER + 4, length, true);
    return CUT_ALL;
  }

  /** News has no peer to push back on: what finds the ring full waits here, in order. */
  #news(type: number, slot: number, generation: number, payload: Uint8Array): void {
    if (this.#late.length > 0 || !this.#put(type, slot, generation, payload)) {
      this.#late.push({ type, slot, generation, payload });
    }
  }

  #sendLate(): void {
    while (this.#late.length > 0) {
      const { type, slot, generation, payload } = this.#late[0] as News;
      if (!this.#put(type, slot, generation, payload)) return;
      this.#late.shift();
    }
  }

  #put(type: number, slot: number, generation: number, payload: Uint8Array): boolean {
    this.#urgent = true;
    const at = this.#parts.up.claimOrAwait(type, LINK_HEADER + payload.length);
    if (at === FULL) return false;
    this.#writeHeader(at, slot, generation);
    this.#parts.up.bytes.set(payload, at + LINK_HEADER);
    return true;
  }

  #writeHeader(at: number, slot: number, generation: number): void {
    this.#parts.up.view.setInt32(at, slot, true);
    this.#parts.up.view.setInt32(at + 4, generation, true);
  }
}
