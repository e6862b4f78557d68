/**
 * One simple consumer of the proxy, driven like a consumer that pops: one receive under way, each message acknowledged by
 * a call of its own, and no further receive while too many acknowledgements wait for their answers.
 */
import { type Endpoint, micros } from '../frame-socket.ts';
import type { PopShape } from '../pop-frames.ts';
import type { Popper, PopperEvents } from '../popper.ts';
import { NO_ANSWER, UNACKNOWLEDGED_MAX } from '../popper.ts';
import { ProtoCursor } from './protobuf.ts';
import { ProxyLink } from './proxy-link.ts';
import {
  ackGroup,
  ackRequest,
  consumerHeartbeat,
  consumerSettings,
  MESSAGE_NOT_FOUND,
  OK,
  ReceivedMessage,
  receiveRequest,
  statusCode,
} from './proxy-messages.ts';
import type { Resets } from './resets.ts';

/** After a refusal, so that a proxy that refuses is not asked in a hot loop. */
const RETRY_MILLIS = 100;

interface Acknowledgement {
  since: number;
  code: number;
}

export class ProxyConsumer implements Popper {
  readonly #events: PopperEvents;
  readonly #resets: Resets;
  readonly #link: ProxyLink;
  readonly #cursor = new ProtoCursor();
  readonly #message = new ReceivedMessage();
  /** By stream. */
  readonly #acknowledgements = new Map<number, Acknowledgement>();
  /** Receives of groups that this consumer has left. */
  readonly #left = new Set<number>();
  #receiveRequest: Uint8Array = new Uint8Array();
  #ackGroup: [Buffer, Buffer] = [Buffer.alloc(0), Buffer.alloc(0)];
  #receiveBlock: Buffer = Buffer.alloc(0);
  #ackBlock: Buffer = Buffer.alloc(0);
  /** Stream of the receive under way; 0 = none. */
  #awaited = 0;
  #since = 0;
  #code = NO_ANSWER;
  #running = false;
  #resting = false;

  constructor(clientId: string, resets: Resets, events: PopperEvents) {
    this.#events = events;
    this.#resets = resets;
    this.#link = new ProxyLink(clientId, {
      onMessage: (stream, bytes, start, end) => this.#arrived(stream, bytes, start, end),
      onEnd: (stream) => this.#ended(stream),
      onReset: (stream, code) => this.#reset(stream, code),
      onRead: () => this.#receive(),
      onFailure: (error) => events.onFailure(error),
    });
  }

  open({ host, port }: Endpoint): Promise<void> {
    return this.#link.connection.open(host, port);
  }

  join(group: string, topic: string): Promise<void> {
    return this.#link.introduce(consumerSettings(group, topic), consumerHeartbeat(group));
  }

  start({ group, topic, brokerName, batch }: PopShape): void {
    const { connection } = this.#link;
    this.#receiveRequest = receiveRequest(group, topic, brokerName, batch);
    this.#ackGroup = ackGroup(group, topic);
    this.#receiveBlock = connection.block('ReceiveMessage');
    this.#ackBlock = connection.block('AckMessage');
    this.#running = true;
    this.#receive();
    connection.flush();
  }

  stop(): void {
    this.#running = false;
  }

  leave(): void {
    this.stop();
    if (this.#awaited !== 0) this.#left.add(this.#awaited);
    this.#awaited = 0;
  }

  get inFlight(): number {
    return this.#acknowledgements.size + (this.#awaited === 0 ? 0 : 1);
  }

  close(): void {
    this.stop();
    this.#link.close();
  }

  /** Goes out with the acknowledgements of what was just read. */
  #receive(): void {
    const isIdle = this.#running && !this.#resting && this.#awaited === 0;
    if (!isIdle || this.#acknowledgements.size > UNACKNOWLEDGED_MAX) return;
    this.#since = micros();
    this.#code = NO_ANSWER;
    this.#awaited = this.#link.connection.call(this.#receiveBlock, this.#receiveRequest);
  }

  #arrived(stream: number, bytes: Uint8Array, start: number, end: number): void {
    const acknowledgement = this.#acknowledgements.get(stream);
    if (acknowledgement !== undefined) {
      acknowledgement.code = statusCode(this.#cursor, bytes, start, end);
    } else if (stream === this.#awaited) this.#received(bytes, start, end);
    else if (!this.#left.has(stream)) this.#events.onUnexpectedReply();
  }

  /** A part of the answer to a receive: its status, a message, or when it was delivered. */
  #received(bytes: Uint8Array, start: number, end: number): void {
    const cursor = this.#cursor.begin(bytes, start, end);
    if (!cursor.next()) return;
    if (cursor.field === 1) this.#code = statusCode(cursor, bytes, start, end);
    if (cursor.field !== 2 || this.#code !== OK) return;
    const message = this.#message;
    message.read(cursor, bytes, cursor.start, cursor.end);
    const reconsumeTimes = message.attempt - 1;
    const { queueId, queueOffset, keyAt, keyLength, handleAt, handleLength } = message;
    this.#events.onMessage(bytes, { queueId, queueOffset, reconsumeTimes, keyAt, keyLength });
    const id = bytes.subarray(keyAt, keyAt + keyLength);
    const handle = bytes.subarray(handleAt, handleAt + handleLength);
    const request = ackRequest(...this.#ackGroup, id, handle);
    const ack = this.#link.connection.call(this.#ackBlock, request);
    this.#acknowledgements.set(ack, { since: this.#link.connection.now, code: NO_ANSWER });
  }

  /** The call has failed, whatever has come of its answer; messages of a receive that have come are good. */
  #reset(stream: number, code: number): void {
    const acknowledgement = this.#acknowledgements.get(stream);
    if (acknowledgement !== undefined) {
      acknowledgement.code = NO_ANSWER;
      this.#resets.note('AckMessage', stream, code);
    } else if (stream === this.#awaited) {
      this.#code = NO_ANSWER;
      this.#resets.note('ReceiveMessage', stream, code);
    }
    this.#ended(stream);
  }

  #ended(stream: number): void {
    const { now } = this.#link.connection;
    const acknowledgement = this.#acknowledgements.get(stream);
    if (acknowledgement !== undefined) {
      this.#acknowledgements.delete(stream);
      const { code, since } = acknowledgement;
      this.#events.onAck(code === OK ? 0 : code, now - since);
    } else if (stream === this.#awaited) {
      this.#awaited = 0;
      this.#popped(this.#code, now - this.#since);
    } else if (!this.#left.delete(stream)) this.#events.onUnexpectedReply();
  }

  #popped(code: number, latency: number): void {
    if (code === MESSAGE_NOT_FOUND) return;
    this.#events.onPop(code === OK ? 0 : code, latency);
    if (code === OK) return;
    this.#resting = true;
    setTimeout(() => {
      this.#resting = false;
      this.#receive();
      this.#link.connection.flush();
    }, RETRY_MILLIS);
  }
}
