/** The sockets of a network thread: listening, reading into the static buffer, pausing, closing. */
import { closeSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { Fifo } from '../lib/fifo.ts';
import { HoldBudget } from '../lib/hold-budget.ts';
import {
  FRAME_STALL_MS,
  limitRemark,
  MAX_BROKER_OUTPUT_BYTES,
  MAX_OUTPUT_BYTES,
  MAX_UNFINISHED_BYTES,
  MIN_FRAME_GROWTH_BYTES,
} from '../lib/limits.ts';
import { CUT_ALL, CUT_BLOCKED, CUT_BROKEN, CUT_CONGESTED, CUT_LATER } from '../protocol/frame-cutter.ts';
import { type Counters, counterPlace } from '../ring/counters.ts';
import type { ServerTls } from '../tls/settings.ts';
import { formatHost, hostAddress, plainAddress } from './addresses.ts';
import { Connection } from './connection.ts';
import type { ConnectionCount } from './connection-count.ts';
import { ConnectionTable } from './connection-table.ts';
import { OutputPool } from './output-pool.ts';
import { adoptDescriptor, descriptorOf, readInto } from './read-buffer.ts';
import { SecureConnections } from './secure-connections.ts';

/** 64 to 256 KiB are the right size (measured); one for all sockets of the thread. */
const READ_BUFFER_BYTES = 128 * 1024;
/** For how long one connection is served in a row, ms, and blocked ones together before sockets are read again. */
const TURN_MS = 8;
/** Frames between two looks at the clock, unless one led to much output. */
const FRAMES_PER_LOOK = 16;
/** Answers of which nothing is taken for so long are dropped with their connection. */
const UNREAD_STALL_MS = 120_000;
/** How long a connection that we have ended waits for its peer to end it too. */
const LINGER_MS = 5_000;
/** For how long a connection holds memory ready for the next unfinished frame. */
const READY_MS = 2_000;
/** Taking answers counts in steps of so many bytes. */
const UNREAD_STEP_BYTES = 1024;

const CONNECTIONS_OPENED = counterPlace('connectionsOpened');
const CONNECTIONS_CLOSED = counterPlace('connectionsClosed');
const CONNECTIONS_REFUSED = counterPlace('connectionsRefused');
const CONNECTIONS_FAILED = counterPlace('connectionsFailed');
const BYTES_RECEIVED = counterPlace('bytesReceived');
const BYTES_SENT = counterPlace('bytesSent');

export interface SocketsParts {
  /** A turn begins: the time, ms of the monotonic clock. */
  beginTurn: () => number;
  /** Ms of a clock that goes on within a turn. */
  clock: () => number;
  /** Handles one frame of a connection. */
  frame: (
    connection: Connection,
    bytes: Uint8Array,
    view: DataView,
    offset: number,
    length: number,
  ) => number;
  opened: (connection: Connection) => void;
  closed: (connection: Connection) => void;
  /** The client of a connection by TLS has shown a certificate of `subject`. */
  identified: (connection: Connection, subject: string) => void;
  /** The peer has taken its answers, after it had not for a while. */
  drained: (connection: Connection) => void;
  /** A connection was closed for `reason`, one of a few; `detail` says more of this one. */
  closedFor: (reason: string, detail: unknown) => void;
  /** Whether control can hear of one more connection. */
  mayOpen: () => boolean;
  tls: ServerTls;
  /** Connections of all network threads. */
  count: ConnectionCount;
  counters: Counters;
  /** Network threads, which share what connections may hold. */
  threads: number;
  /** The turn is over: publish and flush. */
  endOfTurn: () => void;
}

export class Sockets {
  readonly connections = new ConnectionTable();
  readonly #parts: SocketsParts;
  readonly #pool = new OutputPool();
  readonly #servers: Server[] = [];
  /** No Buffer: its `slice` would be a view of bytes that the next read overwrites. */
  readonly #buffer = new Uint8Array(READ_BUFFER_BYTES);
  readonly #view = new DataView(this.#buffer.buffer);
  /** Bytes of frames whose end has not come, and of answers that are not read. */
  readonly #unfinished: HoldBudget;
  readonly #unread: HoldBudget;
  readonly #secure: SecureConnections;
  readonly #dirty: Connection[] = [];
  readonly #blocked = new Fifo<Connection>();
  /** Blocked connections that are to go on now, the first so many. */
  #toUnblock = 0;
  #unblocking: NodeJS.Immediate | undefined;
  #refusing = false;
  /** Whose frames are being handled, until when, and how many more before the next look at the clock. */
  #reading: Connection | undefined;
  #turnEnd = 0;
  #untilLook = FRAMES_PER_LOOK;

  constructor(parts: SocketsParts) {
    this.#parts = parts;
    this.#unfinished = new HoldBudget({
      what: 'bytes of an unfinished frame',
      limit: MAX_UNFINISHED_BYTES / parts.threads,
      limitName: 'MAX_UNFINISHED_BYTES',
      stallMs: FRAME_STALL_MS,
      minGrowth: MIN_FRAME_GROWTH_BYTES,
    });
    this.#unread = new HoldBudget({
      what: 'bytes of answers that are not read',
      limit: MAX_BROKER_OUTPUT_BYTES / parts.threads,
      limitName: 'MAX_BROKER_OUTPUT_BYTES',
      stallMs: UNREAD_STALL_MS,
      minGrowth: Number.POSITIVE_INFINITY,
    });
    this.#secure = new SecureConnections({
      ...parts,
      buffer: this.#buffer,
      unfinished: this.#unfinished,
      read: (connection, length) => this.#take(connection, length),
      drained: (connection) => this.#drained(connection),
    });
  }

  /** Listens on a bound descriptor; `handOver` may take an accepted socket for another thread by returning true. */
  listen(descriptor: number, handOver: (descriptor: number) => boolean): void {
    const server = createServer({ noDelay: true, keepAlive: true }, (accepted) => {
      if (!this.#enter()) {
        // Taken and closed, not left waiting: the port's backlog would fill up, and nobody could connect.
        accepted.destroy();
        this.#parts.counters.add(CONNECTIONS_REFUSED);
        return;
      }
      const own = descriptorOf(accepted);
      if (own >= 0 && handOver(own)) accepted.destroy();
      else this.#accept(accepted);
    });
    server.on('error', (error) => {
      // A port that cannot be listened on is the end of the start, a connection that cannot be accepted of nothing.
      if (!server.listening) throw error;
      this.#parts.closedFor('a connection could not be accepted', error);
    });
    server.listen({ fd: descriptor });
    this.#servers.push(server);
  }

  /** Takes over a descriptor that another thread has accepted, counted and duplicated. */
  adopt(descriptor: number): void {
    let connection: Connection | undefined;
    let socket: Socket;
    try {
      if (this.#refusing || !this.#mayOpen()) throw new Error('no more connections are taken now');
      socket = adoptDescriptor(descriptor, this.#buffer, (length) => this.#read(connection, length));
    } catch (error) {
      closeSync(descriptor);
      this.#parts.count.leave();
      this.#parts.closedFor('a connection could not be taken over', error);
      return;
    }
    socket.setNoDelay(true);
    connection = this.#register(socket, socket.remoteAddress ?? '0.0.0.0', socket.remotePort ?? 0);
    socket.resume();
  }

  /** For connections to come: certificates were replaced. */
  useTls(tls: ServerTls): void {
    this.#secure.use(tls);
  }

  /** Notes output; it leaves at the end of the turn. */
  touched(connection: Connection): void {
    if (connection.dirty) return;
    connection.dirty = true;
    this.#dirty.push(connection);
  }

  /** Sends the gathered output of all connections. */
  flush(): void {
    for (const connection of this.#dirty) {
      connection.dirty = false;
      connection.flush();
      this.#parts.counters.add(BYTES_SENT, connection.takeSent());
      this.#noteUnread(connection);
      if (connection.congested) this.#pause(connection);
    }
    this.#dirty.length = 0;
  }

  /** Rings may have room again: goes on where connections were blocked, in slices and in turn. */
  unblock(): void {
    if (this.#refusing) return;
    this.#toUnblock = this.#blocked.size;
    this.#unblockSome();
  }

  #unblockSome(): void {
    const end = this.#parts.clock() + TURN_MS;
    while (this.#toUnblock > 0) {
      this.#toUnblock--;
      const connection = this.#blocked.shift() as Connection;
      connection.blocked = false;
      this.#resumeFrames(connection);
      if (this.#parts.clock() >= end) break;
    }
    if (this.#toUnblock > 0) this.#unblockLater();
  }

  #unblockLater(): void {
    this.#unblocking ??= setImmediate(() => {
      this.#unblocking = undefined;
      if (this.#refusing) return;
      this.#unblockSome();
      this.#parts.endOfTurn();
    });
  }

  get hasBlocked(): boolean {
    return this.#blocked.size > 0;
  }

  /** Runs what concerns one connection: a failure is the connection's end and nobody else's. */
  guarded(connection: Connection, run: () => void): void {
    try {
      run();
    } catch (error) {
      this.#failed(error);
      connection.socket.destroy();
    }
  }

  /**
   * Ends a connection when its peer has taken what was sent to it. What it sends until then is read and dropped: with
   * unread bytes the kernel would end the connection by a reset, and the peer lose its answers. So it ends with the
   * peer's own end, or when the peer takes nothing for LINGER_MS.
   */
  close(connection: Connection): void {
    if (connection.ended) return;
    connection.flushLast();
    connection.decrypted.length = 0;
    connection.lastActive = this.#parts.beginTurn();
    connection.socket.end();
    connection.socket.resume();
  }

  /**
   * Closes connections on which nothing has moved for `idleMs`, in either direction, and those that hold memory with
   * something they do not go on with.
   */
  closeStalled(idleMs: number): void {
    const now = this.#parts.beginTurn();
    for (const connection of this.connections.all()) {
      if (connection.outputHold.bytes > 0) this.#noteUnread(connection);
      if (connection.lastActive < now - READY_MS) connection.cutter.release();
      if (connection.lastActive >= now - (connection.ended ? LINGER_MS : idleMs)) continue;
      const moved = connection.ended ? connection.bytesTaken : connection.bytesMoved;
      if (moved !== connection.movedWhenIdle) {
        // It takes its answers, slowly.
        connection.movedWhenIdle = moved;
        connection.lastActive = now;
      } else {
        connection.socket.destroy();
      }
    }
    this.#unfinished.closeStalled(now);
    this.#unread.closeStalled(now);
    this.#secure.closeStalled(now);
  }

  /** Keeps count of what the peer has not read; beyond the limit of one connection it is closed. */
  #noteUnread(connection: Connection): void {
    const { unsent, bytesTaken, socket } = connection;
    if (unsent === 0 && connection.outputHold.bytes === 0) return;
    const step = unsent === 0 ? 0 : Math.floor(bytesTaken / UNREAD_STEP_BYTES);
    this.#unread.update(connection.outputHold, unsent, step, this.#parts.beginTurn());
    if (unsent <= MAX_OUTPUT_BYTES || connection.closed) return;
    this.#closeFor(
      socket,
      limitRemark('bytes of answers that are not read', MAX_OUTPUT_BYTES, 'MAX_OUTPUT_BYTES'),
    );
  }

  #closeFor(socket: Socket, reason: string): void {
    socket.destroy();
    this.#parts.closedFor('connections that held too much', reason);
  }

  /** Takes no new connections and no further requests; what is under way is still answered. */
  refuse(): void {
    for (const server of this.#servers) server.close();
    for (const connection of this.connections.all()) this.#pause(connection);
    this.#refusing = true;
  }

  destroyAll(): void {
    if (this.#unblocking !== undefined) clearImmediate(this.#unblocking);
    this.#secure.close();
    for (const connection of this.connections.all()) connection.socket.destroy();
  }

  #mayOpen(): boolean {
    if (this.#parts.mayOpen()) return true;
    this.#parts.closedFor('connections before control had heard of earlier ones', 'they come too quickly');
    return false;
  }

  /** Counts a connection in; false when there may be no more. */
  #enter(): boolean {
    if (!this.#mayOpen()) return false;
    if (this.#parts.count.enter()) return true;
    const limits = 'limit MAX_CONNECTIONS, or the descriptors of the process';
    this.#parts.closedFor('too many connections', limits);
    return false;
  }

  #accept(accepted: Socket): void {
    const address = accepted.remoteAddress;
    const port = accepted.remotePort;
    // A peer may have gone between its accept and now.
    if (address === undefined || port === undefined) {
      accepted.destroy();
      this.#parts.count.leave();
      return;
    }
    let connection: Connection | undefined;
    const socket = readInto(accepted, this.#buffer, (length) => this.#read(connection, length));
    socket.setNoDelay(true);
    connection = this.#register(socket, address, port);
    socket.read(0);
    socket.resume();
  }

  #register(socket: Socket, address: string, port: number): Connection {
    const now = this.#parts.beginTurn();
    const connection = this.connections.add((slot, generation) => {
      const host = hostAddress(plainAddress(address), port);
      const remoteAddress = formatHost(address, port);
      const identity = { slot, generation, host, remoteAddress };
      return new Connection(socket, identity, this.#pool, now, (reason) => this.#closeFor(socket, reason));
    });
    socket.on('error', () => socket.destroy());
    socket.on('close', () => this.#closed(connection));
    socket.on('drain', () => this.#drained(connection));
    this.#parts.counters.add(CONNECTIONS_OPENED);
    this.#parts.opened(connection);
    this.#parts.endOfTurn();
    return connection;
  }

  #closed(connection: Connection): void {
    if (connection.closed) return;
    connection.closed = true;
    this.connections.remove(connection);
    this.#unfinished.end(connection.input);
    this.#unread.end(connection.outputHold);
    this.#parts.count.leave();
    this.#parts.counters.add(CONNECTIONS_CLOSED);
    this.#parts.closed(connection);
    this.#parts.endOfTurn();
  }

  /** Bytes [0, length) of the static buffer belong to `connection`. False stops reading. */
  #read(connection: Connection | undefined, length: number): boolean {
    if (connection === undefined || connection.ended) return true;
    return connection.begun || this.#secure.isPlain(connection, length)
      ? this.#take(connection, length)
      : false;
  }

  #take(connection: Connection, length: number): boolean {
    const now = this.#parts.beginTurn();
    connection.lastActive = now;
    this.#parts.counters.add(BYTES_RECEIVED, length);
    this.#beginFrames(connection, now);
    this.#settle(connection, connection.cutter.push(this.#buffer, this.#view, length, this.#handle), now);
    this.#parts.endOfTurn();
    return !connection.paused;
  }

  #resumeFrames(connection: Connection): void {
    if (connection.ended) return;
    const now = this.#parts.beginTurn();
    this.#beginFrames(connection, now);
    const outcome = connection.cutter.resume(this.#handle);
    // One that stays blocked as long as an idle one may is closed with those: its peer has long given up.
    if (outcome !== CUT_BLOCKED) connection.lastActive = now;
    this.#settle(connection, outcome, now);
  }

  #beginFrames(connection: Connection, now: number): void {
    this.#reading = connection;
    this.#turnEnd = now + TURN_MS;
    this.#untilLook = FRAMES_PER_LOOK;
  }

  /** Looks at the clock now and then: a small frame takes less time than that would. */
  #hadItsTurn(): boolean {
    if (this.#untilLook-- > 0) return false;
    this.#untilLook = FRAMES_PER_LOOK;
    return this.#parts.clock() >= this.#turnEnd;
  }

  /** A frame of the connection being read. Whatever it leads to ends here: at worst with its connection. */
  readonly #handle = (bytes: Uint8Array, view: DataView, offset: number, length: number): number => {
    const connection = this.#reading as Connection;
    if (connection.congested) return CUT_CONGESTED;
    if (this.#hadItsTurn()) return CUT_LATER;
    try {
      const outcome = this.#parts.frame(connection, bytes, view, offset, length);
      if (connection.flushMuch()) this.#untilLook = 0;
      return outcome;
    } catch (error) {
      this.#failed(error);
      return CUT_BROKEN;
    }
  };

  #failed(error: unknown): void {
    this.#parts.counters.add(CONNECTIONS_FAILED);
    this.#parts.closedFor('a request failed in an unexpected way', error);
  }

  #drained(connection: Connection): void {
    connection.lastActive = this.#parts.beginTurn();
    this.#parts.drained(connection);
    if (!connection.congested) {
      if (connection.stalled && !this.#refusing) {
        connection.stalled = false;
        this.#resumeFrames(connection);
      } else {
        this.#resume(connection);
      }
    }
    this.#parts.endOfTurn();
  }

  /** Acts on how far the frames of a connection got. */
  #settle(connection: Connection, outcome: number, now: number): void {
    if (outcome === CUT_BROKEN) {
      connection.flushLast();
      connection.socket.destroy();
    } else if (outcome === CUT_BLOCKED || outcome === CUT_LATER) {
      if (!connection.blocked) this.#blocked.push(connection);
      connection.blocked = true;
      this.touched(connection);
      this.#pause(connection);
      if (outcome === CUT_LATER) this.#goOnLater();
    } else if (outcome === CUT_CONGESTED) {
      connection.stalled = true;
      this.touched(connection);
      this.#pause(connection);
    } else if (outcome === CUT_ALL) {
      this.touched(connection);
      this.#resume(connection);
    }
    const { keptBytes, frames } = connection.cutter;
    this.#unfinished.update(connection.input, keptBytes, frames, now);
  }

  /** Its next turn comes when all others have had theirs. */
  #goOnLater(): void {
    this.#toUnblock = this.#blocked.size;
    this.#unblockLater();
  }

  /** While it is not read its unfinished frame cannot go on, and is not held against it. */
  #pause(connection: Connection): void {
    if (connection.paused || connection.ended) return;
    connection.paused = true;
    connection.input.waiting = true;
    connection.socket.pause();
  }

  #resume(connection: Connection): void {
    if (!connection.paused || connection.blocked || connection.stalled || connection.ended) return;
    if (connection.congested || this.#refusing) return;
    connection.paused = false;
    connection.input.waiting = false;
    connection.socket.resume();
  }
}
