/**
 * Control's end of the links with the network threads. Requests come up and go to their handlers; replies and deltas
 * go down.
 *
 * A reply leaves only after every network thread has applied the deltas that came before it: a client that heartbeats
 * and then pulls, on whatever connection, must not meet a thread that does not know it yet. The link of the reply's own
 * thread is ordered anyway; the other threads' versions are waited for.
 *
 * Control takes requests while it can carry what they lead to. When answers, its own messages or requests under way
 * pile up it leaves them in the ring, and the network thread stops reading who sends them.
 */
import { copied } from '../../lib/copied.ts';
import { Fifo } from '../../lib/fifo.ts';
import {
  limitRemark,
  MAX_CHANNEL_BACKLOG_BYTES,
  MAX_CONTROL_REQUESTS,
  MAX_CONTROL_REQUESTS_PER_CONNECTION,
} from '../../lib/limits.ts';
import type { ControlLog } from '../../lib/log.ts';
import { OTHER_CODE } from '../../protocol/call-kinds.ts';
import { ResponseCode } from '../../protocol/codes.ts';
import { isOneway, isResponse, type RemotingCommand, responseTo } from '../../protocol/command.ts';
import { decodeCommand, encodeAnswer, encodeCommand } from '../../protocol/command-codec.ts';
import type { ControlHandler, Reply } from '../../remoting/connection.ts';
import { ChannelReceiver, ChannelSender } from '../../ring/channel.ts';
import {
  FRAME_CAME,
  FRAME_HEADER,
  LINK_CLOSE,
  LINK_CLOSED,
  LINK_COLD_READ,
  LINK_DELTA,
  LINK_ENSURE,
  LINK_FRAME,
  LINK_GIVEN,
  LINK_HEADER,
  LINK_IDENTIFIED,
  LINK_OPENED,
  LINK_PROGRESS,
  LINK_RESET_TAKEN,
  LINK_SEND,
  LINK_SUBSCRIPTION,
  PROGRESS_COMMIT,
  PROGRESS_GROUP,
  PROGRESS_PULL,
  PROGRESS_QUEUE,
} from '../../ring/link-records.ts';
import { wakerOf } from '../../ring/wake.ts';
import type { ColdRead } from '../cold/cold-reads.ts';
import type { ControlCalls } from '../stats/control-calls.ts';
import type { Given } from '../stats/given.ts';
import { unsupportedRemark } from '../unsupported-requests.ts';
import type { Delta, EnsureGroup, EnsureTopic, PulledSubscription } from '../view/deltas.ts';
import type { LinkShape } from './link-shape.ts';
import { RemoteConnection } from './remote-connection.ts';

/**
 * One round of requests, each link with its part of it; then timers, sockets and whoever else waits in this thread get
 * their turn.
 */
const ROUND_MS = 10;
/** What an answer that is held back costs beside its bytes, roughly. */
const HELD_BYTES = 256;

export interface LinkEvents {
  handlers: ReadonlyMap<number, ControlHandler>;
  closed: (connection: RemoteConnection) => void;
  progress: (group: number, queue: number, commitOffset: number, pullOffset: number) => void;
  ensure: (what: EnsureTopic | EnsureGroup, reply: (delta: Delta) => void) => void;
  subscription: (subscription: PulledSubscription) => void;
  resetTaken: (group: string, topic: string, queueId: number) => void;
  coldRead: (read: ColdRead) => void;
  given: (given: readonly Given[]) => void;
  calls: Pick<ControlCalls, 'done'>;
  /** Whether control's own messages leave room for what requests lead to. */
  mayTake: () => boolean;
  /** Ms of the monotonic clock. */
  now: () => number;
  log: ControlLog;
}

/** The link with one network thread. */
class Link {
  readonly thread: number;
  readonly up: ChannelReceiver;
  readonly down: ChannelSender;
  readonly connections = new Map<number, RemoteConnection>();
  readonly #posted: () => void;

