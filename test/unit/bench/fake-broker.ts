/** A broker of a few lines for tests of the generator: one array per queue, and faults on demand. */
import net from 'node:net';
import { type RemotingCommand, responseTo } from '../../../src/protocol/command.ts';
import { decodeCommand, encodeCommand } from '../../../src/protocol/command-codec.ts';
import { cutFrames, FrameCutter } from '../../../src/protocol/frame-cutter.ts';
import { encodeRecord } from '../../../src/record/encode.ts';
import type { HostAddress } from '../../../src/record/message-id.ts';

const HOST: HostAddress = { address: Uint8Array.of(127, 0, 0, 1), port: 1 };
const HEAD = {
  queueId: 0,
  flag: 0,
  sysFlag: 0,
  bornTimestamp: 0,
  bornHost: HOST,
  storeHost: HOST,
  reconsumeTimes: 0,
  preparedTransactionOffset: 0,
};

interface Held {
  request: RemotingCommand;
  socket: net.Socket;
}

/** Number of the message in order of arrival; how often it is stored although it is acknowledged once. */
export type Copies = (message: number) => number;

export class FakeBroker {
  port = 0;
  /** Stored properties by topic and queue. */
  readonly queues = new Map<string, string[]>();
  copies: Copies = () => 1;
  heartbeats = 0;
  #messages = 0;
  #held: Held[] = [];
  readonly #sockets = new Set<net.Socket>();
  readonly #server = net.createServer((socket) => this.#serve(socket));

  async open(): Promise<this> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    this.port = (this.#server.address() as net.AddressInfo).port;
    return this;
  }

  close(): void {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
  }

  get stored(): number {
    return [...this.queues.values()].reduce((sum, { length }) => sum + length, 0);
  }

  #serve(socket: net.Socket): void {
    const cutter = new FrameCutter();
    this.#sockets.add(socket);
    socket.on('error', () => {});
    socket.on('data', (chunk) => {
      cutFrames(cutter, chunk, (frame) => {
        const request = decodeCommand(frame);
        if (request.code === 34) {
          this.heartbeats++;
          // as a real broker: it tells consumers of each other, by a request of its own
          socket.write(encodeCommand({ ...request, code: 40, opaque: 1, flag: 2, body: undefined }));
        }
        this.#answer({ request, socket });
      });
    });
  }

  #answer(held: Held): void {
    const { request, socket } = held;
    const reply = this.#reply(request);
    if (reply === undefined) this.#held.push(held);
    else socket.write(encodeCommand(reply));
    if (request.code !== 310 && request.code !== 320) return;
    const waiting = this.#held;
    this.#held = [];
    for (const pull of waiting) this.#answer(pull);
  }

  /** Undefined = hold the pull. */
  #reply(request: RemotingCommand): RemotingCommand | undefined {
    const { code, fields } = request;
    if (code === 310) return this.#store(request, [fields['i'] as string]);
    if (code === 320) return this.#store(request, batchProperties(Buffer.from(request.body as Uint8Array)));
    const queue = this.queues.get(`${fields['topic']}/${fields['queueId']}`) ?? [];
    if (code === 30) return responseTo(request, 0, undefined, { offset: String(queue.length) });
    if (code === 31) return responseTo(request, 0, undefined, { offset: '0' });
    if (code !== 11) return responseTo(request, 0);
    const from = Number(fields['queueOffset']);
    if (from >= queue.length) return undefined;
    const found = queue.slice(from, from + Number(fields['maxMsgNums']));
    const records = found.map((properties, index) => recordOf(properties, from + index));
    return responseTo(request, 0, 'FOUND', { nextBeginOffset: '0' }, Buffer.concat(records));
  }

  #store(request: RemotingCommand, messages: string[]): RemotingCommand {
    const name = `${request.fields['b']}/${request.fields['e']}`;
    const queue = this.queues.get(name) ?? [];
    this.queues.set(name, queue);
    for (const properties of messages) {
      const copies = this.copies(this.#messages++);
      for (let copy = 0; copy < copies; copy++) queue.push(properties);
    }
    return responseTo(request, 0);
  }
}

function recordOf(properties: string, offset: number): Buffer {
  const text = (value: string): Buffer => Buffer.from(value, 'latin1');
  const record = Buffer.from(encodeRecord(HEAD, text('t'), text('body'), text(properties)));
  record.writeBigInt64BE(BigInt(offset), 20);
  return record;
}

function batchProperties(body: Buffer): string[] {
  const found: string[] = [];
  for (let at = 0; at < body.length; at += body.readInt32BE(at)) {
    found.push(body.toString('latin1', at + 22 + body.readInt32BE(at + 16), at + body.readInt32BE(at)));
  }
  return found;
}
