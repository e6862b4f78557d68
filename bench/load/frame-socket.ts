/** A socket that reads frames through the one receive buffer of the thread. */
import net from 'node:net';
import tls from 'node:tls';
import { type OnReply, ReplyScanner } from './reply-scanner.ts';

/** All sockets of the process read into this buffer, one after the other; 64-256 KiB is the best size by measurement. */
const receiveBuffer = Buffer.alloc(128 << 10);

export interface FrameSocketEvents {
  onReply: OnReply;
  /** All frames of a read were handed over. */
  onRead(): void;
  onFailure(error: Error): void;
}

/** Microseconds of a clock that never steps. */
export function micros(): number {
  return performance.now() * 1000;
}

/** Where to connect, and whether by TLS. */
export interface Endpoint {
  host: string;
  port: number;
  tls: boolean;
}

export class FrameSocket {
  /** When the read began that brought the frames of now. */
  now = 0;
  readonly #events: FrameSocketEvents;
  readonly #scanner: ReplyScanner;
  #socket: net.Socket | undefined;
  #closing = false;

  constructor(events: FrameSocketEvents) {
    this.#events = events;
    this.#scanner = new ReplyScanner(events.onReply);
  }

  open({ host, port, tls: secure }: Endpoint): Promise<void> {
    return new Promise((resolve, reject) => {
      const onread = { buffer: receiveBuffer, callback: (bytes: number) => this.#read(bytes) };
      const options = { host, port, noDelay: true, onread };
      const socket = secure ? tls.connect({ ...options, rejectUnauthorized: false }) : net.connect(options);
      socket.once(secure ? 'secureConnect' : 'connect', resolve);
      socket.on('error', (error) => {
        reject(error);
        this.#fail(error);
      });
      socket.on('close', () => this.#fail(new Error('the server closed the connection')));
      this.#socket = socket;
    });
  }

  write(bytes: Uint8Array): void {
    this.#socket?.write(bytes);
  }

  /** What is written until `uncork` goes out in one system call. */
  cork(): void {
    this.#socket?.cork();
  }

  uncork(): void {
    this.#socket?.uncork();
  }

  close(): void {
    this.#closing = true;
    this.#socket?.destroy();
  }

  #read(bytes: number): boolean {
    this.now = micros();
    try {
      this.#scanner.push(receiveBuffer, bytes);
      this.#events.onRead();
    } catch (error) {
      this.#fail(error as Error);
      return false;
    }
    return true;
  }

  #fail(error: Error): void {
    if (this.#closing) return;
    this.#closing = true;
    this.#socket?.destroy();
    this.#events.onFailure(error);
  }
}
