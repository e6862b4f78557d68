// A connection that can say anything: frames built by hand, apart from any code of the broker under test.
//
//   | 4: bytes that follow | 1: header kind, 0 = JSON | 3: header length | header | body |

import { connect, type Socket } from 'node:net';
import { type ConnectionOptions, connect as connectTls } from 'node:tls';

const TIMEOUT = 15_000;

export interface RawRequest {
  readonly code: number;
  readonly ext?: Readonly<Record<string, string | number>>;
  readonly body?: Buffer;
  readonly oneway?: boolean;
}

export interface RawResponse {
  readonly code: number;
  readonly flag: number;
  readonly opaque: number;
  readonly remark?: string;
  readonly extFields?: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

export class RawConnection {
  readonly #socket: Socket;
  readonly #responses = new Map<number, RawResponse>();
  /** Requests that came from the other side, in their order. */
  readonly asked: RawResponse[] = [];
  #pending: Buffer = Buffer.alloc(0);
  #closed = false;
  #opaque = 1;
  #wake: (() => void)[] = [];

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('data', (bytes) => this.#take(bytes));
    socket.on('error', () => undefined); // a reset is a close for these tests
    socket.on('close', () => {
      this.#closed = true;
      this.#wakeAll();
    });
  }

  /** `tls`: by TLS, trusting everybody. */
  static open(address: string, tls?: ConnectionOptions): Promise<RawConnection> {
    const port = Number(address.slice(address.lastIndexOf(':') + 1));
    return new Promise((resolve, reject) => {
      const to = { port, host: '127.0.0.1' };
      const socket =
        tls === undefined ? connect(to) : connectTls({ ...to, rejectUnauthorized: false, ...tls });
      socket.on('error', reject);
      socket.on(tls === undefined ? 'connect' : 'secureConnect', () => resolve(new RawConnection(socket)));
    });
  }

  get closed(): boolean {
    return this.#closed;
  }

  write(bytes: Buffer): void {
    this.#socket.write(bytes);
  }

  /** Ends our half; the other side may still answer. */
  end(): void {
    this.#socket.end();
  }

  destroy(): void {
    this.#socket.destroy();
  }

  /** How many answers have come in all. */
  get answers(): number {
    return this.#responses.size;
  }

  async request(request: RawRequest): Promise<RawResponse> {
    return this.response(this.send(request));
  }

  /** Sends without waiting; returns what `response` is to be asked for. */
  send(request: RawRequest): number {
    const opaque = this.#opaque++;
    this.write(frame(request, opaque));
    return opaque;
  }

  response(opaque: number): Promise<RawResponse> {
    return this.until(`an answer to ${opaque}`, () => {
      const response = this.#responses.get(opaque);
      if (response === undefined && this.#closed) throw new Error('connection closed instead of an answer');
      return response;
    });
  }

  /** True when the other side closes within the time. */
  async closes(timeout: number): Promise<boolean> {
    try {
      await this.until('the close', () => (this.#closed ? true : undefined), timeout);
      return true;
    } catch {
      return false;
    }
  }

  /** Answers a request of the other side. */
  answer(asked: RawResponse, code: number, remark?: string): void {
    const header = {
      code,
      language: 'JAVA',
      version: 513,
      opaque: asked.opaque,
      flag: 1,
      remark,
      extFields: {},
    };
    this.write(frameOf(Buffer.from(JSON.stringify(header)), Buffer.alloc(0)));
  }

  /** Resolves with the first defined answer of `look`, asked again whenever something has come in. */
  until<T>(what: string, look: () => T | undefined, timeout = TIMEOUT): Promise<T> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`${timeout} ms went by without ${what}`)), timeout);
      const check = (): void => {
        try {
          const found = look();
          if (found === undefined) {
            this.#wake.push(check);
            return;
          }
          resolve(found);
        } catch (error) {
          reject(error);
        }
        clearTimeout(timer);
      };
      check();
    });
  }

  #wakeAll(): void {
    const wake = this.#wake;
    this.#wake = [];
    for (const check of wake) check();
  }

  #take(bytes: Buffer): void {
    this.#pending = Buffer.concat([this.#pending, bytes]);
    while (this.#pending.length >= 4 && this.#pending.length >= 4 + this.#pending.readInt32BE(0)) {
      const length = this.#pending.readInt32BE(0);
      const headerLength = this.#pending.readInt32BE(4) & 0xffffff;
      const header = JSON.parse(this.#pending.toString('utf8', 8, 8 + headerLength)) as RawResponse;
      const body = Buffer.from(this.#pending.subarray(8 + headerLength, 4 + length));
      if ((header.flag & 1) === 1) this.#responses.set(header.opaque, { ...header, body });
      else this.asked.push({ ...header, body });
      this.#pending = this.#pending.subarray(4 + length);
    }
    this.#wakeAll();
  }
}

export function frame(request: RawRequest, opaque: number): Buffer {
  const header = {
    code: request.code,
    language: 'JAVA',
    version: 513,
    opaque,
    flag: request.oneway === true ? 2 : 0,
    extFields: Object.fromEntries(
      Object.entries(request.ext ?? {}).map(([name, value]) => [name, String(value)]),
    ),
  };
  return frameOf(Buffer.from(JSON.stringify(header)), request.body ?? Buffer.alloc(0));
}

export function frameOf(header: Buffer, body: Buffer): Buffer {
  const prefix = Buffer.alloc(8);
  prefix.writeInt32BE(4 + header.length + body.length, 0);
  prefix.writeInt32BE(header.length, 4);
  return Buffer.concat([prefix, header, body]);
}

/** SEND_MESSAGE (10) with everything that it needs; fields given replace the defaults. */
export function send(
  topic: string,
  fields: Readonly<Record<string, string | number>> = {},
  body = 'hello',
): RawRequest {
  return {
    code: 10,
    ext: {
      producerGroup: 'raw-producer',
      topic,
      defaultTopic: 'TBW102',
      defaultTopicQueueNums: 4,
      queueId: 0,
      sysFlag: 0,
      bornTimestamp: Date.now(),
      flag: 0,
      properties: 'KEYS\u0001raw\u0002',
      reconsumeTimes: 0,
      unitMode: 'false',
      batch: 'false',
      ...fields,
    },
    body: Buffer.from(body),
  };
}

/** PULL_MESSAGE (11) that carries its subscription and does not wait. */
export function pull(topic: string, fields: Readonly<Record<string, string | number>> = {}): RawRequest {
  return {
    code: 11,
    ext: {
      consumerGroup: 'raw-consumer',
      topic,
      queueId: 0,
      queueOffset: 0,
      maxMsgNums: 32,
      sysFlag: 4,
      commitOffset: 0,
      suspendTimeoutMillis: 0,
      subscription: '*',
      subVersion: 0,
      expressionType: 'TAG',
      ...fields,
    },
  };
}
