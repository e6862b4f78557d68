/** An HTTP/2 connection without encryption to a gRPC server that is known to be one: calls out, messages in. */
import net from 'node:net';
import { micros } from '../frame-socket.ts';
import { RequestHeaders } from './headers.ts';
import {
  ACK,
  DATA,
  DEFAULT_WINDOW,
  END_HEADERS,
  END_STREAM,
  firstBytes,
  frame,
  GOAWAY,
  HEAD_BYTES,
  HEADERS,
  Http2Cutter,
  LARGEST_PAYLOAD,
  LARGEST_WINDOW,
  PADDED,
  PING,
  RST_STREAM,
  SETTINGS,
  WINDOW_UPDATE,
  windowUpdate,
} from './http2-frames.ts';
import { errorName } from './resets.ts';

/** All sockets of the process read into this buffer, one after the other. */
const receiveBuffer = Buffer.alloc(128 << 10);
/** A message is preceded by whether it is compressed, and its length. */
export const PREFIX_BYTES = 5;

export interface CallEvents {
  /** A message of the stream, at bytes[start, end). */
  onMessage(stream: number, bytes: Uint8Array, start: number, end: number): void;
  /** The call is over; `trailer` is the block of its last headers. */
  onEnd(stream: number, trailer: Uint8Array): void;
  /** The peer gives the call up, by this error code. */
  onReset(stream: number, code: number): void;
  /** All frames of a read were handed over. */
  onRead(): void;
  onFailure(error: Error): void;
}

/** A message as the payload of a DATA frame. */
export function prefixed(message: Uint8Array): Buffer {
  const bytes = Buffer.alloc(PREFIX_BYTES + message.length);
  bytes.writeUInt32BE(message.length, 1);
  bytes.set(message, PREFIX_BYTES);
  if (bytes.length > LARGEST_PAYLOAD) throw new Error('messages beyond 16 KiB are not provided for');
  return bytes;
}

/** What the block of headers says in plain letters: for the reason of a failure. */
export function plainText(block: Uint8Array): string {
  return Buffer.from(block)
    .toString('latin1')
    .replaceAll(/[^ -~]+/g, ' ')
    .trim();
}

export class Http2Connection {
  /** When the read began that brought the frames of now, in microseconds. */
  now = 0;
  readonly #events: CallEvents;
  readonly #clientId: string;
  readonly #cutter: Http2Cutter;
  #headers: RequestHeaders | undefined;
  #socket: net.Socket | undefined;
  #closing = false;
  #nextStream = 1;
  /** Bytes of DATA that the server takes at present. */
  #window = DEFAULT_WINDOW;
  /** What waits until it takes more, whole calls. */
  #waiting: { bytes: Buffer; data: number }[] = [];
  /** What goes out at the next flush. */
  #out: Buffer[] = [];
  /** Bytes of DATA since the server was last told that there is room. */
  #received = 0;
  /** Beginnings of messages, by stream. */
  readonly #partial = new Map<number, Buffer>();

