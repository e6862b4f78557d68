/**
 * One TCP connection that speaks commands; both sides may ask. Server and client differ only in who dials.
 * The handler runs as soon as a frame is complete, so requests of one connection start in their order.
 *
 * Whatever a frame causes ends here: in an answer, or in the close of this connection with a line in the log. A frame
 * is not taken as long as the peer does not read its answers, has too many requests under way, or has had its turn.
 *
 * Where a server takes TLS, the first byte says whether this is a connection with it: then Node's socket above the raw
 * one is what is read and written, and nothing else changes.
 */
import type { Socket } from 'node:net';
import { copied } from '../lib/copied.ts';
import { Hold } from '../lib/hold-budget.ts';
import { limitRemark, MAX_TURN_MS } from '../lib/limits.ts';
import { ResponseCode, requestName } from '../protocol/codes.ts';
import {
  FLAG_ONEWAY,
  FLAG_RESPONSE,
  isOneway,
  isResponse,
  type RemotingCommand,
  responseTo,
} from '../protocol/command.ts';
import { decodeCommand, encodeAnswer, encodeCommand } from '../protocol/command-codec.ts';
import {
  CUT_ALL,
  CUT_BLOCKED,
  CUT_BROKEN,
  FrameCutter,
  type FrameHandler,
} from '../protocol/frame-cutter.ts';
import { isOversized, refuseOversized } from '../protocol/oversized-header.ts';
import { peerSubject } from '../tls/peer-subject.ts';
import { PLAIN, REFUSED, type TlsGate } from '../tls/tls-gate.ts';
import { formatAddress } from './address.ts';
import type { ClientConnection, ControlHandler, Log, Reply } from './connection.ts';
import type { CaredFor, ConnectionCare } from './connection-care.ts';
import { RemotingError } from './errors.ts';
import { PendingRequests } from './pending-requests.ts';
import { bytesMoved, bytesTaken } from './socket-progress.ts';

export interface CommandConnectionOptions {
  handler: ControlHandler;
  care: ConnectionCare;
  /** Where the peer dials, and TLS is told from plain text by its first byte. */
  gate?: TlsGate;
  log: Log;
  onClose(connection: CommandConnection): void;
}

/** Progress of a peer that reads its answers is counted in steps of so many bytes. */
const OUTPUT_STEP_BYTES = 1024;

let connectionCount = 0;

export class CommandConnection implements ClientConnection, CaredFor {
  readonly id: string;
  readonly remoteAddress: string;
  readonly #raw: Socket;
  #socket: Socket;
  #subject: string | undefined;
  /** Until the first byte has come. */
  #gate: TlsGate | undefined;
  readonly #options: CommandConnectionOptions;
  readonly #care: ConnectionCare;
  readonly #cutter = new FrameCutter();
  readonly #pending = new PendingRequests();
  readonly #input = new Hold((reason) => this.#closeFor(reason));
  readonly #output = new Hold((reason) => this.#closeFor(reason));
  #underWay = 0;
  /** The cutter keeps frames that were not taken; the socket is not read. */
  #blocked = false;
  /** When this turn is over; 0 = nothing was served in it yet. */
  #turnEnd = 0;
  #moved = 0;
  #movedAt: number;

