/** A client of the proxy on a connection of its own: introduced by its settings, kept known by heartbeats. */
import { STREAM_TIMEOUT } from './headers.ts';
import { Http2Connection, plainText } from './http2-connection.ts';
import { ProtoCursor } from './protobuf.ts';
import { OK, statusCode } from './proxy-messages.ts';
import { resetText } from './resets.ts';

export interface LinkEvents {
  /** A message of a call of one's own. */
  onMessage(stream: number, bytes: Uint8Array, start: number, end: number): void;
  /** A call of one's own is over. */
  onEnd(stream: number): void;
  /** The proxy gives up a call of one's own. */
  onReset(stream: number, code: number): void;
  onRead(): void;
  onFailure(error: Error): void;
}

const HEARTBEAT_MILLIS = 10_000;

interface Waiting {
  resolve(): void;
  reject(error: Error): void;
  answered: boolean;
  what: string;
}

export class ProxyLink {
  readonly connection: Http2Connection;
  readonly #cursor = new ProtoCursor();
  /** Calls of the link itself, by stream. */
  readonly #waiting = new Map<number, Waiting>();
  readonly #onFailure: (error: Error) => void;
  /** The stream of the settings. */
  #telemetry = 0;
  #settled: (() => void) | undefined;
  #heartbeat: NodeJS.Timeout | undefined;

  constructor(clientId: string, events: LinkEvents) {
    this.#onFailure = events.onFailure;
    this.connection = new Http2Connection(clientId, {
      onMessage: (stream, bytes, start, end) => {
        if (stream === this.#telemetry) this.#settled?.();
        else if (this.#waiting.has(stream)) this.#answer(stream, bytes, start, end);
        else events.onMessage(stream, bytes, start, end);
      },
      onEnd: (stream, trailer) => {
        if (stream === this.#telemetry) events.onFailure(new Error(`telemetry ended: ${plainText(trailer)}`));
        else if (!this.#isOver(stream, trailer)) events.onEnd(stream);
      },
      onReset: (stream, code) => {
        if (!this.#gaveUp(stream, code)) events.onReset(stream, code);
      },
      onRead: () => events.onRead(),
      onFailure: (error) => events.onFailure(error),
    });
  }

  /** Says what this client is, now and from now on; resolves when the proxy knows it. */
  async introduce(settings: Uint8Array, heartbeat: Uint8Array): Promise<void> {
    const { connection } = this;
    const settled = new Promise<void>((resolve) => {
      this.#settled = resolve;
    });
    if (this.#telemetry === 0)
      this.#telemetry = connection.call(connection.block('Telemetry', STREAM_TIMEOUT), settings, false);
    else connection.more(this.#telemetry, settings);
    connection.flush();
    await settled;
    await this.#call('Heartbeat', heartbeat);
    clearInterval(this.#heartbeat);
    this.#heartbeat = setInterval(() => {
      this.#call('Heartbeat', heartbeat).catch((error: Error) => this.#onFailure(error));
    }, HEARTBEAT_MILLIS);
  }

  close(): void {
    clearInterval(this.#heartbeat);
    this.connection.close();
  }

  #call(method: string, request: Uint8Array): Promise<void> {
    const { connection } = this;
    const stream = connection.call(connection.block(method), request);
    connection.flush();
    return new Promise((resolve, reject) => {
      this.#waiting.set(stream, { resolve, reject, answered: false, what: method });
    });
  }

  #answer(stream: number, bytes: Uint8Array, start: number, end: number): void {
    const waiting = this.#waiting.get(stream) as Waiting;
    const code = statusCode(this.#cursor, bytes, start, end);
    waiting.answered = code === OK;
    if (code !== OK) {
      const said = plainText(bytes.subarray(start, end));
      waiting.reject(new Error(`${waiting.what} was refused: code ${code}, ${said}`));
    }
  }

  /** Whether the call was the link's: without these the proxy does not know the client, so they may not fail. */
  #gaveUp(stream: number, code: number): boolean {
    const waiting = this.#waiting.get(stream);
    const what = stream === this.#telemetry ? 'Telemetry' : waiting?.what;
    if (what === undefined) return false;
    this.#waiting.delete(stream);
    const error = new Error(`the proxy reset ${resetText(what, stream, code)}`);
    if (waiting === undefined) this.#onFailure(error);
    else waiting.reject(error);
    return true;
  }

  #isOver(stream: number, trailer: Uint8Array): boolean {
    const waiting = this.#waiting.get(stream);
    if (waiting === undefined) return false;
    this.#waiting.delete(stream);
    if (waiting.answered) waiting.resolve();
    else waiting.reject(new Error(`${waiting.what} failed: ${plainText(trailer)}`));
    return true;
  }
}
