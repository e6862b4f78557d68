/** Help for tests that speak commands over real sockets. */
import { createConnection, type Socket } from 'node:net';
import { type RemotingCommand, requestCommand } from '../../../src/protocol/command.ts';
import { decodeCommand, encodeCommand } from '../../../src/protocol/command-codec.ts';
import { cutFrames, FrameCutter } from '../../../src/protocol/frame-cutter.ts';

/** A peer that sends what a test wants, valid or not, and collects what comes back. */
export class RawPeer {
  readonly received: RemotingCommand[] = [];
  readonly closed: Promise<void>;
  readonly #socket: Socket;
  readonly #cutter = new FrameCutter();
  #wake: () => void = () => {};

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('error', () => {});
    socket.on('data', (chunk: Buffer) => {
      cutFrames(this.#cutter, chunk, (frame) => this.received.push(decodeCommand(frame)));
      this.#wake();
    });
    this.closed = new Promise((resolve) => {
      socket.once('close', () => resolve());
    });
  }

  static connect(port: number): Promise<RawPeer> {
    return new Promise((resolve, reject) => {
      const socket = createConnection({ host: '127.0.0.1', port }, () => resolve(new RawPeer(socket)));
      socket.once('error', reject);
    });
  }

  write(bytes: Uint8Array): void {
    this.#socket.write(bytes);
  }

  send(command: RemotingCommand): void {
    this.write(encodeCommand(command));
  }

  /** Resolves once `count` commands have come in all. */
  async receive(count: number): Promise<RemotingCommand[]> {
    while (this.received.length < count) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    return this.received;
  }

  /** Sends a request with a number of its own and waits for the answer to it. */
  async ask(code: number, fields: Record<string, string> = {}, body?: Uint8Array): Promise<RemotingCommand> {
    const opaque = this.received.length + 1;
    this.send({ ...requestCommand(code, fields, body), opaque });
    const answers = await this.receive(opaque);
    const answer = answers[opaque - 1];
    if (answer === undefined) throw new Error('no answer');
    return answer;
  }

  /** Reads nothing any more: what the other side sends piles up there. */
  pause(): void {
    this.#socket.pause();
  }

  /** Reads on. */
  unpause(): void {
    this.#socket.resume();
  }

  close(): void {
    this.#socket.destroy();
  }
}

/** Polls, because sockets of another side close when they like. Fails after two seconds. */
export async function eventually(condition: () => boolean | Promise<boolean>): Promise<void> {
  for (let attempt = 0; attempt < 200; attempt += 1) {
    if (await condition()) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error('condition did not come true within two seconds');
}

export function textOf(body: Uint8Array | undefined): string {
  return Buffer.from(body ?? []).toString('utf8');
}
