// Stands between clients and a server on loopback and passes frames on, some of them changed or late. It knows of a
// frame only what `raw.ts` says about it, and headers in JSON.

import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

export interface ProxyRules {
  /** Milliseconds that the answer to a request of this code is held back. Answers behind it overtake it. */
  readonly holdBack?: (code: number) => number;
  /** What becomes of the body of an answer. */
  readonly body?: (body: string) => string;
}

export class FrameProxy {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor(server: Server) {
    this.#server = server;
  }

  /** `target` is `host:port`. */
  static async start(target: string, rules: ProxyRules): Promise<FrameProxy> {
    const [host, port] = target.split(':');
    const server = createServer((client) => {
      const upstream = connect(Number(port), host);
      proxy.#join(client, upstream, rules);
    });
    const proxy = new FrameProxy(server);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return proxy;
  }

  get address(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #join(client: Socket, upstream: Socket, rules: ProxyRules): void {
    const late = new Map<number, number>();
    for (const [socket, peer] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      this.#sockets.add(socket);
      socket.on('error', () => {});
      socket.on('close', () => {
        this.#sockets.delete(socket);
        peer.destroy();
      });
    }
    eachFrame(client, (frame) => {
      const { code, opaque } = headerOf(frame);
      const wait = rules.holdBack?.(code) ?? 0;
      if (wait > 0) late.set(opaque, wait);
      upstream.write(frame);
    });
    eachFrame(upstream, async (frame) => {
      const { opaque } = headerOf(frame);
      const wait = late.get(opaque);
      late.delete(opaque);
      if (wait !== undefined) await sleep(wait);
      client.write(rules.body === undefined ? frame : withBody(frame, rules.body));
    });
  }
}

function eachFrame(socket: Socket, take: (frame: Buffer) => void): void {
  let pending: Buffer = Buffer.alloc(0);
  socket.on('data', (chunk) => {
    pending = Buffer.concat([pending, chunk]);
    while (pending.length >= 4 && pending.length >= 4 + pending.readInt32BE(0)) {
      const end = 4 + pending.readInt32BE(0);
      take(pending.subarray(0, end));
      pending = pending.subarray(end);
    }
  });
}

function headerOf(frame: Buffer): { code: number; opaque: number } {
  return JSON.parse(frame.toString('utf8', 8, bodyStart(frame)));
}

function bodyStart(frame: Buffer): number {
  return 8 + (frame.readInt32BE(4) & 0xffffff);
}

function withBody(frame: Buffer, change: (body: string) => string): Buffer {
  const start = bodyStart(frame);
  const body = Buffer.from(change(frame.toString('utf8', start)));
  const changed = Buffer.concat([frame.subarray(0, start), body]);
  changed.writeInt32BE(changed.length - 4, 0);
  return changed;
}
