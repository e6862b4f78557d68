/**
 * A broker of a few lines for tests of the generator: one array per queue, and faults on demand. It knows half messages
 * and their commits, delivers timed ones when they are due by its own reckoning, and passes replies on.
 */
import net from 'node:net';
import {
  isResponse,
  type RemotingCommand,
  requestCommand,
  responseTo,
} from '../../../src/protocol/command.ts';
import { decodeCommand, encodeCommand } from '../../../src/protocol/command-codec.ts';
import { cutFrames, FrameCutter } from '../../../src/protocol/frame-cutter.ts';
import { FakePops } from './fake-pops.ts';
import { recordOf, type Stored } from './stored.ts';

interface Half {
  request: RemotingCommand;
  ended: boolean;
}

interface Held {
  request: RemotingCommand;
  socket: net.Socket;
}

/** Number of the message in order of arrival; how often it is stored although it is acknowledged once. */
export type Copies = (message: number) => number;

export class FakeBroker {
  port = 0;
  /** What was stored, by topic and queue. */
  readonly queues = new Map<string, Stored[]>();
  /** How many milliseconds after its time a timed message is stored; negative = too early. */
  lateMillis = 0;
  readonly halves: Half[] = [];
  /** Bodies of the answers to administrators, by code of the request. */
  readonly told = new Map<number, () => unknown>();
  copies: Copies = () => 1;
  heartbeats = 0;
  /** Replies that came; how often one is passed on, by its number. */
  replies = 0;
  pushes: Copies = () => 1;
  readonly pops = new FakePops();
  readonly #producers = new Map<string, net.Socket>();
  /** Replies whose requester has not said that it has them, by the opaque of what was passed on. */
  readonly #pushed = new Map<number, Held>();
  #messages = 0;
  #held: Held[] = [];
  readonly #timers = new Set<NodeJS.Timeout>();
  readonly #sockets = new Set<net.Socket>();
  readonly #server = net.createServer((socket) => this.#serve(socket));

  async open(): Promise<this> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    this.port = (this.#server.address() as net.AddressInfo).port;
    return this;
  }