  constructor(clientId: string, events: CallEvents) {
    this.#clientId = clientId;
    this.#events = events;
    this.#cutter = new Http2Cutter((type, flags, stream, bytes, start, end) =>
      this.#frame(type, flags, stream, bytes, start, end),
    );
  }

  open(host: string, port: number): Promise<void> {
    this.#headers = new RequestHeaders(`${host}:${port}`, this.#clientId);
    return new Promise((resolve, reject) => {
      const onread = { buffer: receiveBuffer, callback: (bytes: number) => this.#read(bytes) };
      const socket = net.connect({ host, port, noDelay: true, onread });
      socket.once('connect', resolve);
      socket.on('error', (error) => {
        reject(error);
        this.#fail(error);
      });
      socket.on('close', () => this.#fail(new Error('the proxy closed the connection')));
      socket.write(firstBytes());
      this.#socket = socket;
    });
  }

  /** The header block of a call to this method; the first one differs, and must be sent first. Timeouts as gRPC's. */
  block(method: string, timeout?: string): Buffer {
    return (this.#headers as RequestHeaders).block(method, timeout);
  }

  /** Number of the stream of the next call. */
  newStream(): number {
    const stream = this.#nextStream;
    this.#nextStream += 2;
    return stream;
  }

  /** Calls with one message; `isWhole`: there are no more. Goes out at the next flush. Returns the stream. */
  call(block: Uint8Array, message: Uint8Array, isWhole = true): number {
    const stream = this.newStream();
    const data = prefixed(message);
    const head = frame(HEADERS, END_HEADERS, stream, block);
    const body = frame(DATA, isWhole ? END_STREAM : 0, stream, data);
    this.send(Buffer.concat([head, body]), data.length);
    return stream;
  }

  /** One more message of a call that is open. */
  more(stream: number, message: Uint8Array): void {
    const data = prefixed(message);
    this.send(frame(DATA, 0, stream, data), data.length);
  }

  /** Frames with so many bytes of DATA payload, whole calls in the order of their streams; out at the next flush. */
  send(bytes: Buffer, data: number): void {
    if (this.#waiting.length > 0 || data > this.#window) this.#waiting.push({ bytes, data });
    else {
      this.#window -= data;
      this.#out.push(bytes);
    }
  }

  flush(): void {
    if (this.#out.length === 0) return;
    const [only, ...others] = this.#out;
    this.#socket?.write(others.length === 0 ? (only as Buffer) : Buffer.concat(this.#out));
    this.#out = [];
  }

  close(): void {
    this.#closing = true;
    this.#socket?.destroy();
  }

  #read(bytes: number): boolean {
    this.now = micros();
    try {
      this.#cutter.push(receiveBuffer, bytes);
      this.#events.onRead();
      this.flush();
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

  #frame(type: number, flags: number, stream: number, bytes: Uint8Array, start: number, end: number): void {
    if (type === DATA) this.#data(flags, stream, bytes, start, end);
    else if (type === HEADERS) this.#ended(flags, stream, bytes.subarray(start, end));
    else if (type === WINDOW_UPDATE) this.#widened(stream, bytes, start);
    else if (type === SETTINGS && (flags & ACK) === 0)
      this.#out.push(frame(SETTINGS, ACK, 0, new Uint8Array()));
    else if (type === PING && (flags & ACK) === 0)
      this.#out.push(frame(PING, ACK, 0, bytes.subarray(start, end)));
    else if (type === RST_STREAM) this.#reset(stream, uint32(bytes, start));
    else if (type === GOAWAY) {
      const why = errorName(uint32(bytes, start + 4));
      const last = `its last stream is ${uint32(bytes, start)}`;
      const said = plainText(bytes.subarray(start + 8, end));
      throw new Error(`the proxy leaves the connection: ${why}, ${last}, it says "${said}"`);
    }
  }

  #reset(stream: number, code: number): void {
    this.#partial.delete(stream);
    this.#events.onReset(stream, code);
  }

  #widened(stream: number, bytes: Uint8Array, start: number): void {
    if (stream !== 0) return;
    this.#window += uint32(bytes, start);
    while (this.#waiting.length > 0) {
      const first = this.#waiting[0] as { bytes: Buffer; data: number };
      if (first.data > this.#window) return;
      this.#window -= first.data;
      this.#out.push(first.bytes);
      this.#waiting.shift();
    }
  }

  #ended(flags: number, stream: number, block: Uint8Array): void {
    if ((flags & END_STREAM) === 0) return;
    this.#partial.delete(stream);
    this.#events.onEnd(stream, block);
  }

  #data(flags: number, stream: number, bytes: Uint8Array, start: number, end: number): void {
    this.#received += end - start;
    if (this.#received > LARGEST_WINDOW / 2) {
      this.#out.push(windowUpdate(this.#received));
      this.#received = 0;
    }
    const padding = (flags & PADDED) === 0 ? 0 : 1 + (bytes[start] as number);
    const from = padding === 0 ? start : start + 1;
    const to = padding === 0 ? end : end - (padding - 1);
    const partial = this.#partial.get(stream);
    if (partial === undefined) this.#messages(stream, bytes, from, to);
    else {
      const joined = Buffer.concat([partial, bytes.subarray(from, to)]);
      this.#partial.delete(stream);
      this.#messages(stream, joined, 0, joined.length);
    }
    if ((flags & END_STREAM) !== 0) this.#ended(flags, stream, new Uint8Array());
  }

  #messages(stream: number, bytes: Uint8Array, from: number, to: number): void {
    let at = from;
    while (to - at >= PREFIX_BYTES) {
      const view = new DataView(bytes.buffer, bytes.byteOffset + at, PREFIX_BYTES);
      const end = at + PREFIX_BYTES + view.getUint32(1);
      if (end > to) break;
      if (bytes[at] !== 0) throw new Error('the proxy sends compressed messages');
      this.#events.onMessage(stream, bytes, at + PREFIX_BYTES, end);
      at = end;
    }
    if (at < to) this.#partial.set(stream, Buffer.from(bytes.subarray(at, to)));
  }
}

function uint32(bytes: Uint8Array, at: number): number {
  return new DataView(bytes.buffer, bytes.byteOffset + at, 4).getUint32(0);
}

/** Writes the number of the stream into the frame that begins at `at`. */
export function setStream(frames: Buffer, at: number, stream: number): void {
  frames.writeInt32BE(stream, at + HEAD_BYTES - 4);
}
