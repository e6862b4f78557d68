/**
 * A client of one address. It dials when it has something to say, keeps the connection while it is used, and dials
 * again after a loss. Requests are pipelined; nothing is repeated on its own, since only the caller knows whether a
 * request may run twice.
 */
import { createConnection, type Socket } from 'node:net';
import { FLAG_ONEWAY, type RemotingCommand } from '../protocol/command.ts';
import { dialTls } from '../tls/client.ts';
import type { ClientTls } from '../tls/settings.ts';
import { parseAddress } from './address.ts';
import { CommandConnection } from './command-connection.ts';
import type { ControlHandler, Log } from './connection.ts';
import { ConnectionCare } from './connection-care.ts';
import { refuseUnknownCode } from './dispatch.ts';
import { RemotingError } from './errors.ts';

export interface CommandClientOptions {
  /** `host:port` */
  address: string;
  /** Serves what the peer asks of us. Default: nothing is supported. */
  handler?: ControlHandler;
  /** Called when an established connection is gone, also through close(). */
  onDisconnect?: () => void;
  /** Default: 3 s. */
  connectTimeoutMs?: number;
  /** Default: 120 s. */
  idleTimeoutMs?: number;
  /** Asked at each dial; undefined, the default: plain text. */
  tls?: () => ClientTls | undefined;
  log?: Log;
}

const DEFAULT_CONNECT_TIMEOUT_MS = 3000;

export class CommandClient {
  readonly address: string;
  readonly #options: CommandClientOptions;
  readonly #care: ConnectionCare;
  #connection: CommandConnection | undefined;
  #connecting: Promise<CommandConnection> | undefined;
  #dialing: Socket | undefined;
  #closed = false;

  /** Throws a RangeError for an address that is not `host:port`. */
  constructor(options: CommandClientOptions) {
    parseAddress(options.address);
    this.address = options.address;
    this.#options = options;
    this.#care = new ConnectionCare(
      options.idleTimeoutMs === undefined ? {} : { idleTimeoutMs: options.idleTimeoutMs },
    );
  }

  get connected(): boolean {
    return this.#usable() !== undefined;
  }

  /** The time includes dialing. Rejects with a RemotingError, or a ProtocolError when the command fits no frame. */
  async request(command: RemotingCommand, timeoutMs: number): Promise<RemotingCommand> {
    const deadline = performance.now() + timeoutMs;
    const connection = this.#usable() ?? (await this.#connect(timeoutMs));
    return connection.request(command, Math.max(0, deadline - performance.now()));
  }

  /** Resolves when the bytes have been handed to the socket. Rejects when there is no connection to be had. */
  async sendOneway(command: RemotingCommand): Promise<void> {
    const connection = this.#usable() ?? (await this.#connect());
    connection.send({ ...command, flag: command.flag | FLAG_ONEWAY });
  }

  /** Rejects all requests on their way. The client cannot be used afterwards. */
  close(): void {
    this.#closed = true;
    this.#dialing?.destroy();
    this.#connection?.close();
  }

  /** A destroyed socket reports its end a turn later; it must not be used in between. */
  #usable(): CommandConnection | undefined {
    return this.#connection?.closed === false ? this.#connection : undefined;
  }

  /** Everybody who asks meanwhile shares one dial, and its failure. */
  #connect(timeoutMs = Number.POSITIVE_INFINITY): Promise<CommandConnection> {
    this.#connecting ??= this.#dial(timeoutMs).finally(() => {
      this.#connecting = undefined;
    });
    return this.#connecting;
  }

  async #dial(timeoutMs: number): Promise<CommandConnection> {
    if (this.#closed) throw new RemotingError('CLOSED', `client of ${this.address} is closed`);
    const limit = Math.min(timeoutMs, this.#options.connectTimeoutMs ?? DEFAULT_CONNECT_TIMEOUT_MS);
    const { host, port } = parseAddress(this.address);
    const tls = this.#options.tls?.();
    const socket = tls === undefined ? createConnection({ host, port }) : dialTls(host, port, tls);
    this.#dialing = socket;
    try {
      await connected(socket, tls === undefined ? 'connect' : 'secureConnect', limit);
    } catch (error) {
      socket.destroy();
      throw new RemotingError('CONNECT', `cannot connect to ${this.address}`, { cause: error });
    } finally {
      this.#dialing = undefined;
    }
    return this.#adopt(socket);
  }

  #adopt(socket: Socket): CommandConnection {
    const connection = new CommandConnection(socket, {
      handler: this.#options.handler ?? refuseUnknownCode,
      care: this.#care,
      log: this.#options.log ?? (() => {}),
      onClose: () => {
        if (this.#connection === connection) this.#connection = undefined;
        this.#options.onDisconnect?.();
      },
    });
    this.#connection = connection;
    return connection;
  }
}

function connected(socket: Socket, event: 'connect' | 'secureConnect', timeoutMs: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`no connection within ${timeoutMs} ms`)), timeoutMs);
    const settle = (error?: Error) => {
      clearTimeout(timer);
      socket.off('error', settle);
      socket.off('close', closedEarly);
      if (error === undefined) resolve();
      else reject(error);
    };
    const closedEarly = () => settle(new Error('closed while connecting'));
    socket.once(event, () => settle());
    socket.once('error', settle);
    socket.once('close', closedEarly);
  });
}
