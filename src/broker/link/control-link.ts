/** A network thread's end of the link with control: frames and news up, frames and deltas down. */

import { MAX_CONTROL_SHARE_BYTES } from '../../lib/limits.ts';
import type { Connection } from '../../net/connection.ts';
import { CUT_ALL, CUT_BLOCKED } from '../../protocol/frame-cutter.ts';
import type { ChannelReceiver, ChannelSender } from '../../ring/channel.ts';
import {
  FRAME_HEADER,
  LINK_CLOSE,
  LINK_CLOSED,
  LINK_COLD_READ,
  LINK_DELTA,
  LINK_ENSURE,
  LINK_FRAME,
  LINK_GIVEN,
  LINK_HEADER,
  LINK_IDENTIFIED,
  LINK_OPENED,
  LINK_PROGRESS,
  LINK_RESET_TAKEN,
  LINK_SEND,
  LINK_SUBSCRIPTION,
  PROGRESS_BYTES,
  PROGRESS_COMMIT,
  PROGRESS_GROUP,
  PROGRESS_PULL,
  PROGRESS_QUEUE,
} from '../../ring/link-records.ts';
import { FULL } from '../../ring/spsc-ring.ts';
import type { ColdRead } from '../cold/cold-reads.ts';
import type { Given } from '../stats/given.ts';
import type { Delta, EnsureGroup, EnsureTopic, PulledSubscription } from '../view/deltas.ts';

/** What a frame counts besides its length: handling a small one is work too, at worst tens of ms. */
const FRAME_COST = 16 * 1024;
/** What is taken from control in one turn: beyond, the sockets have theirs first, as answers leave by them. */
const DRAINED_BYTES = 4 * 1024 * 1024;
/** Share of the ring from which on control is woken for the progress of consumers alone. */
const FULL_ENOUGH = 1 / 4;

export interface ControlLinkParts {
  up: ChannelSender;
  down: ChannelReceiver;
  connectionOf: (slot: number, generation: number) => Connection | undefined;
  touched: (connection: Connection) => void;
  close: (connection: Connection) => void;
  apply: (delta: Delta, version: number) => void;
}

export class ControlLink {
  readonly #parts: ControlLinkParts;
  /** Something in the ring is more than the progress of consumers. */
  #urgent = false;
  /** Number of the round in which connections have shares, and where in the ring it ends. */
  #round = 0;
  #roundEnd = 0;

  constructor(parts: ControlLinkParts) {
    this.#parts = parts;
  }

  /** Whether `drain` would find something now. */
  get pending(): boolean {
    return this.#parts.down.pending;
  }