  /** `posted`: something was said that is to be published. */
  constructor(shape: LinkShape, posted: () => void) {
    this.thread = shape.index;
    this.#posted = posted;
    const wake = wakerOf(
      shape.broker.wakes.network[shape.index] as NonNullable<(typeof shape.broker.wakes.network)[0]>,
    );
    this.up = ChannelReceiver.join(shape.linkUp, wake);
    this.down = ChannelSender.join(shape.linkDown, wake, MAX_CHANNEL_BACKLOG_BYTES);
  }

  /** The connection if it is still this one; news of no connection has slot and generation 0, which none has. */
  find(slot: number, generation: number): RemoteConnection | undefined {
    const connection = this.connections.get(slot);
    return connection?.generation === generation ? connection : undefined;
  }

  send(slot: number, generation: number, command: RemotingCommand): void {
    this.post(LINK_SEND, slot, generation, encode(command));
  }

  close(slot: number, generation: number): void {
    this.post(LINK_CLOSE, slot, generation, new Uint8Array(0));
  }

  post(type: number, slot: number, generation: number, payload: Uint8Array): void {
    this.down.post(type, LINK_HEADER + payload.length, (bytes, view, at) => {
      view.setInt32(at, slot, true);
      view.setInt32(at + 4, generation, true);
      bytes.set(payload, at + LINK_HEADER);
    });
    this.#posted();
  }
}

function encode(command: RemotingCommand): Uint8Array {
  return isResponse(command) ? encodeAnswer(command) : encodeCommand(command);
}

/** A request, and when it came: ms of the monotonic clock. */
interface Call {
  readonly connection: RemoteConnection;
  readonly request: RemotingCommand;
  readonly came: number;
}

/** An answer that waits until all threads have applied a version. */
interface Held {
  version: number;
  link: Link;
  slot: number;
  generation: number;
  frame: Uint8Array;
}

export class LinkServer {
  readonly #links: Link[];
  readonly #events: LinkEvents;
  readonly #applied: Int32Array;
  #version = 0;
  readonly #held = new Fifo<Held>();
  #heldBytes = 0;
  /** Requests that are answered later. */
  #underWay = 0;
  #nextRound: NodeJS.Immediate | undefined;
  #ended = false;
  /** A turn that ends with a flush is under way, or one is to come. */
  #flushes = false;

  constructor(shapes: readonly LinkShape[], events: LinkEvents) {
    this.#links = shapes.map((shape) => new Link(shape, () => this.#flushSoon()));
    this.#applied = new Int32Array(shapes[0]?.versions ?? new SharedArrayBuffer(4));
    this.#events = events;
  }

  /** Connections of clients. */
  get connected(): number {
    return this.#links.reduce((sum, { connections }) => sum + connections.size, 0);
  }

