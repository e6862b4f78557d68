/**
 * One consumer that pops, as the Java push consumer does: one pop under way, each message acknowledged when it came, and
 * no further pop while too many acknowledgements wait for their answers.
 */
import type { RemotingCommand } from '../../src/protocol/command.ts';
import { type Caller, Calls } from './calls.ts';
import { sendHeartbeat } from './consumer-calls.ts';
import { type Endpoint, FrameSocket, micros } from './frame-socket.ts';
import {
  AckFrames,
  POP_OPAQUE_BASE,
  POP_OPAQUE_SPAN,
  PopFrame,
  type PopPlace,
  type PopShape,
} from './pop-frames.ts';
import { popPlaces } from './pop-reply.ts';
import { type Popper, type PopperEvents, UNACKNOWLEDGED_MAX } from './popper.ts';
import { RecordReader } from './record-reader.ts';
import { RequestWindow } from './window.ts';

const SUCCESS = 0;
/** Length of the frame, length of the header. */
const PREFIX_BYTES = 8;
const PULL_NOT_FOUND = 19;
const POLLING_TIMEOUT = 210;
/** After a refusal, so that a broker that refuses is not asked in a hot loop. */
const RETRY_MILLIS = 100;

/** Whether a pop that found nothing was answered so. */
function foundNothing(code: number): boolean {
  return code === POLLING_TIMEOUT || code === PULL_NOT_FOUND;
}

function headerOf(bytes: Uint8Array, start: number, bodyAt: number): string {
  return Buffer.from(
    bytes.buffer,
    bytes.byteOffset + start + PREFIX_BYTES,
    bodyAt - start - PREFIX_BYTES,
  ).toString('latin1');
}

export class PopConnection implements Caller, Popper {
  readonly #events: PopperEvents;
  readonly #clientId: string;
  readonly #subVersion = Date.now();
  readonly #socket: FrameSocket;
  readonly #calls: Calls;
  readonly #reader = new RecordReader();
  /** Acknowledgements that wait for their answers. */
  readonly #window: RequestWindow;
  /** Pops of groups that this consumer has left, which the broker may still hold. */
  readonly #left = new Set<number>();
  #pop: PopFrame | undefined;
  #acks: AckFrames | undefined;
  #pops = 0;
  /** Opaque of the pop under way; 0 = none. */
  #awaited = 0;
  #since = 0;
  #running = false;
  /** It has been refused and waits a little. */
  #resting = false;

  constructor(clientId: string, batch: number, events: PopperEvents) {
    this.#clientId = clientId;
    this.#events = events;
    this.#window = new RequestWindow(UNACKNOWLEDGED_MAX + batch);
    this.#socket = new FrameSocket({
      onReply: (code, opaque, bodyBytes, bytes, start, end) => {
        if (opaque >= POP_OPAQUE_BASE) this.#popped(code, opaque, bytes, start, end - bodyBytes, end);
        else if (!this.#calls.isControl(opaque)) this.#acknowledged(code, opaque);
        else if (!this.#calls.take(bytes.subarray(start + 4, end))) events.onUnexpectedReply();
      },
      onRead: () => this.#write(),
      onFailure: (error) => events.onFailure(error),
    });
    this.#calls = new Calls((bytes) => this.#socket.write(bytes));
  }

  open(endpoint: Endpoint): Promise<void> {
    return this.#socket.open(endpoint);
  }

  call(command: RemotingCommand): Promise<RemotingCommand> {
    return this.#calls.call(command);
  }

  join(group: string, topic: string): Promise<void> {
    const membership = { clientId: this.#clientId, group, topics: [topic], subVersion: this.#subVersion };
    return sendHeartbeat(this, membership);
  }

  start(shape: PopShape): void {
    this.#pop = new PopFrame(shape);
    this.#acks = new AckFrames(shape);
    this.#running = true;
    this.#write();
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
    return this.#window.inFlight + (this.#awaited === 0 ? 0 : 1);
  }

  close(): void {
    this.stop();
    this.#socket.close();
  }

  /** The acknowledgements that have gathered, and the next pop. */
  #write(): void {
    const acks = this.#acks?.take();
    const pops = this.#mayPop();
    if (acks !== undefined && pops) this.#socket.cork();
    if (acks !== undefined) this.#socket.write(acks);
    if (!pops) return;
    this.#awaited = POP_OPAQUE_BASE + (this.#pops++ % POP_OPAQUE_SPAN);
    this.#since = micros();
    this.#socket.write((this.#pop as PopFrame).fill(this.#awaited, Date.now()));
    if (acks !== undefined) this.#socket.uncork();
  }

  #mayPop(): boolean {
    const isIdle = this.#running && !this.#resting && this.#awaited === 0;
    return isIdle && this.#window.inFlight <= UNACKNOWLEDGED_MAX;
  }

  #popped(code: number, opaque: number, bytes: Uint8Array, start: number, bodyAt: number, end: number): void {
    if (opaque !== this.#awaited) {
      // one that was held for a group of before comes back empty, or it is nobody's
      if (!this.#left.delete(opaque) || code === SUCCESS) this.#events.onUnexpectedReply();
      return;
    }
    this.#awaited = 0;
    if (code === SUCCESS) this.#messages(popPlaces(headerOf(bytes, start, bodyAt)), bytes, bodyAt, end);
    if (foundNothing(code)) return;
    this.#events.onPop(code, this.#socket.now - this.#since);
    if (code === SUCCESS) return;
    this.#resting = true;
    setTimeout(() => {
      this.#resting = false;
      this.#write();
    }, RETRY_MILLIS);
  }

  #messages(places: Map<number, PopPlace>, bytes: Uint8Array, from: number, end: number): void {
    const reader = this.#reader;
    const acks = this.#acks as AckFrames;
    let queueId = -1;
    for (let at = from; at < end; at += reader.size) {
      reader.read(bytes, at, end);
      this.#events.onMessage(bytes, reader);
      // given again, which counts as a second copy: its place is another one than this consumer would name
      if (reader.reconsumeTimes > 0) continue;
      if (reader.queueId !== queueId) {
        queueId = reader.queueId;
        const place = places.get(queueId);
        if (place === undefined) throw new Error(`an answer to a pop without the start of queue ${queueId}`);
        acks.begin(place);
      }
      acks.add(this.#window.open(this.#socket.now), reader.queueOffset);
    }
  }

  #acknowledged(code: number, opaque: number): void {
    const since = this.#window.close(opaque);
    if (since < 0) this.#events.onUnexpectedReply();
    else this.#events.onAck(code, this.#socket.now - since);
  }
}
