/**
 * The connections of a network thread that come by TLS: from the first byte, which tells them from plain ones, to
 * Node's socket above the raw one. From then on they are connections as all others.
 */
import type { TLSSocket } from 'node:tls';
import type { HoldBudget } from '../lib/hold-budget.ts';
import { peerSubject } from '../tls/peer-subject.ts';
import type { ServerTls } from '../tls/settings.ts';
import { PLAIN, REFUSED, TlsGate } from '../tls/tls-gate.ts';
import type { Connection } from './connection.ts';
import { Decrypted } from './decrypted.ts';

export interface SecureConnectionsParts {
  tls: ServerTls;
  /** Into which all sockets of the thread are read. */
  buffer: Uint8Array;
  /** Bytes that wait to be understood. */
  unfinished: HoldBudget;
  beginTurn: () => number;
  clock: () => number;
  closedFor: (reason: string, detail: unknown) => void;
  /** The handshake is done, in which the client has shown a certificate of `subject`. */
  identified: (connection: Connection, subject: string) => void;
  /** Bytes [0, length) of the buffer belong to the connection. */
  read: (connection: Connection, length: number) => void;
  drained: (connection: Connection) => void;
}

export class SecureConnections {
  readonly #parts: SecureConnectionsParts;
  readonly #gate: TlsGate;
  readonly #decrypted: Decrypted;

  constructor(parts: SecureConnectionsParts) {
    this.#parts = parts;
    const { tls, clock: now, closedFor, buffer } = parts;
    this.#gate = new TlsGate({ tls, now, closedFor });
    this.#decrypted = new Decrypted(buffer, (connection, length) => {
      if (!connection.socket.destroyed) parts.read(connection, length);
    });
  }

  use(tls: ServerTls): void {
    this.#gate.use(tls);
  }

  /** To be called every second or so; `now`: ms of the clock. */
  closeStalled(now: number): void {
    this.#gate.closeStalled(now);
  }

  close(): void {
    this.#gate.close();
    this.#decrypted.close();
  }

  /**
   * Whether the first bytes of a connection, [0, length) of the buffer, are plain text that may be read. If not, it is
   * closed, or read on when its handshake is done.
   */
  isPlain(connection: Connection, length: number): boolean {
    connection.begun = true;
    const { buffer } = this.#parts;
    const way = this.#gate.wayOf(buffer[0] as number);
    if (way === PLAIN) return true;
    if (way === REFUSED) connection.raw.destroy();
    else this.#secure(connection, Buffer.from(buffer.subarray(0, length)));
    return false;
  }

  #secure(connection: Connection, first: Buffer): void {
    const { raw, input } = connection;
    const { unfinished, beginTurn } = this.#parts;
    connection.lastActive = beginTurn();
    input.waiting = true;
    unfinished.update(input, first.length, 0, connection.lastActive);
    this.#gate.secure({
      raw,
      first,
      begun: () => {
        input.waiting = connection.paused;
        unfinished.remove(input);
      },
      secured: (socket) => this.#secured(connection, socket),
    });
  }

  #secured(connection: Connection, socket: TLSSocket): void {
    const { drained, closedFor, identified } = this.#parts;
    connection.socket = socket;
    const subject = peerSubject(socket);
    if (subject !== undefined) identified(connection, subject);
    if (connection.paused) socket.pause();
    socket.on('data', (chunk: Buffer) => this.#decrypted.arrived(connection, chunk));
    socket.on('drain', () => drained(connection));
    socket.on('error', (error) => {
      const { code } = error as NodeJS.ErrnoException;
      if (code?.startsWith('ERR_') === true) closedFor('what came by TLS cannot be understood', code);
      socket.destroy();
    });
  }
}
