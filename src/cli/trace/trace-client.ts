/** One connection that keeps what it sends and gets as bytes, with the time of each: a request at a time. */

import { createConnection, type Socket } from 'node:net';
import { systemClock } from '../../lib/clock.ts';
import type { RemotingCommand } from '../../protocol/command.ts';
import { decodeCommand, encodeCommand, LENGTH_BYTES } from '../../protocol/command-codec.ts';
import { parseAddress } from '../../remoting/address.ts';
import { dialTls } from '../../tls/client.ts';
import { Failure } from '../admin/failure.ts';
import { TRUSTING } from '../admin/servers.ts';

const CONNECT_MS = 3000;
const now = systemClock.monotonic;

/** A request, its answer, and when their bytes moved: ms of the monotonic clock. */
export interface Exchange {
  /** The whole frame as it was written. */
  frame: Uint8Array;
  writeBegan: number;
  writeEnded: number;
  /** The whole answer as it was read. */
  answerFrame: Uint8Array;
  answeredAt: number;
  answer: RemotingCommand;
  /** Of this end: the broker knows the connection by it. */
  port: number;
}

export class TraceClient {
  readonly #socket: Socket;
  readonly #address: string;
  #received: Buffer = Buffer.alloc(0);
  #opaque = 0;
  #waiting: { resolve: (frame: Uint8Array) => void; reject: (error: Error) => void } | undefined;

  private constructor(socket: Socket, address: string) {
    this.#socket = socket;
    this.#address = address;
    socket.setNoDelay(true);
    socket.on('data', (chunk: Buffer) => this.#take(chunk));
    socket.on('error', () => socket.destroy());
    socket.on('close', () =>
      this.#waiting?.reject(
        new Failure(`The broker ${address} has closed the connection instead of an answer.`),
      ),
    );
  }

  /** Rejects with a Failure when nothing answers there. */
  static async dial(address: string, tls = false): Promise<TraceClient> {
    const { host, port } = parseAddress(address);
    const socket = tls ? dialTls(host, port, TRUSTING) : createConnection({ host, port });
    try {
      await connected(socket, tls ? 'secureConnect' : 'connect');
    } catch (error) {
      socket.destroy();
      const reason = (error as Error).message;
      throw new Failure(
        `Nothing answers at ${address} (${reason}): look whether the broker runs and listens there.`,
      );
    }
    return new TraceClient(socket, address);
  }

  async request(command: RemotingCommand, timeoutMs = 15_000): Promise<Exchange> {
    this.#opaque += 1;
    const frame = encodeCommand({ ...command, opaque: this.#opaque });
    const answered = this.#next(timeoutMs);
    const writeBegan = now();
    this.#socket.write(frame);
    const writeEnded = now();
    const answerFrame = await answered;
    const answeredAt = now();
    const answer = decodeCommand(answerFrame.subarray(LENGTH_BYTES));
    return {
      frame,
      writeBegan,
      writeEnded,
      answerFrame,
      answeredAt,
      answer,
      port: this.#socket.localPort ?? 0,
    };
  }

  close(): void {
    this.#waiting = undefined;
    this.#socket.destroy();
  }

  #next(timeoutMs: number): Promise<Uint8Array> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        const seconds = timeoutMs / 1000;
        this.#settle(() =>
          reject(new Failure(`The broker ${this.#address} has not answered in ${seconds} s.`)),
        );
      }, timeoutMs);
      this.#waiting = {
        resolve: (frame) => this.#settle(() => resolve(frame), timer),
        reject: (error) => this.#settle(() => reject(error), timer),
      };
    });
  }

  #settle(settle: () => void, timer?: NodeJS.Timeout): void {
    clearTimeout(timer);
    this.#waiting = undefined;
    settle();
  }

  #take(chunk: Buffer): void {
    this.#received = Buffer.concat([this.#received, chunk]);
    while (this.#received.length >= LENGTH_BYTES) {
      const end = LENGTH_BYTES + this.#received.readInt32BE(0);
      if (this.#received.length < end) return;
      const frame = Uint8Array.from(this.#received.subarray(0, end));
      this.#received = this.#received.subarray(end);
      // What brokers ask of their clients begins with another number, and is of no interest here.
      if (decodeCommand(frame.subarray(LENGTH_BYTES)).opaque === this.#opaque) this.#waiting?.resolve(frame);
    }
  }
}

function connected(socket: Socket, event: 'connect' | 'secureConnect'): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`no connection within ${CONNECT_MS} ms`)), CONNECT_MS);
    const settle = (error?: Error) => {
      clearTimeout(timer);
      socket.off('error', settle);
      if (error === undefined) resolve();
      else reject(error);
    };
    socket.once(event, () => settle());
    socket.once('error', settle);
  });
}
