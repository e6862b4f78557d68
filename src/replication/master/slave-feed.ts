/**
 * The master's end of a slave's connection: hears how far the slave has come, and sends it the log from there. Bytes
 * go from the mapping to the socket; how many are under way is bounded, so a slave that does not read costs nothing.
 *
 * What a slave says is believed only where it can be true: an end behind our own, or before what we still have, ends
 * the connection with a sentence that says what to do. RocketMQ goes on in both cases, and the copies differ for good.
 */
import {
  CHUNK_HEAD_BYTES,
  FIRST_REQUEST,
  REPORT_BYTES,
  readReport,
  writeChunkHead,
} from '../../protocol/replication-frames.ts';
import type { ReplicationOptions } from '../options.ts';
import { behindMs } from '../store-times.ts';
import { Pace } from './pace.ts';
import type { Follower } from './replicas.ts';

/** Bytes of log handed to a socket that the kernel has not taken yet. */
export const MAX_UNDER_WAY = 1024 * 1024;

/** The log as a master shows it. */
export interface ServedLog {
  /** First position that is still there, and the end of what is appended. */
  readonly start: number;
  readonly end: number;
  readonly fileSize: number;
  /** Store time of the last message, ms since the epoch. */
  readonly newest: number;
  /** Bytes of the mapping from `position` on, `length` at most, in one file; undefined = they cannot be read. */
  bytes(position: number, length: number): Uint8Array | undefined;
}

export interface FeedSocket {
  /** Sends all pieces together; `taken` when the kernel has them, and the memory is free. */
  send(pieces: readonly Uint8Array[], taken: () => void): void;
  close(): void;
}

export interface FeedParts {
  log: ServedLog;
  socket: FeedSocket;
  options: ReplicationOptions;
  /** Where the slave's connection comes from. */
  host: string;
  port: number;
  now: () => number;
  /** The slave has more than before. */
  acknowledged: () => void;
  /** The connection was ended here, and why. */
  ended: (feed: SlaveFeed, why: string) => void;
}

export class SlaveFeed implements Follower {
  readonly host: string;
  /** For people. */
  readonly address: string;
  /** End of what the slave says to have; -1 before its first report. */
  acknowledged = -1;
  /** Where it wanted to begin; -1 before its first report. */
  requested = -1;
  /** Position of the next byte to send. */
  next = -1;
  /** Bytes before it are with the kernel, or further. */
  taken = -1;
  readonly pace: Pace;
  readonly #parts: FeedParts;
  readonly #partial = new Uint8Array(REPORT_BYTES);
  #partialLength = 0;
  #heardAt: number;
  readonly #openedAt: number;
  #sentAt: number;
  #isOver = false;

  constructor(parts: FeedParts) {
    this.#parts = parts;
    this.host = parts.host;
    this.address = `${parts.host}:${parts.port}`;
    const now = parts.now();
    const { haFlowControlEnable, maxHaTransferByteInSecond } = parts.options;
    this.pace = new Pace(haFlowControlEnable ? maxHaTransferByteInSecond : Number.POSITIVE_INFINITY, now);
    this.#openedAt = now;
    this.#heardAt = now;
    this.#sentAt = now;
  }

  /** Whether the slave has come near enough to the end to count. */
  get inSync(): boolean {
    const { log, options } = this.#parts;
    return this.acknowledged >= 0 && log.end - this.acknowledged < options.haMaxGapNotInSync;
  }

  /**
   * Where a slave wants to begin is where it begins to compare: it may have another log there, so that counts for
   * nothing, however often it is said.
   */
  get has(): number {
    return this.acknowledged > this.requested ? this.acknowledged : -1;
  }

