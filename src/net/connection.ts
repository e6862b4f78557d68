/**
 * One client connection of a network thread. Owner of its socket, of the bytes that wait to be understood, and of the
 * replies that wait to leave.
 *
 * Input: the socket reads into one static buffer of the thread. Whole frames are handled in place; only the tail of an
 * unfinished frame, or what could not be handled because a ring is full, is copied aside (`kept`). While something is
 * kept because of a full ring the socket is not read.
 *
 * Output: replies of one turn of the event loop are gathered in a buffer and leave in one write.
 */
import type { Socket } from 'node:net';
import { Hold } from '../lib/hold-budget.ts';
import { MAX_UNSENT_BYTES } from '../lib/limits.ts';
import { addon } from '../native/addon.ts';
import { FrameCutter } from '../protocol/frame-cutter.ts';
import type { HostAddress } from '../record/message-id.ts';
import { bytesMoved, bytesTaken } from '../remoting/socket-progress.ts';
import type { Gathered } from '../ring/gathered.ts';
import { EIO } from '../store/disk/errors.ts';
import type { OutputPool } from './output-pool.ts';
import { descriptorOf } from './read-buffer.ts';

/** Gathered replies of so many bytes leave at once: the kernel sends them while the next ones are made. */
const ENOUGH_TO_SEND = 1024 * 1024;
/** Writes by TLS under way: each keeps its buffer until its bytes are encrypted and have left. */
const MAX_SECURE_WRITES = 2;
const NOTHING = new Uint8Array(0);

export class Connection {
  readonly slot: number;
  readonly generation: number;
  /** The connection itself, and what is read and written: Node's socket above it under TLS, else the same. */
  readonly raw: Socket;
  socket: Socket;
  readonly host: HostAddress;
  readonly remoteAddress: string;
  readonly cutter: FrameCutter;
  /** Ms of the monotonic clock when bytes last moved. */
  lastActive: number;
  /** Bytes that had moved when the connection was last found idle. */
  movedWhenIdle = 0;
  /** What it holds of the budgets for all connections: unfinished frames, answers that are not read. */
  readonly input: Hold;
  readonly outputHold: Hold;
  /** Round of the link with control, and what this connection has put into it then. */
  controlRound = -1;
  controlShare = 0;
  /** Bytes of control's answers to it, the largest of late. */
  answerBytes = 0;
  /** Its first byte has come. */
  begun = false;
  /** What has come by TLS and is not read yet. */
  readonly decrypted: Buffer[] = [];
  /** Not read: a ring or the socket's own output is full. */
  paused = false;
  /** Waits for room in a ring, or for its next turn. */
  blocked = false;
  /** Has frames that wait until the peer has taken its answers. */
  stalled = false;
  /** Listed for the flush at the end of the turn. */
  dirty = false;
  closed = false;
  readonly #pool: OutputPool;
  #output: Buffer | undefined;
  #used = 0;
  #sent = 0;
  /** Bytes that went past Node's socket. */
  #sentDirectly = 0;
  #secureWrites = 0;
  /** Node says when what was written before has left; what is gathered goes then. */
  #awaitsWrites = false;

  constructor(
    socket: Socket,
    identity: { slot: number; generation: number; host: HostAddress; remoteAddress: string },
    pool: OutputPool,
    now: number,
    close: (reason: string) => void = () => {},
  ) {
    this.raw = socket;
    this.socket = socket;
    this.slot = identity.slot;
    this.generation = identity.generation;
    this.host = identity.host;
    this.remoteAddress = identity.remoteAddress;
    this.#pool = pool;
    this.cutter = new FrameCutter(pool);
    this.lastActive = now;
    this.input = new Hold(close);
    this.outputHold = new Hold(close);
  }