  /** Forwards a frame that came at `came`, ms of the monotonic clock. CUT_ALL or CUT_BLOCKED. */
  forward(connection: Connection, bytes: Uint8Array, offset: number, length: number, came: number): number {
    if (!this.#mayForward(connection, length)) return CUT_BLOCKED;
    const { up } = this.#parts;
    const time = FRAME_HEADER - LINK_HEADER;
    const at = this.#claim(LINK_FRAME, connection.slot, connection.generation, time + length);
    if (at === FULL) return CUT_BLOCKED;
    up.view.setFloat64(at, came, true);
    up.bytes.set(bytes.subarray(offset, offset + length), at + time);
    up.commit();
    connection.controlShare += costOf(connection, length);
    return CUT_ALL;
  }

  opened(connection: Connection): void {
    this.#post(LINK_OPENED, connection.slot, connection.generation, Buffer.from(connection.remoteAddress));
  }

  /** Before any frame of the connection: whoever asks is known by then. */
  identified(connection: Connection, subject: string): void {
    this.#post(LINK_IDENTIFIED, connection.slot, connection.generation, Buffer.from(subject));
  }

  closed(connection: Connection): void {
    this.#post(LINK_CLOSED, connection.slot, connection.generation, new Uint8Array(0));
  }

  /** Asks for a topic or group. False = no room now: the frame that needs it is to be kept. */
  ensure(what: EnsureTopic | EnsureGroup): boolean {
    return this.#tell(LINK_ENSURE, what);
  }

  /** False = no room now: to be said again with the next pull. */
  subscription(subscription: PulledSubscription): boolean {
    return this.#tell(LINK_SUBSCRIPTION, subscription);
  }

  resetTaken(group: string, topic: string, queueId: number): void {
    this.#post(LINK_RESET_TAKEN, 0, 0, Buffer.from(JSON.stringify({ group, topic, queueId })));
  }

  /** False = no room now: it is not counted. */
  coldRead(read: ColdRead): boolean {
    return this.#tell(LINK_COLD_READ, read);
  }

  /** False = no room now. */
  given(given: readonly Given[]): boolean {
    return this.#tell(LINK_GIVEN, given);
  }

  /** Progress of a consumer; offsets are -1 when there is none to tell. False when the ring is full. */
  progress(group: number, queue: number, commitOffset: number, pullOffset: number): boolean {
    const { up } = this.#parts;
    if (!up.catchUp()) return false;
    const at = up.claim(LINK_PROGRESS, PROGRESS_BYTES);
    if (at === FULL) return false;
    const { view } = up;
    view.setInt32(at, 0, true);
    view.setInt32(at + 4, 0, true);
    view.setInt32(at + PROGRESS_GROUP, group, true);
    view.setInt32(at + PROGRESS_QUEUE, queue, true);
    view.setFloat64(at + PROGRESS_COMMIT, commitOffset, true);
    view.setFloat64(at + PROGRESS_PULL, pullOffset, true);
    up.commit();
    return true;
  }

  /**
   * Shows control what this turn put into the ring. For the progress of consumers alone it is not woken, once per pull:
   * it meets that before anything that comes later, at the latest after `remind`.
   */
  publish(): void {
    const { up } = this.#parts;
    up.publish(this.#urgent || up.fill > FULL_ENOUGH);
    this.#urgent = false;
  }

  /** With the next `publish` control is to look, whatever there is. */
  remind(): void {
    this.#urgent = true;
  }

  /** Whether control can hear of one more connection: news of those before waits in bounded memory. */
  get mayOpen(): boolean {
    return !this.#parts.up.overfull;
  }

  /** Takes what control sent, DRAINED_BYTES or so; `pending` tells whether there is more. */
  drain(): void {
    const { down } = this.#parts;
    for (let bytes = 0; bytes < DRAINED_BYTES && down.next(); bytes += down.length) this.#take(down);
    down.release();
  }

  #take({ type, offset, length, view, bytes }: ChannelReceiver): void {
    const slot = view.getInt32(offset, true);
    const generation = view.getInt32(offset + 4, true);
    const payload = bytes.subarray(offset + LINK_HEADER, offset + length);
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
      // What the answers of late have cost, the next ones will.
      connection.answerBytes = Math.max(payload.length, connection.answerBytes >> 1);
      connection.append(payload);
      connection.flushMuch();
      this.#parts.touched(connection);
    }
  }

  /**
   * Within a round, which lasts until control has taken everything that was in the ring at its start, a connection may
   * put a share of its own before the others and no more: then it waits for the next round.
   */
  #mayForward(connection: Connection, length: number): boolean {
    const { up } = this.#parts;
    if (!up.catchUp()) return false;
    if (connection.controlRound === this.#round) {
      const share = connection.controlShare + costOf(connection, length);
      if (share <= MAX_CONTROL_SHARE_BYTES || connection.controlShare === 0) return true;
      if (!up.isReleasedOrAwait(this.#roundEnd)) return false;
      this.#round = (this.#round + 1) | 0;
      this.#roundEnd = up.position;
    }
    connection.controlRound = this.#round;
    connection.controlShare = 0;
    return true;
  }

  #claim(type: number, slot: number, generation: number, length: number): number {
    const { up } = this.#parts;
    this.#urgent = true;
    const at = up.claim(type, LINK_HEADER + length);
    if (at === FULL) return FULL;
    up.view.setInt32(at, slot, true);
    up.view.setInt32(at + 4, generation, true);
    return at + LINK_HEADER;
  }

  #tell(type: number, what: object): boolean {
    const { up } = this.#parts;
    if (!up.catchUp()) return false;
    const payload = Buffer.from(JSON.stringify(what));
    const at = this.#claim(type, 0, 0, payload.length);
    if (at === FULL) return false;
    up.bytes.set(payload, at);
    up.commit();
    return true;
  }

  /** For news that has no peer to push back on. */
  #post(type: number, slot: number, generation: number, payload: Uint8Array): void {
    this.#urgent = true;
    this.#parts.up.post(type, LINK_HEADER + payload.length, (bytes, view, at) => {
      view.setInt32(at, slot, true);
      view.setInt32(at + 4, generation, true);
      bytes.set(payload, at + LINK_HEADER);
    });
  }
}

/** What a frame counts of its connection's share: it is followed by work that nobody knows before it is done. */
function costOf({ answerBytes }: Connection, length: number): number {
  return FRAME_COST + length + answerBytes;
}