  /** Takes over a connected socket. */
  constructor(socket: Socket, options: CommandConnectionOptions) {
    connectionCount += 1;
    this.id = `connection-${connectionCount}`;
    this.remoteAddress = formatAddress(socket.remoteAddress ?? '', socket.remotePort ?? 0);
    this.#raw = socket;
    this.#socket = socket;
    this.#gate = options.gate;
    this.#options = options;
    this.#care = options.care;
    this.#movedAt = this.#care.clock.monotonic();
    socket.setNoDelay(true);
    this.#listen(socket);
    socket.on('close', () => this.#closed());
    this.#care.add(this);
  }

  #listen(socket: Socket): void {
    socket.on('data', this.#receive);
    socket.on('drain', () => this.#drained());
    socket.on('error', (error) => {
      // Node tells errors of the raw socket under TLS by the one above it too.
      if (socket !== this.#socket) return;
      this.#options.log(`connection to ${this.remoteAddress}: ${error.message}`, 'error');
      socket.destroy();
    });
  }

  get subject(): string | undefined {
    return this.#subject;
  }

  get closed(): boolean {
    return this.#raw.destroyed;
  }

  /** Throws a ProtocolError when the command fits no frame; does nothing once the connection is closed. */
  send(command: RemotingCommand): void {
    this.#write(encodeCommand(command));
  }

  /** The request gets a number of this connection's own. Rejects with a RemotingError TIMEOUT or CLOSED. */
  async request(command: RemotingCommand, timeoutMs: number): Promise<RemotingCommand> {
    if (this.#socket.destroyed) {
      throw new RemotingError('CLOSED', `connection to ${this.remoteAddress} is closed`);
    }
    const opaque = this.#pending.nextOpaque();
    this.send({ ...command, opaque, flag: command.flag & ~(FLAG_RESPONSE | FLAG_ONEWAY) });
    return this.#pending.expect(opaque, timeoutMs, `${requestName(command.code)} by ${this.remoteAddress}`);
  }

  close(): void {
    this.#socket.destroy();
  }

  /** Goes on with the frames that were not taken, when there is room for them. */
  resume(): void {
    if (this.#blocked && !this.#socket.destroyed) this.#cut(() => this.#cutter.resume(this.#frame));
  }

  /** Closes the connection when no byte has moved for the idle time, except while it waits for an answer of ours. */
  tick(now: number): void {
    const moved = bytesMoved(this.#raw);
    if (moved !== this.#moved || this.#underWay > 0) {
      this.#moved = moved;
      this.#movedAt = now;
      this.#noteOutput(now);
    } else if (now - this.#movedAt >= this.#care.idleTimeoutMs) {
      this.close();
    } else {
      this.#cutter.release();
    }
  }

  readonly #receive = (chunk: Buffer): void => {
    const gate = this.#gate;
    this.#gate = undefined;
    if (gate !== undefined && !this.#begin(gate, chunk)) return;
    const view = new DataView(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    this.#cut(() => this.#cutter.push(chunk, view, chunk.length, this.#frame));
  };

  /** Whether the first bytes are plain text. */
  #begin(gate: TlsGate, first: Buffer): boolean {
    const way = gate.wayOf(first[0] as number);
    if (way === PLAIN) return true;
    if (way === REFUSED) {
      this.close();
      return false;
    }
    const { input, clock } = this.#care;
    this.#raw.off('data', this.#receive);
    this.#input.waiting = true;
    input.update(this.#input, first.length, 0, clock.monotonic());
    gate.secure({
      raw: this.#raw,
      first,
      begun: () => input.remove(this.#input),
      secured: (socket) => {
        this.#socket = socket;
        this.#subject = peerSubject(socket);
        this.#listen(socket);
      },
    });
    return false;
  }

  /** Nothing that a frame causes gets past this. */
  #cut(take: () => number): void {
    this.#turnEnd = 0;
    try {
      this.#settle(take());
    } catch (error) {
      this.#closeFor(error instanceof Error ? error.message : String(error));
    }
  }

  #settle(outcome: number): void {
    if (this.#socket.destroyed) return;
    if (outcome === CUT_BROKEN) {
      this.#closeFor('a length that no frame has');
      return;
    }
    this.#blocked = outcome === CUT_BLOCKED;
    this.#input.waiting = this.#blocked;
    const { input, clock } = this.#care;
    input.update(this.#input, this.#cutter.keptBytes, this.#cutter.frames, clock.monotonic());
    if (this.#blocked) this.#socket.pause();
    else this.#socket.resume();
  }

  /** The bytes are copied: handlers keep what they were given, the cutter and its caller use them again. */
  readonly #frame: FrameHandler = (bytes, view, offset, length) => {
    if (this.#socket.destroyed || !this.#mayServe()) return CUT_BLOCKED;
    if (isOversized(view, offset, length)) {
      const answer = refuseOversized(view, offset, length);
      if (answer === false) return CUT_BROKEN;
      if (answer !== undefined) this.#write(encodeAnswer(answer));
      return CUT_ALL;
    }
    this.#dispatch(decodeCommand(copied(bytes, offset, offset + length)));
    return CUT_ALL;
  };

  /** If not, something is sure to call `resume` later: `drain`, the end of a request, the next turn. */
  #mayServe(): boolean {
    const { limits, clock } = this.#care;
    if (this.#socket.writableLength > limits.unsentBytes) return false;
    if (this.#underWay >= limits.requestsPerConnection || !this.#care.mayServe(this)) return false;
    const now = clock.monotonic();
    if (this.#turnEnd === 0) this.#turnEnd = now + MAX_TURN_MS;
    if (now < this.#turnEnd) return true;
    setImmediate(() => this.resume());
    return false;
  }

  #dispatch(command: RemotingCommand): void {
    if (!isResponse(command)) {
      this.#serve(command);
    } else if (!this.#pending.settle(command)) {
      this.#options.log(
        `late response ${command.opaque} from ${this.remoteAddress} dropped`,
        'late response',
      );
    }
  }

  /** What goes wrong in the handler, now or later, becomes the answer. */
  #serve(request: RemotingCommand): void {
    let reply: Reply | Promise<Reply>;
    try {
      reply = this.#options.handler(request, this);
    } catch (error) {
      this.#refuse(request, error);
      return;
    }
    if (reply instanceof Promise) this.#answerLater(request, reply);
    else this.#answer(request, reply);
  }

  #answerLater(request: RemotingCommand, reply: Promise<Reply>): void {
    this.#underWay += 1;
    this.#care.began();
    void reply
      .then(
        (answer) => this.#answer(request, answer),
        (error: unknown) => this.#refuse(request, error),
      )
      .catch((error: unknown) => this.#closeFor(String(error)))
      .finally(() => {
        this.#underWay -= 1;
        this.#care.ended();
        this.resume();
      });
  }

  #refuse(request: RemotingCommand, error: unknown): void {
    const message = error instanceof Error ? error.message : String(error);
    const name = requestName(request.code);
    const fault = error instanceof Error ? error : new Error(message);
    this.#options.log(`${name} of ${this.remoteAddress} failed`, 'failed request', fault);
    this.#answer(request, responseTo(request, ResponseCode.SYSTEM_ERROR, message));
  }

  /** In the header format of the request, which the peer is sure to read. */
  #answer(request: RemotingCommand, reply: Reply): void {
    if (reply === undefined || isOneway(request)) return;
    const { opaque, serializeType } = request;
    this.#write(encodeAnswer({ ...reply, opaque, serializeType, flag: reply.flag | FLAG_RESPONSE }));
  }

  #write(frame: Buffer): void {
    // A peer may have ended its side while an answer was on its way.
    if (this.#socket.destroyed || !this.#socket.writable) return;
    this.#socket.write(frame);
    this.#noteOutput(this.#care.clock.monotonic());
  }

  #noteOutput(now: number): void {
    const { limits, output } = this.#care;
    const unsent = this.#socket.destroyed ? 0 : this.#socket.writableLength;
    output.update(this.#output, unsent, Math.floor(bytesTaken(this.#raw) / OUTPUT_STEP_BYTES), now);
    if (unsent > limits.outputBytes) {
      this.#closeFor(
        limitRemark('bytes of answers that are not read', limits.outputBytes, 'MAX_OUTPUT_BYTES'),
      );
    }
  }

  #drained(): void {
    this.#noteOutput(this.#care.clock.monotonic());
    this.resume();
  }

  #closeFor(reason: string): void {
    if (this.#socket.destroyed) return;
    this.#options.log(`connection of ${this.remoteAddress} closed: ${reason}`, 'connection closed');
    this.close();
  }

  #closed(): void {
    const { input, output } = this.#care;
    input.remove(this.#input);
    output.remove(this.#output);
    this.#care.remove(this);
    this.#pending.rejectAll(new RemotingError('CLOSED', `connection to ${this.remoteAddress} closed`));
    try {
      this.#options.onClose(this);
    } catch (error) {
      const fault = error instanceof Error ? error : new Error(String(error));
      this.#options.log(`what follows the close of ${this.remoteAddress} failed`, 'after a close', fault);
    }
  }
}
