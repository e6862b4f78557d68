/** One client connection: frames out by window, replies in through the thread's one receive buffer. */
import net from 'node:net';
import type { FrameRing } from './frame-ring.ts';
import type { Recorder } from './recorder.ts';
import { ReplyScanner } from './reply-scanner.ts';
import { RequestWindow } from './window.ts';

/** All sockets of the process read into this buffer, one after the other; 64-256 KiB is the best size by measurement. */
const receiveBuffer = Buffer.alloc(128 << 10);

export interface ConnectionEvents {
  /** `freed` requests were answered by what was just read. */
  onReplies(connection: LoadConnection, freed: number): void;
  onFailure(error: Error): void;
}

/** Microseconds of a clock that never steps. */
export function micros(): number {
  return performance.now() * 1000;
}

export class LoadConnection {
  readonly window: RequestWindow;
  readonly #frames: FrameRing;
  readonly #recorder: Recorder;
  readonly #events: ConnectionEvents;
  readonly #scanner = new ReplyScanner((code, opaque) => this.#reply(code, opaque));
  #socket: net.Socket | undefined;
  #now = 0;
  #freed = 0;
  #closing = false;

  constructor(frames: FrameRing, recorder: Recorder, events: ConnectionEvents) {
    this.#frames = frames;
    this.window = new RequestWindow(frames.capacity);
    this.#recorder = recorder;
    this.#events = events;
  }

  open(host: string, port: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const onread = { buffer: receiveBuffer, callback: (bytes: number) => this.#read(bytes) };
      const socket = net.connect({ host, port, noDelay: true, onread });
      socket.once('connect', resolve);
      socket.on('error', (error) => {
        reject(error);
        this.#fail(error);
      });
      socket.on('close', () => this.#fail(new Error('the server closed the connection')));
      this.#socket = socket;
    });
  }

  /**
   * Sends `count` requests (as many slots must be free) with one write, two parts when the ring wraps. Request k counts
   * its latency from `since + k * step`.
   */
  send(count: number, since: number, step: number): void {
    if (count === 0) return;
    const frames = this.#frames;
    const first = frames.position;
    frames.setMillis(Date.now());
    for (let index = 0; index < count; index++) frames.fill(this.window.open(since + index * step));
    const socket = this.#socket as net.Socket;
    const size = frames.frameBytes;
    if (first + count <= frames.capacity) {
      socket.write(frames.bytes.subarray(first * size, (first + count) * size));
      return;
    }
    socket.cork();
    socket.write(frames.bytes.subarray(first * size));
    socket.write(frames.bytes.subarray(0, (first + count - frames.capacity) * size));
    socket.uncork();
  }

  close(): void {
    this.#closing = true;
    this.#socket?.destroy();
  }

  #read(bytes: number): boolean {
    this.#now = micros();
    this.#freed = 0;
    try {
      this.#scanner.push(receiveBuffer, bytes);
    } catch (error) {
      this.#fail(error as Error);
      return false;
    }
    if (this.#freed > 0) this.#events.onReplies(this, this.#freed);
    return true;
  }

  #reply(code: number, opaque: number): void {
    const since = this.window.close(opaque);
    if (since < 0) {
      this.#recorder.unexpectedReply();
      return;
    }
    this.#freed++;
    this.#recorder.reply(code, this.#now - since, this.#frames.messages);
  }

  #fail(error: Error): void {
    if (this.#closing) return;
    this.#closing = true;
    this.#socket?.destroy();
    this.#events.onFailure(error);
  }
}
