/**
 * One TCP connection that speaks commands; both sides may ask. Server and client differ only in who dials.
 * The handler runs as soon as a frame is complete, so requests of one connection start in their order.
 */
import type { Socket } from 'node:net';
import { ResponseCode, requestName } from '../protocol/codes.ts';
import {
  FLAG_ONEWAY,
  FLAG_RESPONSE,
  isOneway,
  isResponse,
  type RemotingCommand,
  responseTo,
} from '../protocol/command.ts';
import { decodeCommand, encodeCommand } from '../protocol/command-codec.ts';
import { ProtocolError } from '../protocol/errors.ts';
import { FrameSplitter } from '../protocol/frame-splitter.ts';
import { formatAddress } from './address.ts';
import type { ClientConnection, ControlHandler, Log } from './connection.ts';
import { RemotingError } from './errors.ts';
import { PendingRequests } from './pending-requests.ts';

export interface CommandConnectionOptions {
  handler: ControlHandler;
  /** Closes the connection after so long without a byte in either direction. */
  idleTimeoutMs: number;
  log: Log;
  onClose(connection: CommandConnection): void;
}

let connectionCount = 0;

export class CommandConnection implements ClientConnection {
  readonly id: string;
  readonly remoteAddress: string;
  readonly #socket: Socket;
  readonly #options: CommandConnectionOptions;
  readonly #splitter = new FrameSplitter();
  readonly #pending = new PendingRequests();

  /** Takes over a connected socket. */
  constructor(socket: Socket, options: CommandConnectionOptions) {
    connectionCount += 1;
    this.id = `connection-${connectionCount}`;
    this.remoteAddress = formatAddress(socket.remoteAddress ?? '', socket.remotePort ?? 0);
    this.#socket = socket;
    this.#options = options;
    socket.setNoDelay(true);
    socket.setTimeout(options.idleTimeoutMs, () => this.close());
    socket.on('data', (chunk: Buffer) => this.#receive(chunk));
    socket.on('drain', () => socket.resume());
    socket.on('error', (error) => options.log(`connection to ${this.remoteAddress}: ${error.message}`));
    socket.on('close', () => {
      this.#pending.rejectAll(new RemotingError('CLOSED', `connection to ${this.remoteAddress} closed`));
      options.onClose(this);
    });
  }

  get closed(): boolean {
    return this.#socket.destroyed;
  }

  /** Throws a ProtocolError when the command fits no frame; does nothing once the connection is closed. */
  send(command: RemotingCommand): void {
    const frame = encodeCommand(command);
    if (this.#socket.destroyed) return;
    // A peer that does not read its answers is not read either, or its requests would fill the memory.
    if (!this.#socket.write(frame)) this.#socket.pause();
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

  #receive(chunk: Buffer): void {
    try {
      for (const frame of this.#splitter.push(chunk)) {
        if (this.#socket.destroyed) return;
        this.#dispatch(decodeCommand(frame));
      }
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      this.#options.log(`closing ${this.remoteAddress}: ${error.message}`);
      this.close();
    }
  }

  #dispatch(command: RemotingCommand): void {
    if (!isResponse(command)) {
      void this.#serve(command);
    } else if (!this.#pending.settle(command)) {
      this.#options.log(`late response ${command.opaque} from ${this.remoteAddress} dropped`);
    }
  }

  /** Never rejects: what goes wrong becomes the answer. */
  async #serve(request: RemotingCommand): Promise<void> {
    try {
      const reply = await this.#options.handler(request, this);
      if (reply !== undefined) this.#answer(request, reply);
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      this.#options.log(`${requestName(request.code)} of ${this.remoteAddress} failed: ${message}`);
      this.#answer(request, responseTo(request, ResponseCode.SYSTEM_ERROR, message));
    }
  }

  /** In the header format of the request, which the peer is sure to read. */
  #answer(request: RemotingCommand, reply: RemotingCommand): void {
    if (isOneway(request)) return;
    const { opaque, serializeType } = request;
    this.send({ ...reply, opaque, serializeType, flag: reply.flag | FLAG_RESPONSE });
  }
}
