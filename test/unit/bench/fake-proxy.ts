/**
 * A gRPC proxy of a few lines in front of the fake broker, on Node's own HTTP/2: it judges what the generator sends.
 */
import http2 from 'node:http2';
import type net from 'node:net';
import { prefixed } from '../../../bench/load/grpc/http2-connection.ts';
import { field, message, numberField, ProtoCursor } from '../../../bench/load/grpc/protobuf.ts';
import { OK } from '../../../bench/load/grpc/proxy-messages.ts';
import { RecordReader } from '../../../bench/load/record-reader.ts';
import { requestCommand } from '../../../src/protocol/command.ts';
import type { FakeBroker } from './fake-broker.ts';

const SERVICE = '/apache.rocketmq.v2.MessagingService/';
const POP = 200050;
const ACK = 200051;
const NOT_FOUND = 40_401;

const status = (code: number): Buffer => field(1, numberField(1, code));

/** The bytes of the field at this path of field numbers. */
function inside(bytes: Buffer, ...numbers: number[]): Buffer {
  let found = bytes;
  for (const number of numbers) {
    const cursor = new ProtoCursor().begin(found, 0, found.length);
    while (cursor.next() && cursor.field !== number);
    found = cursor.field === number ? found.subarray(cursor.start, cursor.end) : Buffer.alloc(0);
  }
  return found;
}

export class FakeProxy {
  port = 0;
  /** Message ids and bodies of what was sent. */
  readonly sent: { id: string; body: Buffer }[] = [];
  readonly calls = new Map<string, number>();
  /** Header fields that each call has had, by name. */
  readonly headers = new Map<string, Set<string>>();
  /** How long each call might take, by method. */
  readonly timeouts = new Map<string, Set<string>>();
  readonly settings: Buffer[] = [];
  /** What a send is answered with, by its number; -1 = the call fails. */
  sendCode: (send: number) => number = () => OK;
  /** The error code by which a call is reset when it has done its work, by method and number. */
  resetCode: (method: string, call: number) => number | undefined = () => undefined;
  readonly #broker: FakeBroker;
  readonly #server = http2.createServer();
  readonly #settingStreams = new Set<http2.ServerHttp2Stream>();
  readonly #sessions = new Set<http2.ServerHttp2Session>();

  constructor(broker: FakeBroker) {
    this.#broker = broker;
    this.#server.on('session', (session) => this.#sessions.add(session));
    this.#server.on('stream', (stream, headers) => this.#serve(stream, headers));
  }

  async open(): Promise<this> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    this.port = (this.#server.address() as net.AddressInfo).port;
    return this;
  }

  /** Resets the streams of all settings, by INTERNAL_ERROR: with another code the server ends them first. */
  resetSettings(): void {
    for (const stream of this.#settingStreams) stream.destroy(new Error('reset'));
  }

  leave(code: number, said: string): void {
    for (const session of this.#sessions) session.goaway(code, 5, Buffer.from(said));
  }

  close(): void {
    for (const session of this.#sessions) session.destroy();
    this.#server.close();
  }

  #serve(stream: http2.ServerHttp2Stream, headers: http2.IncomingHttpHeaders): void {
    const method = String(headers[':path']).slice(SERVICE.length);
    const call = this.calls.get(method) ?? 0;
    this.calls.set(method, call + 1);
    const timeout = String(headers['grpc-timeout']);
    this.timeouts.set(method, (this.timeouts.get(method) ?? new Set()).add(timeout));
    for (const [name, value] of Object.entries(headers)) {
      const values = this.headers.get(name) ?? new Set();
      this.headers.set(name, values.add(String(value)));
    }
    let request = Buffer.alloc(0);
    stream.on('error', () => {});
    stream.on('data', (chunk: Buffer) => {
      if (method === 'Telemetry') this.#telemetry(stream, chunk);
      else request = Buffer.concat([request, chunk]);
    });
    stream.on('end', () => {
      if (method !== 'Telemetry') this.#answer(stream, method, call, request.subarray(5));
    });
  }

  #telemetry(stream: http2.ServerHttp2Stream, chunk: Buffer): void {
    this.settings.push(chunk.subarray(5));
    this.#settingStreams.add(stream);
    if (!stream.headersSent) stream.respond({ ':status': 200, 'content-type': 'application/grpc' });
    stream.write(prefixed(status(OK)));
  }

  #answer(stream: http2.ServerHttp2Stream, method: string, call: number, request: Buffer): void {
    const answers = this.#answers(method, request);
    const reset = this.resetCode(method, call);
    if (reset !== undefined) {
      stream.close(reset);
      return;
    }
    if (answers === undefined) {
      stream.respond({ ':status': 200, 'grpc-status': '13', 'grpc-message': 'broken' }, { endStream: true });
      return;
    }
    stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
    stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
    stream.end(Buffer.concat(answers.map((answer) => prefixed(answer))));
  }

  /** Undefined = the call fails. */
  #answers(method: string, request: Buffer): Buffer[] | undefined {
    if (method === 'SendMessage') return this.#send(inside(request, 1));
    if (method === 'ReceiveMessage') return this.#receive(request);
    if (method === 'AckMessage') return [this.#acknowledge(request)];
    return [status(OK)];
  }

  #send(sent: Buffer): Buffer[] | undefined {
    const code = this.sendCode(this.sent.length);
    this.sent.push({ id: inside(sent, 3, 3).toString(), body: inside(sent, 4) });
    return code < 0 ? undefined : [message(status(code), field(2, status(code)))];
  }

  /** What the broker gives, as messages with receipt handles. */
  #receive(request: Buffer): Buffer[] {
    const fields = {
      consumerGroup: inside(request, 1, 2).toString(),
      topic: inside(request, 2, 1, 2).toString(),
      queueId: '-1',
      maxMsgNums: '32',
      invisibleTime: '60000',
      bname: inside(request, 2, 4, 1).toString(),
    };
    const reply = this.#broker.pops.pop(requestCommand(POP, fields), this.#broker.queues);
    if (reply === undefined) return [message(status(NOT_FOUND))];
    const { popTime = '', startOffsetInfo = '' } = reply.fields;
    const starts = new Map(
      startOffsetInfo.split(';').map((entry) => entry.split(' ').slice(1) as [string, string]),
    );
    const body = Buffer.from(reply.body ?? []);
    const messages: Buffer[] = [status(OK)];
    const reader = new RecordReader();
    for (let at = 0; at < body.length; at += reader.size) {
      reader.read(body, at, body.length);
      const { queueId, queueOffset, keyAt, keyLength } = reader;
      const start = starts.get(String(queueId));
      const handle = `${start} ${popTime} 60000 5 0 ${fields.bname} ${queueId} ${queueOffset}`;
      const system = message(
        field(3, body.subarray(keyAt, keyAt + keyLength)),
        field(12, handle),
        numberField(13, queueId),
        numberField(14, queueOffset),
        numberField(16, 1),
      );
      messages.push(
        field(2, message(field(1, field(2, 't')), field(3, system), field(4, Buffer.alloc(900)))),
      );
    }
    return [...messages, field(3, numberField(1, 1))];
  }

  #acknowledge(request: Buffer): Buffer {
    const extraInfo = inside(request, 3, 2).toString();
    const [queueId, offset] = extraInfo.split(' ').slice(-2) as [string, string];
    const consumerGroup = inside(request, 1, 2).toString();
    const fields = { consumerGroup, extraInfo, queueId, offset };
    const { code } = this.#broker.pops.acknowledge(requestCommand(ACK, fields));
    return message(status(code === 0 ? OK : 50_001));
  }
}
