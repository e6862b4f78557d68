/**
 * The door of a port that takes TLS and plain text. The first byte of a connection tells them apart: a TLS handshake
 * begins with 0x16, and no frame does, since it would be longer than one may be. Node makes the handshake; here is
 * decided who may, how many at a time, and for how long.
 *
 * A handshake costs its thread up to a millisecond. So only a few are begun in each round of the event loop, and
 * sockets are read in between: others are served meanwhile, however many clients come at once.
 */
import { constants } from 'node:crypto';
import type { Socket } from 'node:net';
import type { SecureContextOptions, Server, TLSSocket } from 'node:tls';
import { systemClock } from '../lib/clock.ts';
import { Fifo } from '../lib/fifo.ts';
import { Hold, HoldBudget } from '../lib/hold-budget.ts';
import { MAX_TLS_HANDSHAKES, TLS_HANDSHAKE_MS } from '../lib/limits.ts';
import { handshakeFailure } from './handshake-failure.ts';
import { nodeTls } from './node-tls.ts';
import { selfSigned } from './self-signed.ts';
import type { ServerTls } from './settings.ts';

const HANDSHAKE = 0x16;
const BEGUN_PER_ROUND = 4;

/** What becomes of a connection by its first byte. */
export const PLAIN = 0;
export const SECURE = 1;
export const REFUSED = 2;

const FAILED = 'TLS handshakes that failed';
const HELD_UP = 'TLS handshakes that took too long, or too many at a time';
const NEEDS_TLS = 'plain text where tls.server.mode=enforcing takes TLS only';
const NEEDS_PLAIN = 'TLS where tls.server.mode=disabled takes plain text only';

/** A connection whose first bytes begin a handshake. */
export interface Visitor {
  readonly raw: Socket;
  /** What has been read of it; in memory of its own. */
  readonly first: Buffer;
  /** The handshake begins: `first` is Node's from now on. */
  begun(): void;
  /** The handshake is done. `raw` closes when `socket` does, and the other way round. */
  secured(socket: TLSSocket): void;
}

export interface TlsGateParts {
  tls: ServerTls;
  /** Ms of the monotonic clock. */
  now: () => number;
  /** A connection was closed for `reason`, one of a few; `detail` says more of this one. */
  closedFor: (reason: string, detail: string) => void;
  /** Default: TLS_HANDSHAKE_MS. */
  stallMs?: number;
}

interface Handshake {
  readonly hold: Hold;
  readonly secured: (socket: TLSSocket) => void;
}

export class TlsGate {
  readonly #parts: TlsGateParts;
  readonly #budget: HoldBudget;
  #tls: ServerTls;
  /** Listens nowhere: connections are given to it. */
  #server: Server | undefined;
  readonly #waiting = new Fifo<Visitor>();
  #beginning: NodeJS.Immediate | undefined;
  /** By the addresses of both ends, which tell Node's socket whose handshake it has made. */
  readonly #underWay = new Map<string, Handshake>();