  /** Tells all network threads of a change. Throws a RangeError, and tells none, when it is too long to be told. */
  publish(delta: Delta): void {
    const version = (this.#version + 1) | 0;
    const payload = Buffer.from(JSON.stringify(delta));
    for (const link of this.#links) link.post(LINK_DELTA, 0, version, payload);
    this.#version = version;
  }

  /** Resolves when all network threads have applied everything published so far; rejects when this ends before. */
  async applied(): Promise<void> {
    const version = this.#version;
    while (!this.#allApplied(version)) {
      if (this.#ended) throw new Error('the broker has ended');
      this.flush();
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
  }

  /** Nothing more is taken, and nobody waits any more for threads that may have gone. */
  end(): void {
    this.#ended = true;
    clearImmediate(this.#nextRound);
  }

  /** Takes what came up, as far as it can be carried, and sends what is due. To be called when the bell rings. */
  drain(): void {
    this.flush();
    // A round that is to come takes them: two in one turn of the loop would be a turn of twice the length.
    if (this.#nextRound !== undefined) return;
    this.#flushes = true;
    for (const link of this.#links) this.#drainLink(link);
    this.flush();
  }

  /** The first link may have enough for ten rounds: each has a time of its own. */
  #drainLink(link: Link): void {
    const until = this.#events.now() + ROUND_MS / this.#links.length;
    while (this.#mayTake && link.up.next()) {
      this.#guarded(link);
      if (this.#events.now() < until) continue;
      this.#goOnLater();
      break;
    }
    link.up.release();
  }

  /** Ends a turn of control: everything said so far becomes visible to the network threads. */
  flush(): void {
    this.#flushes = true;
    this.#releaseHeld();
    for (const link of this.#links) link.down.publish();
    this.#flushes = false;
  }

  /** For what is said outside of such a turn: by a timer, or when a promise is kept. */
  #flushSoon(): void {
    if (this.#flushes) return;
    this.#flushes = true;
    setImmediate(() => this.flush());
  }

  /** After false, whatever makes room rings control's bell. */
  get #mayTake(): boolean {
    return !this.#ended && this.#underWay < MAX_CONTROL_REQUESTS && this.#events.mayTake() && this.mayAnswer;
  }

  /** Whether more answers can be carried. */
  get mayAnswer(): boolean {
    return this.#heldBytes <= MAX_CHANNEL_BACKLOG_BYTES && !this.#links.some((link) => link.down.overfull);
  }

  #goOnLater(): void {
    if (this.#nextRound !== undefined) return;
    this.#nextRound = setImmediate(() => {
      this.#nextRound = undefined;
      this.drain();
    });
  }

  /** Whatever a record leads to ends here: at worst with its connection. */
  #guarded(link: Link): void {
    try {
      this.#take(link);
    } catch (error) {
      const { type, view, offset } = link.up;
      const connection = link.find(view.getInt32(offset, true), view.getInt32(offset + 4, true));
      this.#events.log.error(
        { err: error, record: type, client: connection?.remoteAddress },
        connection === undefined
          ? 'what a network thread told failed in an unexpected way'
          : 'a request failed in an unexpected way: its connection is closed',
      );
      connection?.close();
    }
  }

  #take(link: Link): void {
    const { up } = link;
    const { view, offset, length, type } = up;
    const slot = view.getInt32(offset, true);
    const generation = view.getInt32(offset + 4, true);
    const payload = (header = LINK_HEADER) => copied(up.bytes, offset + header, offset + length);
    switch (type) {
      case LINK_OPENED: {
        const address = Buffer.from(payload()).toString();
        link.connections.set(slot, new RemoteConnection(link.thread, slot, generation, address, link));
        break;
      }
      case LINK_FRAME:
        this.#frame(
          link,
          slot,
          generation,
          payload(FRAME_HEADER),
          view.getFloat64(offset + FRAME_CAME, true),
        );
        break;
      case LINK_IDENTIFIED:
        link.find(slot, generation)?.identified(Buffer.from(payload()).toString());
        break;
      case LINK_CLOSED:
        this.#closed(link, slot, generation);
        break;
      case LINK_PROGRESS:
        this.#events.progress(
          view.getInt32(offset + PROGRESS_GROUP, true),
          view.getInt32(offset + PROGRESS_QUEUE, true),
          view.getFloat64(offset + PROGRESS_COMMIT, true),
          view.getFloat64(offset + PROGRESS_PULL, true),
        );
        break;
      default:
        this.#note(link, type, JSON.parse(Buffer.from(payload()).toString()));
    }
  }

