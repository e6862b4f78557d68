/**
 * The slave's end of the connection to its master: says from where on it wants the log, takes the chunks apart, and
 * tells how far the copy is safe. Everything is bounded: while the writer has no room, the socket is not read.
 *
 * The protocol has no sign that two logs are the same. So the slave asks for a piece that it has already, and compares:
 * only a master whose bytes are its own is followed, and only what was compared, or came from there, is reported. That
 * works with a RocketMQ master as well.
 */
import {
  CHUNK_HEAD_BYTES,
  chunkLength,
  chunkPosition,
  FIRST_REQUEST,
  REPORT_BYTES,
  writeReport,
} from '../../protocol/replication-frames.ts';
import type { ServedLog } from '../master/slave-feed.ts';
import type { ReplicationOptions } from '../options.ts';
import type { RecordCutter } from './record-cutter.ts';

/** Bytes that wait for the writer, beyond one record, before the socket rests. */
const MAX_HELD = 1024 * 1024;

export interface MasterSocket {
  send(bytes: Uint8Array): void;
  pause(): void;
  resume(): void;
  close(): void;
}

export interface MasterStreamParts {
  log: ServedLog;
  cutter: RecordCutter;
  socket: MasterSocket;
  options: ReplicationOptions;
  now: () => number;
  /** End of what may be reported: as safe here as this broker's flush mode promises. */
  confirmed: () => number;
  /** Something waits in the cutter. */
  arrived: () => void;
  /** Where to begin: in front of the own log's end, as far as is to be compared. */
  from: number;
  /** Up to here everything must be the same before it says anything: less may be so by chance. */
  proof: number;
  /** The master has another byte at this position of the own log, and the same ones from `from` up to it. */
  differs: (position: number) => void;
  /** The connection was ended here, and why. */
  ended: (why: string) => void;
}

export class MasterStream {
  readonly #parts: MasterStreamParts;
  readonly #head = new Uint8Array(CHUNK_HEAD_BYTES);
  readonly #headView = new DataView(this.#head.buffer);
  #headLength = 0;
  /** Bytes of the chunk's body that are still to come. */
  #left = 0;
  /** Position of the next byte of the stream. */
  #next: number;
  /** Where the own log ended when the connection was made. */
  readonly #ownEnd: number;
  #reported = 0;
  #heardAt: number;
  #saidAt: number;
  #isPaused = false;
  #isOver = false;

  constructor(parts: MasterStreamParts) {
    this.#parts = parts;
    const { end } = parts.log;
    this.#ownEnd = end;
    this.#next = Math.max(parts.from, FIRST_REQUEST);
    this.#heardAt = parts.now();
    this.#saidAt = parts.now();
    // A record is never as large as 16 MiB: the first byte of a log, the highest of a size, is known.
    if (end === 0) parts.cutter.push(new Uint8Array(FIRST_REQUEST));
  }

  /** Says where to begin. */
  begin(): void {
    this.#report(this.#next);
  }

  /** Bytes from the master, cut anywhere. */
  received(bytes: Uint8Array): void {
    if (this.#isOver) return;
    this.#heardAt = this.#parts.now();
    let at = 0;
    while (at < bytes.length && !this.#isOver) {
      const taken = this.#left > 0 ? this.#body(bytes, at) : this.#headBytes(bytes, at);
      at += taken;
    }
    if (this.#isOver) return;
    this.#parts.arrived();
    if (this.#isFull && !this.#isPaused) {
      this.#isPaused = true;
      this.#parts.socket.pause();
    }
  }

  /** The cutter has been emptied as far as possible, or the log has become safer. */
  progress(): void {
    if (this.#isOver) return;
    if (this.#isPaused && !this.#isFull) {
      this.#isPaused = false;
      this.#heardAt = this.#parts.now();
      this.#parts.socket.resume();
    }
    // What was not compared yet may be another message than the master's.
    if (this.#next < this.#parts.proof) return;
    const confirmed = Math.min(this.#parts.confirmed(), this.#next);
    if (confirmed > this.#reported) this.#report(confirmed);
  }

  /** Once a while: says that the slave lives, and gives up a master that says nothing. */
  tick(): void {
    if (this.#isOver) return;
    const { options, now } = this.#parts;
    const silent = now() - this.#heardAt;
    // Who does not read hears nothing.
    if (silent > options.haHousekeepingInterval && !this.#isPaused) {
      this.end(`nothing was heard of it for ${Math.round(silent / 1000)} s`);
      return;
    }
    this.progress();
    if (now() - this.#saidAt > options.haSendHeartbeatInterval) this.#report(this.#reported);
  }

  /** Gives the master up. */
  end(why: string): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#parts.socket.close();
    this.#parts.ended(why);
  }

  /** The socket is closed. */
  close(): void {
    this.#isOver = true;
  }

  /** One record may have to come whole before the writer can have anything. */
  get #isFull(): boolean {
    const { cutter } = this.#parts;
    return cutter.held > MAX_HELD + cutter.largest;
  }

  #report(position: number): void {
    const report = new Uint8Array(REPORT_BYTES);
    writeReport(new DataView(report.buffer), 0, position);
    this.#reported = position;
    this.#saidAt = this.#parts.now();
    this.#parts.socket.send(report);
  }

  #headBytes(bytes: Uint8Array, at: number): number {
    const taken = Math.min(CHUNK_HEAD_BYTES - this.#headLength, bytes.length - at);
    this.#head.set(bytes.subarray(at, at + taken), this.#headLength);
    this.#headLength += taken;
    if (this.#headLength < CHUNK_HEAD_BYTES) return taken;
    this.#headLength = 0;
    const position = chunkPosition(this.#headView, 0);
    const length = chunkLength(this.#headView, 0);
    if (length < 0) this.end(`it announces ${length} bytes: no master of RocketMQ's kind speaks there`);
    else if (position !== this.#next)
      this.end(
        `it sends position ${position} and was asked for ${this.#next}: its log does not reach back that far`,
      );
    this.#left = Math.max(0, length);
    return taken;
  }

  #body(bytes: Uint8Array, at: number): number {
    const known = this.#ownEnd - this.#next;
    const length = Math.min(this.#left, bytes.length - at, known > 0 ? known : Number.POSITIVE_INFINITY);
    const piece = bytes.subarray(at, at + length);
    if (known <= 0) this.#parts.cutter.push(piece);
    else if (!this.#isOurs(piece)) return length;
    this.#next += length;
    this.#left -= length;
    return length;
  }

  /** Whether the own log has these bytes at the stream's position. */
  #isOurs(piece: Uint8Array): boolean {
    const { log } = this.#parts;
    for (let done = 0; done < piece.length; ) {
      const own = log.bytes(this.#next + done, piece.length - done);
      if (own === undefined || own.length === 0) {
        this.end(`the own log cannot be read at position ${this.#next + done}`);
        return false;
      }
      const theirs = piece.subarray(done, done + own.length);
      if (Buffer.compare(own, theirs) !== 0) {
        const at = own.findIndex((byte, index) => byte !== theirs[index]);
        this.#parts.differs(this.#next + done + at);
        return false;
      }
      done += own.length;
    }
    return true;
  }
}
