/** One producer that sends through the proxy: calls out by window, answers in. */
import { writeHex } from '../digits.ts';
import type { Endpoint } from '../frame-socket.ts';
import type { Recorder } from '../recorder.ts';
import { OPAQUE_BASE } from '../send-template.ts';
import { KEY_LENGTH } from '../unique-key.ts';
import { RequestWindow } from '../window.ts';
import { PREFIX_BYTES, prefixed, setStream } from './http2-connection.ts';
import { DATA, END_HEADERS, END_STREAM, frame, HEAD_BYTES, HEADERS } from './http2-frames.ts';
import { ProtoCursor } from './protobuf.ts';
import { ProxyLink } from './proxy-link.ts';
import { OK, producerHeartbeat, producerSettings, sendRequest, statusCode } from './proxy-messages.ts';
import type { Resets } from './resets.ts';

const COUNTER_DIGITS = 8;

export interface SenderShape {
  topic: string;
  tag: string;
  bodyBytes: number;
  inFlight: number;
  /** First part of every unique key, 24 characters. */
  keyPrefix: string;
}

export interface SenderEvents {
  /** `freed` calls were answered by what was just read. */
  onReplies(sender: ProxySender, freed: number): void;
  onFailure(error: Error): void;
}

export class ProxySender {
  readonly window: RequestWindow;
  readonly keys = undefined;
  readonly #shape: SenderShape;
  readonly #recorder: Recorder;
  readonly #resets: Resets;
  readonly #link: ProxyLink;
  readonly #cursor = new ProtoCursor();
  /** Opaque in the window, by stream. */
  readonly #opaques = new Map<number, number>();
  /** Code of the answer of each slot; -1 = none has come. */
  readonly #codes: Int32Array;
  /** HEADERS and DATA frame of a call. */
  #template: Buffer = Buffer.alloc(0);
  #bodyAt = 0;
  #counterAt = 0;
  #counter = 0;
  #freed = 0;

  constructor(shape: SenderShape, recorder: Recorder, resets: Resets, events: SenderEvents) {
    this.#shape = shape;
    this.#recorder = recorder;
    this.#resets = resets;
    this.window = new RequestWindow(shape.inFlight);
    this.#codes = new Int32Array(shape.inFlight).fill(-1);
    this.#link = new ProxyLink(`bench-${process.pid}-${shape.keyPrefix}`, {
      onMessage: (stream, bytes, start, end) => this.#answered(stream, bytes, start, end),
      onEnd: (stream) => this.#ended(stream),
      onReset: (stream, code) => this.#reset(stream, code),
      onRead: () => {
        const freed = this.#freed;
        this.#freed = 0;
        if (freed > 0) events.onReplies(this, freed);
      },
      onFailure: (error) => events.onFailure(error),
    });
  }

  /** Connects to the proxy on the endpoint's port. */
  async open({ host, port }: Endpoint): Promise<void> {
    const { topic } = this.#shape;
    await this.#link.connection.open(host, port);
    await this.#link.introduce(producerSettings(topic), producerHeartbeat());
    this.#makeTemplate();
  }

  /** Sends `count` messages (as many slots must be free). Message k counts its latency from `since + k * step`. */
  send(count: number, since: number, step: number): void {
    const { connection } = this.#link;
    const data = this.#template.length - this.#bodyAt - HEAD_BYTES;
    for (let index = 0; index < count; index++) {
      const opaque = this.window.open(since + index * step);
      const stream = connection.newStream();
      const frames = Buffer.from(this.#template);
      setStream(frames, 0, stream);
      setStream(frames, this.#bodyAt, stream);
      writeHex(frames, this.#counterAt, COUNTER_DIGITS, this.#counter++);
      this.#opaques.set(stream, opaque);
      connection.send(frames, data);
    }
    connection.flush();
  }

  close(): void {
    this.#link.close();
  }

  #makeTemplate(): void {
    const { topic, tag, bodyBytes, keyPrefix } = this.#shape;
    const messageId = keyPrefix + '0'.repeat(COUNTER_DIGITS);
    const request = sendRequest({ topic, tag, bodyBytes, messageId, bornMillis: Date.now() });
    const head = frame(HEADERS, END_HEADERS, 0, this.#link.connection.block('SendMessage'));
    const body = frame(DATA, END_STREAM, 0, prefixed(request));
    this.#template = Buffer.concat([head, body]);
    this.#bodyAt = head.length;
    const keyAt = this.#template.indexOf(messageId, head.length + HEAD_BYTES + PREFIX_BYTES, 'latin1');
    this.#counterAt = keyAt + KEY_LENGTH - COUNTER_DIGITS;
  }

  #answered(stream: number, bytes: Uint8Array, start: number, end: number): void {
    const opaque = this.#opaques.get(stream);
    if (opaque === undefined) this.#recorder.unexpectedReply();
    else this.#codes[this.window.slotOf(opaque)] = statusCode(this.#cursor, bytes, start, end);
  }

  /** The call has failed, whatever has come of its answer. */
  #reset(stream: number, code: number): void {
    const opaque = this.#opaques.get(stream);
    if (opaque !== undefined) {
      this.#codes[this.window.slotOf(opaque)] = -1;
      this.#resets.note('SendMessage', stream, code);
    }
    this.#ended(stream);
  }

  /** A call without an answer has failed in the proxy: its code is -1. */
  #ended(stream: number): void {
    const opaque = this.#opaques.get(stream) ?? OPAQUE_BASE - 1;
    this.#opaques.delete(stream);
    const since = this.window.close(opaque);
    if (since < 0) {
      this.#recorder.unexpectedReply();
      return;
    }
    const slot = this.window.slotOf(opaque);
    const code = this.#codes[slot] as number;
    this.#codes[slot] = -1;
    this.#freed++;
    this.#recorder.reply(code === OK ? 0 : code, this.#link.connection.now - since);
  }
}
