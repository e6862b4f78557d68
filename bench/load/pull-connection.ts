/**
 * One consuming connection: requests of the control kind (heartbeat, offsets) and the lanes that are pulled over it.
 * Every message of a reply is handed over where it lies.
 */
import type { RemotingCommand } from '../../src/protocol/command.ts';
import { decodeCommand } from '../../src/protocol/command-codec.ts';
import { type Caller, Calls } from './calls.ts';
import { type Endpoint, FrameSocket, micros } from './frame-socket.ts';
import type { PullLane } from './pull-lane.ts';
import { RecordReader } from './record-reader.ts';
import { OPAQUE_BASE, OPAQUE_SPAN } from './send-template.ts';

export const SUCCESS = 0;
export const PULL_NOT_FOUND = 19;
const PULL_RETRY_IMMEDIATELY = 20;
const PULL_OFFSET_MOVED = 21;
/** After any other refusal, so that a broker that refuses is not asked in a hot loop. */
const RETRY_MILLIS = 100;

export interface PullEvents {
  /** A message of the lane, as `record` has just read it from `bytes`. */
  onMessage(lane: PullLane, bytes: Uint8Array, record: RecordReader, now: number): void;
  /** A pull was answered, after its messages. */
  onPull(lane: PullLane, code: number, messages: number, micros: number): void;
  /** So many places of the queue were left out or came out of order. */
  onGap(messages: number): void;
  onUnexpectedReply(): void;
  onFailure(error: Error): void;
}

export class PullConnection implements Caller {
  readonly lanes: PullLane[] = [];
  readonly #maxCount: number;
  readonly #events: PullEvents;
  readonly #socket: FrameSocket;
  readonly #reader = new RecordReader();
  readonly #calls: Calls;
  #running = false;

  constructor(maxCount: number, events: PullEvents) {
    this.#maxCount = maxCount;
    this.#events = events;
    this.#socket = new FrameSocket({
      onReply: (code, opaque, bodyBytes, bytes, start, end) => {
        if (!this.#calls.isControl(opaque)) this.#pulled(code, opaque, bytes, start, end - bodyBytes, end);
        else if (!this.#calls.take(bytes.subarray(start + 4, end))) events.onUnexpectedReply();
      },
      onRead: () => {},
      onFailure: (error) => events.onFailure(error),
    });
    this.#calls = new Calls((bytes) => this.#socket.write(bytes));
  }

  open(endpoint: Endpoint): Promise<void> {
    return this.#socket.open(endpoint);
  }

  /** Asks the broker something; never rejects, a connection that ends is heard of through `onFailure`. */
  call(command: RemotingCommand): Promise<RemotingCommand> {
    return this.#calls.call(command);
  }

  start(): void {
    this.#running = true;
    this.#socket.cork();
    for (const [index, lane] of this.lanes.entries()) this.#pull(lane, index);
    this.#socket.uncork();
  }

  /** No more pulls; those in flight may still be answered. */
  stop(): void {
    this.#running = false;
  }

  get inFlight(): number {
    return this.lanes.reduce((sum, { awaited }) => sum + (awaited === 0 ? 0 : 1), 0);
  }

  close(): void {
    this.stop();
    this.#socket.close();
  }

  #pull(lane: PullLane, index: number): void {
    if (!this.#running || lane.awaited !== 0 || lane.next >= lane.range.to) return;
    const span = Math.floor(OPAQUE_SPAN / this.lanes.length);
    lane.awaited = OPAQUE_BASE + (lane.pulls++ % span) * this.lanes.length + index;
    lane.since = micros();
    const count = Math.min(this.#maxCount, lane.range.to - lane.next);
    this.#socket.write(lane.frame.fill(lane.awaited, lane.next, count));
  }

  #pulled(code: number, opaque: number, bytes: Uint8Array, start: number, bodyAt: number, end: number): void {
    const index = (opaque - OPAQUE_BASE) % this.lanes.length;
    const lane = this.lanes[index];
    if (lane === undefined || lane.awaited !== opaque) {
      this.#events.onUnexpectedReply();
      return;
    }
    lane.awaited = 0;
    const { now } = this.#socket;
    let messages = 0;
    if (code === SUCCESS) messages = this.#messages(lane, bytes, bodyAt, end, now);
    else if (code === PULL_RETRY_IMMEDIATELY || code === PULL_OFFSET_MOVED) {
      lane.next = nextBeginOffset(bytes.subarray(start + 4, end));
    }
    this.#events.onPull(lane, code, messages, now - lane.since);
    const ask = (): void => this.#pull(lane, index);
    if (code === SUCCESS || code === PULL_NOT_FOUND) ask();
    else setTimeout(ask, RETRY_MILLIS);
  }

  #messages(lane: PullLane, bytes: Uint8Array, from: number, end: number, now: number): number {
    const reader = this.#reader;
    let count = 0;
    for (let at = from; at < end; at += reader.size) {
      reader.read(bytes, at, end);
      if (reader.queueOffset !== lane.next) this.#events.onGap(Math.abs(reader.queueOffset - lane.next));
      lane.next = reader.queueOffset + 1;
      this.#events.onMessage(lane, bytes, reader, now);
      count++;
    }
    return count;
  }
}

function nextBeginOffset(frame: Uint8Array): number {
  return Number(decodeCommand(frame).fields['nextBeginOffset'] ?? 0);
}
