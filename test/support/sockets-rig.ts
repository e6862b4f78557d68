/**
 * The sockets of a network thread on loopback, in this thread: what its frames do is up to the test. A frame is
 * `opaque` and `answer` (i32 each) and any bytes behind; its answer is a frame of `answer` bytes that begins with
 * `opaque`.
 */
import { createConnection, type Socket } from 'node:net';
import { type ConnectionOptions, connect as connectTls } from 'node:tls';
import { bindPort } from '../../src/net/bind.ts';
import type { Connection } from '../../src/net/connection.ts';
import { ConnectionCount } from '../../src/net/connection-count.ts';
import { Sockets } from '../../src/net/sockets.ts';
import { CUT_ALL, cutFrames, FrameCutter } from '../../src/protocol/frame-cutter.ts';
import { Counters } from '../../src/ring/counters.ts';
import type { ServerTls } from '../../src/tls/settings.ts';

/** More than kernels keep for a peer that does not read. */
const UNREAD_BYTES = 12 * 1024 * 1024;
/** How long something may take before the test gives up. */
const PATIENCE_MS = 20_000;

/** Waits for other sides and threads; says what it waited for when that does not come. */
export async function until(
  what: string,
  condition: () => boolean | Promise<boolean>,
  { patienceMs = PATIENCE_MS, pauseMs = 2 } = {},
): Promise<void> {
  const end = performance.now() + patienceMs;
  while (!(await condition())) {
    if (performance.now() > end) throw new Error(`did not happen: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
  }
}

export function requestBytes(opaque: number, answer = 8, more = 0): Buffer {
  const bytes = Buffer.alloc(12 + more);
  bytes.writeInt32BE(8 + more, 0);
  bytes.writeInt32BE(opaque, 4);
  bytes.writeInt32BE(answer, 8);
  return bytes;
}

/** A client that remembers the opaques of its answers, and reads only when it wants to. */
export class RigClient {
  readonly answers: number[] = [];
  readonly socket: Socket;
  received = 0;
  closed = false;
  readonly #cutter = new FrameCutter();

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.on('error', () => {});
    socket.on('close', () => {
      this.closed = true;
    });
    socket.on('data', (chunk: Buffer) => {
      this.received += chunk.length;
      cutFrames(this.#cutter, chunk, (frame) => {
        this.answers.push(new DataView(frame.buffer, frame.byteOffset).getInt32(0));
      });
    });
  }

  /** `allowHalfOpen`: it does not end its side when the other one ends. */
  static connect(port: number, allowHalfOpen = false): Promise<RigClient> {
    return new Promise((resolve, reject) => {
      const socket = createConnection({ host: '127.0.0.1', port, allowHalfOpen }, () =>
        resolve(new RigClient(socket)),
      );
      socket.once('error', reject);
    });
  }

  /** By TLS, trusting everybody unless the options say otherwise. */
  static connectTls(port: number, options: ConnectionOptions = {}): Promise<RigClient> {
    return new Promise((resolve, reject) => {
      const all = { host: '127.0.0.1', port, rejectUnauthorized: false, ...options };
      const socket = connectTls(all, () => resolve(new RigClient(socket)));
      socket.once('error', reject);
    });
  }

  ask(opaque: number, answer?: number): void {
    this.socket.write(requestBytes(opaque, answer));
  }

  /** Reads at least so many bytes, then nothing. */
  async readSome(bytes: number): Promise<void> {
    const target = this.received + bytes;
    this.socket.resume();
    await until('the client has read', () => this.received >= target || this.closed);
    this.socket.pause();
  }
}

/**
 * A peer that takes nothing, and so many turns with a small answer each, opaques from 0 on behind -1: by how many bytes
 * the memory grows that Node's sockets keep.
 */
export async function answerUnread(
  rig: SocketsRig,
  client: RigClient,
  connection: Connection,
  turns: number,
): Promise<number> {
  client.socket.pause();
  rig.answer(connection, -1, UNREAD_BYTES);
  rig.sockets.flush();
  await until('the kernel takes no more', () => connection.socket.writableLength > 0);
  const before = process.memoryUsage().arrayBuffers;
  for (let turn = 0; turn < turns; turn++) {
    rig.answer(connection, turn, 100);
    rig.sockets.flush();
    await new Promise(setImmediate);
  }
  return process.memoryUsage().arrayBuffers - before;
}

export interface RigSetup {
  limit?: number;
  /** Network threads that share the budgets: many make them small. */
  threads?: number;
  /** Default: plain text and TLS with a self-signed certificate. */
  tls?: ServerTls;
  count?: ConnectionCount;
}

export const PERMISSIVE: ServerTls = {
  mode: 'permissive',
  terms: {},
  clientAuth: 'none',
  verifyClients: false,
  pem: undefined,
};

export class SocketsRig {
  readonly sockets: Sockets;
  readonly count: ConnectionCount;
  readonly clients: RigClient[] = [];
  /** Reasons for which connections were closed. */
  readonly faults: string[] = [];
  /** Opaques of the frames handled, in order. */
  readonly handled: number[] = [];
  opened = 0;
  closed = 0;
  turns = 0;
  now = 1_000_000;
  /** By how much the clock goes on with every look within a turn, ms. */
  tick = 0;
  mayOpen = true;
  port = 0;
  /** Instead of the answer; its outcome. */
  onFrame: ((connection: Connection, opaque: number) => number | undefined) | undefined;
  onDrained: (connection: Connection) => void = () => {};

  constructor({ limit = 10_000, threads = 1, tls = PERMISSIVE, count }: RigSetup = {}) {
    this.count = count ?? new ConnectionCount(new SharedArrayBuffer(4), limit);
    this.sockets = new Sockets({
      beginTurn: () => this.now,
      clock: () => {
        this.now += this.tick;
        return this.now;
      },
      frame: (connection, _, view, offset) =>
        this.#frame(connection, view.getInt32(offset), view.getInt32(offset + 4)),
      opened: () => this.opened++,
      closed: () => this.closed++,
      identified: () => {},
      drained: (connection) => this.onDrained(connection),
      closedFor: (reason, detail) => this.faults.push(`${reason}: ${detail}`),
      mayOpen: () => this.mayOpen,
      count: this.count,
      counters: Counters.unread(),
      threads,
      tls,
      endOfTurn: () => {
        this.turns++;
        this.sockets.flush();
      },
    });
  }

  async listen(handOver: (descriptor: number) => boolean = () => false): Promise<void> {
    const { port, descriptor } = await bindPort('127.0.0.1', 0);
    this.port = port;
    this.sockets.listen(descriptor, handOver);
  }

  /** A client whose connection has been taken. */
  async connect(): Promise<RigClient> {
    const client = await RigClient.connect(this.port);
    this.clients.push(client);
    return client;
  }

  /** The same by TLS. */
  async connectTls(options?: ConnectionOptions): Promise<RigClient> {
    const client = await RigClient.connectTls(this.port, options);
    this.clients.push(client);
    return client;
  }

  async connectMany(count: number): Promise<RigClient[]> {
    const before = this.opened;
    const clients: RigClient[] = [];
    for (let i = 0; i < count; i++) clients.push(await this.connect());
    await until('all are connected', () => this.opened >= before + count);
    return clients;
  }

  /** Connections of the table, in order of their slots. */
  get connections(): Connection[] {
    return [...this.sockets.connections.all()];
  }

  answer(connection: Connection, opaque: number, bytes: number): void {
    const at = connection.reserve(4 + bytes);
    connection.output.fill(0, at, at + 4 + bytes);
    connection.output.writeInt32BE(bytes, at);
    connection.output.writeInt32BE(opaque, at + 4);
    this.sockets.touched(connection);
  }

  async close(): Promise<void> {
    this.sockets.refuse();
    this.sockets.destroyAll();
    for (const client of this.clients) client.socket.destroy();
    await until('all connections have ended', () => this.sockets.connections.size === 0);
  }

  #frame(connection: Connection, opaque: number, answer: number): number {
    const outcome = this.onFrame?.(connection, opaque);
    if (outcome !== undefined && outcome !== CUT_ALL) return outcome;
    this.handled.push(opaque);
    if (outcome === undefined && answer > 0) this.answer(connection, opaque, answer);
    return CUT_ALL;
  }
}
