/**
 * One connection that sends replies, SEND_REPLY_MESSAGE_V2 as the Java client makes it: a frame is a copy of a template
 * with the key of the request, its connection and the opaque written in.
 */
import { writeDecimal } from './digits.ts';
import { type Endpoint, FrameSocket } from './frame-socket.ts';
import type { LoadOptions } from './options.ts';
import type { Recorder } from './recorder.ts';
import { requesterId } from './requests.ts';
import { OPAQUE_BASE, OPAQUE_SPAN } from './send-template.ts';
import { CONNECTION_AT, COUNTER_AT, KEY_LENGTH, keyPrefix } from './unique-key.ts';

const REQUEST_REPLY_V2 = 325;
const OPAQUE_DIGITS = 10;
const PREFIX_BYTES = 8;

interface ReplyTemplate {
  bytes: Buffer;
  correlationAt: number;
  /** Place of the connection's number in the client id. */
  connectionAt: number;
  opaqueAt: number;
}

function buildTemplate({ replyTopic, bodyBytes }: LoadOptions): ReplyTemplate {
  const [is, end] = ['\\u0001', '\\u0002'];
  const prefix = keyPrefix(0, 0);
  const blank = '0'.repeat(KEY_LENGTH);
  const properties =
    `MSG_TYPE${is}reply${end}CORRELATION_ID${is}${blank}${end}TTL${is}3000${end}WAIT${is}true${end}` +
    `REPLY_TO_CLIENT${is}${requesterId(prefix)}${end}UNIQ_KEY${is}${blank}${end}`;
  const header =
    `{"code":${REQUEST_REPLY_V2},"extFields":{"a":"ringmq_bench_repliers","b":"${replyTopic}","c":"TBW102","d":"4",` +
    `"e":"0","f":"0","g":"${Date.now()}","h":"0","i":"${properties}","j":"0","k":"false","m":"false","n":"bench"},` +
    `"flag":0,"language":"JAVA","opaque":${OPAQUE_BASE},"serializeTypeCurrentRPC":"JSON","version":513}`;
  const bytes = Buffer.alloc(PREFIX_BYTES + header.length + bodyBytes, 'r');
  bytes.writeInt32BE(bytes.length - 4, 0);
  bytes.writeInt32BE(header.length, 4);
  bytes.write(header, PREFIX_BYTES, 'latin1');
  const behind = (name: string): number => bytes.indexOf(name, 0, 'latin1') + name.length;
  return {
    bytes,
    correlationAt: behind(`CORRELATION_ID${is}`),
    connectionAt: behind(`REPLY_TO_CLIENT${is}${requesterId(prefix).slice(0, -8)}`),
    opaqueAt: behind('"opaque":'),
  };
}

export class ReplySender {
  readonly #template: ReplyTemplate;
  readonly #socket: FrameSocket;
  #frames: Buffer[] = [];
  #sent = 0;
  inFlight = 0;

  constructor(options: LoadOptions, recorder: Recorder, onFailure: (error: Error) => void) {
    this.#template = buildTemplate(options);
    this.#socket = new FrameSocket({
      onReply: (code) => {
        this.inFlight--;
        if (code !== 0) recorder.refusal(code);
      },
      onRead: () => {},
      onFailure,
    });
  }

  open(endpoint: Endpoint): Promise<void> {
    return this.#socket.open(endpoint);
  }

  /** Replies to the request whose key stands at `keyAt`. */
  add(bytes: Uint8Array, keyAt: number): void {
    const { bytes: template, correlationAt, connectionAt, opaqueAt } = this.#template;
    const frame = Buffer.from(template);
    frame.set(bytes.subarray(keyAt, keyAt + KEY_LENGTH), correlationAt);
    frame.set(bytes.subarray(keyAt + CONNECTION_AT, keyAt + COUNTER_AT), connectionAt);
    writeDecimal(frame, opaqueAt, OPAQUE_DIGITS, OPAQUE_BASE + (this.#sent++ % OPAQUE_SPAN));
    this.#frames.push(frame);
  }

  /** Sends what was added. */
  flush(): void {
    if (this.#frames.length === 0) return;
    this.inFlight += this.#frames.length;
    this.#socket.write(Buffer.concat(this.#frames));
    this.#frames = [];
  }

  close(): void {
    this.#socket.close();
  }
}