  /** Makes room for `length` bytes of reply; write them to `output` at the offset returned. */
  reserve(length: number): number {
    const at = this.#used;
    const needed = at + length;
    if (this.#output === undefined) this.#output = this.#pool.take(needed);
    else if (needed > this.#output.length) this.#output = this.#pool.grow(this.#output, at, needed);
    this.#used = needed;
    return at;
  }

  /** Where reserved bytes go; valid until the next `reserve`. */
  get output(): Buffer {
    return this.#output as Buffer;
  }

  /** Adds a whole frame to the output. */
  append(frame: Uint8Array): void {
    const at = this.reserve(frame.length);
    this.output.set(frame, at);
  }

  /** Takes back the end of what was reserved last. */
  trim(end: number): void {
    this.#used = end;
  }

  /** Bytes of it. */
  get used(): number {
    return this.#used;
  }

  /** Whether the kernel can be given bytes past Node's socket: in plain text, and nothing waits there. */
  get isDirect(): boolean {
    return this.socket === this.raw && this.socket.writableLength === 0 && !this.ended;
  }

  /**
   * Sends the output and `more` behind it at once, as far as the kernel takes them: bytes that it has. What it took of
   * the output is there no more. Only while `isDirect`.
   */
  sendWith(more: Gathered): number {
    const { parts, count } = more;
    const used = this.#used;
    const sent = addon.sendGathered(descriptorOf(this.raw), this.output, used, parts, count);
    if (sent === -EIO) {
      this.socket.destroy();
      return used + more.bytes;
    }
    // Node's socket meets the same error, and says which it is.
    if (sent <= 0) return 0;
    this.#sent += sent;
    this.#sentDirectly += sent;
    if (sent < used) this.output.copyWithin(0, sent, used);
    this.#used = Math.max(0, used - sent);
    return sent;
  }

  /**
   * Sends what was gathered in one write. While an earlier one has not left, little is gathered on instead: Node would
   * keep a buffer for each write, however few bytes of it are used.
   */
  flush(): void {
    if (this.#output === undefined) return;
    if (this.#used > 0 && this.#used < ENOUGH_TO_SEND && !this.ended && this.#isBehind()) return;
    this.#flushAll();
  }

  /** Sends it now, as nothing is to follow. */
  flushLast(): void {
    if (this.#output !== undefined) this.#flushAll();
  }

  /** Whether the peer has yet to take what was written before; then the rest follows by itself. */
  #isBehind(): boolean {
    if (this.socket !== this.raw) return this.#secureWrites >= MAX_SECURE_WRITES;
    if (this.socket.writableLength === 0) return false;
    if (!this.#awaitsWrites) {
      this.#awaitsWrites = true;
      this.socket.write(NOTHING, (error) => {
        this.#awaitsWrites = false;
        if (!error) this.flush();
      });
    }
    return true;
  }

  #flushAll(): void {
    const output = this.#output as Buffer;
    const used = this.#used;
    this.#output = undefined;
    this.#used = 0;
    if (used === 0 || this.ended) {
      this.#pool.give(output);
      return;
    }
    this.#sent += used;
    if (this.socket !== this.raw) {
      this.#writeSecure(output, used);
      return;
    }
    this.socket.write(output.subarray(0, used));
    // Nothing pending means that the kernel has copied the bytes: the buffer is free again. Otherwise the socket
    // keeps it until its write is done, and it is left to the collector.
    if (this.socket.writableLength === 0) this.#pool.give(output);
  }

  /** Node takes the bytes, at the latest, when its write before has left. */
  #writeSecure(output: Buffer, used: number): void {
    this.#secureWrites++;
    this.socket.write(output.subarray(0, used), (error) => {
      this.#secureWrites--;
      if (error) return;
      this.#pool.give(output);
      this.flush();
    });
  }

  /** Nothing more can be sent: it is closed, or will be when its peer has taken what was sent before. */
  get ended(): boolean {
    return this.closed || this.socket.writableEnded === true;
  }

  /** Sends what was gathered when it is much: true. */
  flushMuch(): boolean {
    if (this.#used < ENOUGH_TO_SEND) return false;
    this.flush();
    return true;
  }

  /** Bytes sent since this was asked last. */
  takeSent(): number {
    const sent = this.#sent;
    this.#sent = 0;
    return sent;
  }

  /** Bytes that the kernel has taken; does not change any more once the socket is destroyed. */
  get bytesTaken(): number {
    return bytesTaken(this.raw) + this.#sentDirectly;
  }

  /** Grows whenever a byte comes in or goes out. */
  get bytesMoved(): number {
    return bytesMoved(this.raw) + this.#sentDirectly;
  }

  /** Bytes of replies that the peer has not taken yet. */
  get unsent(): number {
    return this.#used + this.socket.writableLength;
  }

  /** Whether so many replies have piled up that the peer is not served on: who takes no answers may not ask. */
  get congested(): boolean {
    return this.unsent > MAX_UNSENT_BYTES;
  }
}