  constructor(parts: TlsGateParts) {
    this.#parts = parts;
    this.#tls = parts.tls;
    this.#budget = new HoldBudget({
      what: 'TLS handshake under way',
      limit: MAX_TLS_HANDSHAKES,
      limitName: 'MAX_TLS_HANDSHAKES',
      stallMs: parts.stallMs ?? TLS_HANDSHAKE_MS,
      minGrowth: Number.POSITIVE_INFINITY,
    });
  }

  /** Handshakes that are begun and not done. */
  get underWay(): number {
    return this.#budget.size;
  }

  /** For connections to come: certificates were replaced. */
  use(tls: ServerTls): void {
    this.#tls = tls;
    this.#server = undefined;
  }

  /** PLAIN, SECURE or REFUSED by the first byte of a connection. */
  wayOf(first: number): number {
    const { mode } = this.#tls;
    if (first === HANDSHAKE) {
      if (mode !== 'disabled') return SECURE;
      this.#parts.closedFor(
        NEEDS_PLAIN,
        'the client uses TLS: turn that off there, or tls.server.mode to permissive',
      );
      return REFUSED;
    }
    if (mode !== 'enforcing') return PLAIN;
    this.#parts.closedFor(
      NEEDS_TLS,
      'the client uses no TLS: turn it on there (-Dtls.enable=true, setUseTLS)',
    );
    return REFUSED;
  }

  /** Begins a handshake when it is its turn. The socket is not read until then. */
  secure(visitor: Visitor): void {
    visitor.raw.pause();
    this.#waiting.push(visitor);
    this.#beginLater();
  }

  /** Closes connections whose handshakes take too long. To be called every second or so. */
  closeStalled(now: number): void {
    this.#budget.closeStalled(now);
  }

  /** No more handshakes are begun. */
  close(): void {
    if (this.#beginning !== undefined) clearImmediate(this.#beginning);
    while (this.#waiting.shift() !== undefined);
  }

  #beginLater(): void {
    this.#beginning ??= setImmediate(() => {
      this.#beginning = undefined;
      for (let n = 0; n < BEGUN_PER_ROUND; n++) {
        const visitor = this.#waiting.shift();
        if (visitor === undefined) return;
        this.#begin(visitor);
      }
      this.#beginLater();
    });
  }

  #begin({ raw, first, begun, secured }: Visitor): void {
    begun();
    if (raw.destroyed) return;
    const ends = endsOf(raw);
    const hold = new Hold((reason) => {
      this.#parts.closedFor(HELD_UP, reason);
      raw.destroy();
    });
    this.#underWay.set(ends, { hold, secured });
    raw.once('close', () => this.#end(ends, hold));
    this.#budget.update(hold, 1, 0, this.#parts.now());
    if (raw.destroyed) return;
    try {
      this.#server ??= this.#makeServer();
      raw.unshift(first);
      this.#server.emit('connection', raw);
    } catch (error) {
      this.#parts.closedFor(FAILED, String(error));
      raw.destroy();
    }
  }

  #end(ends: string, hold: Hold): void {
    this.#budget.end(hold);
    if (this.#underWay.get(ends)?.hold === hold) this.#underWay.delete(ends);
  }

  #makeServer(): Server {
    const { clientAuth, verifyClients } = this.#tls;
    const server = nodeTls().createServer({
      ...contextOptions(this.#tls, systemClock.now()),
      requestCert: clientAuth !== 'none',
      rejectUnauthorized: clientAuth === 'require' && verifyClients,
      // Ours is shorter, and looks at all of them at a time.
      handshakeTimeout: 2 * TLS_HANDSHAKE_MS,
    });
    server.on('secureConnection', (socket) => this.#secured(socket));
    server.on('tlsClientError', (error, socket) => {
      this.#parts.closedFor(FAILED, handshakeFailure(error, socket));
      socket.destroy();
    });
    return server;
  }

  #secured(socket: TLSSocket): void {
    const ends = endsOf(socket);
    const handshake = this.#underWay.get(ends);
    const refusal = this.#refusal(socket);
    if (refusal !== undefined) this.#parts.closedFor(FAILED, refusal);
    if (refusal !== undefined || handshake === undefined) {
      socket.destroy();
      return;
    }
    this.#end(ends, handshake.hold);
    handshake.secured(socket);
  }

  /** Why a client is refused that Node would let in, if it is. */
  #refusal(socket: TLSSocket): string | undefined {
    const { clientAuth, verifyClients } = this.#tls;
    if (clientAuth === 'none' || socket.authorized) return undefined;
    const shown = socket.getPeerX509Certificate() !== undefined;
    if (!shown) return clientAuth === 'require' ? 'the client shows no certificate' : undefined;
    return verifyClients ? handshakeFailure(undefined, socket) : undefined;
  }
}

/** What Node needs for the port's side; throws what OpenSSL has to say against it. */
export function contextOptions(
  { pem, terms }: Pick<ServerTls, 'pem' | 'terms'>,
  now: number,
): SecureContextOptions {
  return { ...(pem ?? selfSigned(now)), ...terms, secureOptions: constants.SSL_OP_NO_RENEGOTIATION };
}

function endsOf(socket: Socket): string {
  return `${socket.remoteAddress} ${socket.remotePort} ${socket.localAddress} ${socket.localPort}`;
}
