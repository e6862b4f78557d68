/** A connection of a hostile or of a good client: bytes go out as they are, answers are collected by their number. */
import { connect, type Socket } from 'node:net';
import { decodeAnswer, encodeRequest, type WireAnswer, type WireRequest } from './wire.ts';

const RESPONSE = 1;
const NO_BODY = Buffer.alloc(0);

export class Talk {
  readonly socket: Socket;
  readonly answers = new Map<number, WireAnswer>();
  closed = false;
  /** Whether answers are kept with their bodies. */
  keepsBodies = true;
  /** Answers without their numbers' sake: how many frames came. */
  frames = 0;
  #chunks: Buffer[] = [];
  #bytes = 0;
  #opaque = 0;
  readonly #waiting = new Set<() => void>();

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.on('data', (chunk) => this.#take(chunk));
    // A reset is a close like any other.
    socket.on('error', () => {});
    socket.on('close', () => {
      this.closed = true;
      this.#wake();
    });
  }

  /** Resolves when connected; a connection that the server refuses or resets at once is one that is closed. */
  static open(address: string, port = Number(address.slice(address.lastIndexOf(':') + 1))): Promise<Talk> {
    return new Promise((resolve) => {
      const talk = new Talk(connect({ port, host: '127.0.0.1', noDelay: true }));
      talk.socket.once('connect', () => resolve(talk));
      talk.socket.once('close', () => resolve(talk));
    });
  }

  /** A number that this connection has not used. */
  nextOpaque(): number {
    this.#opaque += 1;
    return this.#opaque;
  }

  /** Resolves when the bytes have left, or never will. */
  write(bytes: Uint8Array): Promise<void> {
    if (this.closed) return Promise.resolve();
    // The callback comes with an error when the socket is destroyed before.
    return new Promise((resolve) => this.socket.write(bytes, () => resolve()));
  }

  /** The answer; undefined when the connection closes before, or the time goes by. */
  async ask(request: WireRequest, timeoutMs: number): Promise<WireAnswer | undefined> {
    const opaque = this.nextOpaque();
    void this.write(encodeRequest(request, opaque));
    await this.until(() => this.answers.has(opaque), timeoutMs);
    const answer = this.answers.get(opaque);
    this.answers.delete(opaque);
    return answer;
  }

  /** Resolves when the condition holds (true), or the connection is closed or the time has gone by (its value then). */
  until(condition: () => boolean, timeoutMs: number): Promise<boolean> {
    if (condition() || this.closed) return Promise.resolve(condition());
    return new Promise((resolve) => {
      const finish = (): void => {
        clearTimeout(timer);
        this.#waiting.delete(look);
        resolve(condition());
      };
      const timer = setTimeout(finish, timeoutMs);
      const look = (): void => {
        if (this.closed || condition()) finish();
      };
      this.#waiting.add(look);
    });
  }

  destroy(): void {
    this.socket.destroy();
  }

  #wake(): void {
    for (const look of this.#waiting) look();
  }

  #take(chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.#bytes += chunk.length;
    let length = this.#frameLength();
    while (length !== undefined && this.#bytes >= length) {
      const all = this.#joined();
      this.#answered(decodeAnswer(all.subarray(0, length)));
      this.#chunks = [all.subarray(length)];
      this.#bytes -= length;
      length = this.#frameLength();
    }
  }

  /** Of the frame that comes next, its length field included. */
  #frameLength(): number | undefined {
    if (this.#bytes < 4) return undefined;
    const first = (this.#chunks[0]?.length ?? 0) >= 4 ? (this.#chunks[0] as Buffer) : this.#joined();
    return 4 + first.readInt32BE(0);
  }

  #joined(): Buffer {
    const all = this.#chunks.length === 1 ? (this.#chunks[0] as Buffer) : Buffer.concat(this.#chunks);
    this.#chunks = [all];
    return all;
  }

  #answered(answer: WireAnswer): void {
    this.frames += 1;
    const kept = this.keepsBodies ? answer : { ...answer, body: NO_BODY };
    if ((answer.flag & RESPONSE) !== 0) this.answers.set(answer.opaque, kept);
    this.#wake();
  }
}