  close(): void {
    for (const timer of this.#timers) clearTimeout(timer);
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
        if (isResponse(request)) return this.#arrived(request);
        if (request.code === 325) return this.#passOn({ request, socket });
        if (request.code === 34) {
          this.#register(request, socket);
          this.heartbeats++;
          // as a real broker: it tells consumers of each other, by a request of its own
          socket.write(encodeCommand({ ...request, code: 40, opaque: 1, flag: 2, body: undefined }));
        }
        this.#answer({ request, socket });
      });
    });
  }

  #register(request: RemotingCommand, socket: net.Socket): void {
    const { clientID, producerDataSet, consumerDataSet } = JSON.parse(
      Buffer.from(request.body ?? []).toString(),
    );
    for (const { groupName } of consumerDataSet) this.pops.groups.add(groupName);
    if (producerDataSet.length > 0) this.#producers.set(clientID, socket);
  }

  #passOn(held: Held): void {
    const { fields, body } = held.request;
    const to = textOf(fields['i'] ?? '', 'REPLY_TO_CLIENT');
    const requester = this.#producers.get(to);
    if (requester === undefined) {
      held.socket.write(encodeCommand(responseTo(held.request, 1, `nobody is called ${to}`)));
      return;
    }
    const opaque = ++this.replies;
    this.#pushed.set(opaque, held);
    const push = { ...requestCommand(326, { properties: fields['i'] ?? '' }, body), opaque };
    for (let copy = 0; copy < this.pushes(opaque); copy++) requester.write(encodeCommand(push));
  }

  #arrived({ opaque, code }: RemotingCommand): void {
    const held = this.#pushed.get(opaque);
    this.#pushed.delete(opaque);
    if (held !== undefined) held.socket.write(encodeCommand(responseTo(held.request, code)));
  }

  #answer(held: Held): void {
    const { request, socket } = held;
    const reply = this.#reply(request);
    if (reply === undefined) this.#held.push(held);
    else socket.write(encodeCommand(reply));
    if (request.code === 310 || request.code === 320 || request.code === 37) this.#wake();
  }

  /** Pulls that are held look again. */
  #wake(): void {
    const waiting = this.#held;
    this.#held = [];
    for (const pull of waiting) this.#answer(pull);
  }

  /** Undefined = hold the pull or pop. */
  #reply(request: RemotingCommand): RemotingCommand | undefined {
    const { code, fields } = request;
    const told = this.told.get(code);
    if (told !== undefined)
      return responseTo(request, 0, undefined, undefined, Buffer.from(JSON.stringify(told())));
    if (code === 310 && fields['i']?.includes('TRAN_MSG\x01true') === true) return this.#half(request);
    if (code === 310) return this.#store(request, [fields['i'] as string]);
    if (code === 37) return this.#end(request);
    if (code === 200050) return this.pops.pop(request, this.queues);
    if (code === 200051) return this.pops.acknowledge(request);
    if (code === 320) return this.#store(request, batchProperties(Buffer.from(request.body as Uint8Array)));
    const queue = this.queues.get(`${fields['topic']}/${fields['queueId']}`) ?? [];
    if (code === 30) return responseTo(request, 0, undefined, { offset: String(queue.length) });
    if (code === 31) return responseTo(request, 0, undefined, { offset: '0' });
    if (code !== 11) return responseTo(request, 0);
    const from = Number(fields['queueOffset']);
    if (from >= queue.length) return undefined;
    const found = queue.slice(from, from + Number(fields['maxMsgNums']));
    const records = found.map((stored, index) => recordOf(stored, from + index));
    return responseTo(request, 0, 'FOUND', { nextBeginOffset: '0' }, Buffer.concat(records));
  }

  #half(request: RemotingCommand): RemotingCommand {
    const place = this.halves.push({ request, ended: false }) - 1;
    const msgId = `7F00000100002A9F${(place * HALF_BYTES).toString(16).toUpperCase().padStart(16, '0')}`;
    return responseTo(request, 0, undefined, { msgId, queueId: '0', queueOffset: String(place) });
  }

  /** A commit must name the half by both offsets, its group and its key, as a real broker has it. */
  #end(request: RemotingCommand): RemotingCommand {
    const { fields } = request;
    const half = this.halves[Number(fields['tranStateTableOffset'])];
    const sent = half?.request.fields;
    const isRight =
      half?.ended === false &&
      Number(fields['commitLogOffset']) === Number(fields['tranStateTableOffset']) * HALF_BYTES &&
      fields['commitOrRollback'] === '8' &&
      sent?.['i']?.includes(`PGROUP\x01${fields['producerGroup']}\x02`) === true &&
      sent['i'].includes(`UNIQ_KEY\x01${fields['transactionId']}\x02`);
    if (!isRight) return responseTo(request, 1, 'no such half message');
    half.ended = true;
    const stored = this.#store(half.request, [half.request.fields['i'] as string]);
    return { ...responseTo(request, stored.code), opaque: request.opaque };
  }

  #store(request: RemotingCommand, messages: string[]): RemotingCommand {
    const name = `${request.fields['b']}/${request.fields['e']}`;
    const queue = this.queues.get(name) ?? [];
    this.queues.set(name, queue);
    const bornMillis = Number(request.fields['g']);
    for (const properties of messages) {
      const copies = this.copies(this.#messages++);
      const due = dueOf(properties);
      const put = (storeMillis: number): void => {
        for (let copy = 0; copy < copies; copy++) queue.push({ properties, bornMillis, storeMillis });
      };
      if (due === 0) put(Date.now());
      else this.#later(due + this.lateMillis, put);
    }
    return responseTo(request, 0);
  }

  /** The clock of a timer may be a millisecond behind that of `Date`: what is stored says when it should have been. */
  #later(millis: number, put: (millis: number) => void): void {
    const timer = setTimeout(
      () => {
        put(Math.max(millis, this.lateMillis < 0 ? 0 : Date.now()));
        this.#timers.delete(timer);
        this.#wake();
      },
      Math.max(0, millis - Date.now()),
    );
    this.#timers.add(timer);
  }
}

/** What a half message takes of the log, seen from its offsets. */
const HALF_BYTES = 1000;

function textOf(properties: string, name: string): string {
  const value = properties.split('\x02').find((pair) => pair.startsWith(`${name}\x01`));
  return value === undefined ? '' : value.slice(name.length + 1);
}

function propertyOf(properties: string, name: string): number {
  return Number(textOf(properties, name));
}

function dueOf(properties: string): number {
  const deliver = propertyOf(properties, 'TIMER_DELIVER_MS');
  const delay = propertyOf(properties, 'TIMER_DELAY_MS') + propertyOf(properties, 'DELAY') * 1000;
  return deliver > 0 ? deliver : delay > 0 ? Date.now() + delay : 0;
}

function batchProperties(body: Buffer): string[] {
  const found: string[] = [];
  for (let at = 0; at < body.length; at += body.readInt32BE(at)) {
    found.push(body.toString('latin1', at + 22 + body.readInt32BE(at + 16), at + body.readInt32BE(at)));
  }
  return found;
}