  #note(link: Link, type: number, note: unknown): void {
    if (type === LINK_ENSURE) {
      // Only the thread that asked waits for the answer.
      this.#events.ensure(note as EnsureTopic | EnsureGroup, (delta) => {
        link.post(LINK_DELTA, 0, this.#version, Buffer.from(JSON.stringify(delta)));
        this.flush();
      });
    } else if (type === LINK_SUBSCRIPTION) {
      this.#events.subscription(note as PulledSubscription);
    } else if (type === LINK_COLD_READ) {
      this.#events.coldRead(note as ColdRead);
    } else if (type === LINK_GIVEN) {
      this.#events.given(note as Given[]);
    } else if (type === LINK_RESET_TAKEN) {
      const { group, topic, queueId } = note as { group: string; topic: string; queueId: number };
      this.#events.resetTaken(group, topic, queueId);
    }
  }

  #closed(link: Link, slot: number, generation: number): void {
    const connection = link.find(slot, generation);
    if (connection === undefined) return;
    link.connections.delete(slot);
    connection.ended();
    this.#events.closed(connection);
  }

  #frame(link: Link, slot: number, generation: number, frame: Uint8Array, came: number): void {
    const connection = link.find(slot, generation);
    if (connection === undefined) return;
    let request: RemotingCommand;
    try {
      request = decodeCommand(frame);
    } catch (error) {
      const reason = (error as Error).message;
      this.#events.log.warn(
        { reason, client: connection.remoteAddress },
        'a frame cannot be read: its connection is closed',
      );
      connection.close();
      return;
    }
    if (isResponse(request)) connection.answered(request);
    else this.#handle(link, { connection, request, came });
  }

  #handle(link: Link, call: Call): void {
    const { connection, request } = call;
    const handler = this.#events.handlers.get(request.code);
    if (handler === undefined) {
      const remark = unsupportedRemark(request.code);
      this.#refuse(link, call, ResponseCode.REQUEST_CODE_NOT_SUPPORTED, remark);
      return;
    }
    if (connection.underWay >= MAX_CONTROL_REQUESTS_PER_CONNECTION) {
      const what = 'requests of this connection that are not answered yet';
      const remark = limitRemark(
        what,
        MAX_CONTROL_REQUESTS_PER_CONNECTION,
        'MAX_CONTROL_REQUESTS_PER_CONNECTION',
      );
      this.#refuse(link, call, ResponseCode.SYSTEM_BUSY, remark);
      return;
    }
    const reply = handler(request, connection);
    if (reply instanceof Promise) this.#answerLater(link, call, reply);
    else if (reply !== undefined) this.#reply(link, call, reply);
  }

  #refuse(link: Link, call: Call, code: number, remark: string): void {
    this.#reply(link, call, responseTo(call.request, code, remark));
  }

  #answerLater(link: Link, call: Call, reply: Promise<Reply>): void {
    const { connection } = call;
    connection.underWay++;
    this.#underWay++;
    void reply
      .then((late) => {
        if (late !== undefined) this.#reply(link, call, late);
      })
      .catch((error) => {
        this.#events.log.error(
          { err: error, client: connection.remoteAddress },
          'a request could not be answered: its connection is closed',
        );
        connection.close();
      })
      .finally(() => {
        if (this.#underWay >= MAX_CONTROL_REQUESTS) this.#goOnLater();
        connection.underWay--;
        this.#underWay--;
        this.flush();
      });
  }

  /** One-way requests get no answer. */
  #reply(link: Link, { connection, request, came }: Call, reply: RemotingCommand): void {
    const { handlers, calls, now } = this.#events;
    const code = handlers.has(request.code) ? request.code : OTHER_CODE;
    calls.done(request, code, reply.code, now() - came);
    if (isOneway(request)) return;
    const { slot, generation } = connection;
    const frame = encode(reply);
    if (this.#links.length === 1 || this.#allApplied(this.#version)) {
      link.post(LINK_SEND, slot, generation, frame);
    } else {
      this.#held.push({ version: this.#version, link, slot, generation, frame });
      this.#heldBytes += HELD_BYTES + frame.length;
    }
  }

  #releaseHeld(): void {
    for (let held = this.#held.peek(); held !== undefined; held = this.#held.peek()) {
      if (!this.#allApplied(held.version)) return;
      this.#held.shift();
      this.#heldBytes -= HELD_BYTES + held.frame.length;
      held.link.post(LINK_SEND, held.slot, held.generation, held.frame);
    }
  }

  #allApplied(version: number): boolean {
    for (let i = 0; i < this.#links.length; i++) {
      if (((Atomics.load(this.#applied, i) - version) | 0) < 0) return false;
    }
    return true;
  }
}