  /** Bytes that lie between our end and what the slave has. */
  get behind(): number {
    return Math.max(0, this.#parts.log.end - Math.max(0, this.acknowledged));
  }

  /** The same in time, ms; undefined when it cannot be said. */
  get behindMs(): number | undefined {
    const { log } = this.#parts;
    return behindMs(log, Math.max(log.start, this.acknowledged));
  }

  /** Reports of the slave, cut anywhere. Only the last whole one counts: it says everything. */
  received(bytes: Uint8Array): void {
    if (this.#isOver || bytes.length === 0) return;
    this.#heardAt = this.#parts.now();
    const total = this.#partialLength + bytes.length;
    const rest = total % REPORT_BYTES;
    if (total < REPORT_BYTES) {
      this.#partial.set(bytes, this.#partialLength);
      this.#partialLength = total;
      return;
    }
    const position = this.#lastReport(bytes, bytes.length - rest);
    this.#partial.set(bytes.subarray(bytes.length - rest));
    this.#partialLength = rest;
    this.#reported(position);
  }

  /** Sends what there is, as far as the slave reads. */
  pump(): void {
    if (this.#isOver || this.next < 0) return;
    const { log } = this.#parts;
    if (this.next < log.start) {
      this.#end(tooFarBehind(this.next, log.start));
      return;
    }
    while (this.next < log.end && this.next - this.taken < MAX_UNDER_WAY) {
      if (!this.#sendSome()) return;
    }
  }

  /** Once a while: says that the master lives, and gives up a slave that says nothing. */
  tick(): void {
    if (this.#isOver) return;
    const { options, now } = this.#parts;
    if (this.requested < 0 && now() - this.#openedAt > options.haHousekeepingInterval) {
      const seconds = Math.round(options.haHousekeepingInterval / 1000);
      this.#end(`it has not said within ${seconds} s where its log ends: it is no slave`);
      return;
    }
    const silent = now() - this.#heardAt;
    if (silent > options.haHousekeepingInterval) {
      this.#end(`nothing was heard of it for ${Math.round(silent / 1000)} s`);
      return;
    }
    this.pump();
    if (this.next >= 0 && now() - this.#sentAt > options.haSendHeartbeatInterval && this.taken === this.next)
      this.#send([this.#head(0)], 0);
  }

  /** The socket is closed, by whomever. */
  close(): void {
    this.#isOver = true;
  }

  #lastReport(bytes: Uint8Array, end: number): number {
    if (end >= REPORT_BYTES) return readReport(viewOf(bytes), end - REPORT_BYTES);
    // The one whole report began in what came before.
    const whole = new Uint8Array(REPORT_BYTES);
    whole.set(this.#partial.subarray(0, this.#partialLength));
    whole.set(bytes.subarray(0, REPORT_BYTES - this.#partialLength), this.#partialLength);
    return readReport(viewOf(whole), 0);
  }

  #reported(position: number): void {
    const { log } = this.#parts;
    if (!(position >= 0 && position <= Number.MAX_SAFE_INTEGER)) {
      this.#end(`it is no slave: where the end of its log is expected it says ${position}`);
      return;
    }
    // An empty slave of an empty master wants the log's second byte, as soon as there is one.
    if (position > Math.max(log.end, FIRST_REQUEST)) {
      this.#end(
        `it says that its log ends at ${position}, and ours ends at ${log.end}: its last messages are not ` +
          "ours, or it follows another broker; stop it and move its store's commitlog away, and it begins anew",
      );
      return;
    }
    if (this.requested < 0) this.#begin(position);
    if (position > this.next) {
      this.#end(
        `it says that its log ends at ${position}, and was sent no more than up to ${this.next}: it is no slave, or ` +
          'something else writes to its log',
      );
      return;
    }
    const end = Math.min(position, log.end);
    if (end > this.acknowledged) {
      this.acknowledged = end;
      this.#parts.acknowledged();
    }
    this.pump();
  }

  /** An empty slave gets the log from the beginning of its last file, as from RocketMQ. */
  #begin(position: number): void {
    const { log } = this.#parts;
    this.requested = position;
    const last = Math.max(log.start, log.end - (log.end % log.fileSize));
    this.next = position === 0 ? last : position;
    this.taken = this.next;
  }

  #sendSome(): boolean {
    const { log, options, now } = this.#parts;
    const room = this.pace.room(now());
    const length = Math.min(options.haTransferBatchSize, log.end - this.next, room);
    if (length <= 0) return false;
    const body = log.bytes(this.next, length);
    if (body === undefined) {
      this.#end(`the log cannot be read at position ${this.next}`);
      return false;
    }
    this.#send([this.#head(body.length), body], body.length);
    return true;
  }

  #send(pieces: readonly Uint8Array[], length: number): void {
    this.next += length;
    this.pace.sent(length + CHUNK_HEAD_BYTES);
    this.#sentAt = this.#parts.now();
    const end = this.next;
    this.#parts.socket.send(pieces, () => {
      this.taken = end;
      if (length > 0) this.pump();
    });
  }

  #head(length: number): Uint8Array {
    const head = new Uint8Array(CHUNK_HEAD_BYTES);
    writeChunkHead(viewOf(head), 0, this.next, length);
    return head;
  }

  #end(why: string): void {
    this.#isOver = true;
    this.#parts.socket.close();
    this.#parts.ended(this, why);
  }
}

function tooFarBehind(position: number, start: number): string {
  return position <= FIRST_REQUEST
    ? `it has no log yet, and ours begins at ${start}: a slave of RingMQ begins there when it has asked for that`
    : `it is too far behind: it is at position ${position}, and the log begins at ${start} now; give it a newer copy ` +
        'of a store to go on with';
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
