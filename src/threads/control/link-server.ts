/**
 * Control's end of the links with the network threads. Requests come up and go to their handlers; replies and deltas
 * go down.
 *
 * A reply leaves only after every network thread has applied the deltas that came before it: a client that heartbeats
 * and then pulls, on whatever connection, must not meet a thread that does not know it yet. The link of the reply's own
 * thread is ordered anyway; the other threads' versions are waited for.
 */
import type { Delta, EnsureGroup, EnsureTopic, PulledSubscription } from '../../broker/view/deltas.ts';
import type { ControlHandler, Reply } from '../../control/context.ts';
import type { ControlLog } from '../../control/log.ts';
import { ResponseCode } from '../../protocol/codes.ts';
import { isOneway, isResponse, type RemotingCommand, responseTo } from '../../protocol/command.ts';
import { decodeCommand, encodeCommand } from '../../protocol/command-codec.ts';
import {
  LINK_CLOSE,
  LINK_CLOSED,
  LINK_DELTA,
  LINK_ENSURE,
  LINK_FRAME,
  LINK_FRAME_IN_SLAB,
  LINK_HEADER,
  LINK_IN_SLAB,
  LINK_IN_SLAB_BYTES,
  LINK_OPENED,
  LINK_PROGRESS,
  LINK_RESET_TAKEN,
  LINK_SEND,
  LINK_SUBSCRIPTION,
  MAX_LINK_FRAME,
  PROGRESS_COMMIT,
  PROGRESS_GROUP,
  PROGRESS_PULL,
  PROGRESS_QUEUE,
} from '../../ring/link-records.ts';
import { NO_SLAB, Slabs } from '../../ring/slabs.ts';
import { FULL, RingConsumer, RingProducer } from '../../ring/spsc-ring.ts';
import { wakerOf } from '../../ring/wake.ts';
import type { NetworkShape } from '../shapes.ts';
import { RemoteConnection } from './remote-connection.ts';

export interface LinkEvents {
  handlers: ReadonlyMap<number, ControlHandler>;
  closed: (connection: RemoteConnection) => void;
  progress: (group: number, queue: number, commitOffset: number, pullOffset: number) => void;
  ensure: (what: EnsureTopic | EnsureGroup, reply: (delta: Delta) => void) => void;
  subscription: (subscription: PulledSubscription) => void;
  resetTaken: (group: string, topic: string, queueId: number) => void;
  log: ControlLog;
}

interface Outgoing {
  type: number;
  slot: number;
  generation: number;
  payload: Uint8Array;
}

/** The link with one network thread. */
class Link {
  readonly thread: number;
  readonly up: RingConsumer;
  readonly upSlabs: Slabs;
  readonly #down: RingProducer;
  readonly #downSlabs: Slabs;
  readonly connections = new Map<number, RemoteConnection>();
  /** What found the ring full, in order. */
  readonly #late: Outgoing[] = [];

  constructor(shape: NetworkShape) {
    this.thread = shape.index;
    const wake = wakerOf(
      shape.broker.wakes.network[shape.index] as NonNullable<(typeof shape.broker.wakes.network)[0]>,
    );
    this.up = RingConsumer.join(shape.linkUp, wake);
    this.upSlabs = new Slabs(shape.linkUpSlabs);
    this.#down = RingProducer.join(shape.linkDown, wake);
    this.#downSlabs = new Slabs(shape.linkDownSlabs);
  }

  send(slot: number, generation: number, command: RemotingCommand): void {
    this.post(LINK_SEND, slot, generation, encodeCommand(command));
  }

  close(slot: number, generation: number): void {
    this.post(LINK_CLOSE, slot, generation, new Uint8Array(0));
  }

  post(type: number, slot: number, generation: number, payload: Uint8Array): void {
    const outgoing = { type, slot, generation, payload };
    if (this.#late.length > 0 || !this.#put(outgoing)) this.#late.push(outgoing);
  }

  /** Shows the network thread what this turn put into the ring. */
  publish(): void {
    while (this.#late.length > 0 && this.#put(this.#late[0] as Outgoing)) this.#late.shift();
    this.#down.publish();
  }

  #put(outgoing: Outgoing): boolean {
    const { type, slot, generation, payload } = outgoing;
    if (payload.length > MAX_LINK_FRAME) return this.#putInSlab(outgoing);
    const at = this.#claim(type, slot, generation, payload.length);
    if (at === FULL) return false;
    this.#down.bytes.set(payload, at);
    return true;
  }

  #putInSlab({ type, slot, generation, payload }: Outgoing): boolean {
    const slab = this.#downSlabs.take();
    if (slab === NO_SLAB) return false;
    const at = this.#claim(LINK_IN_SLAB, slot, generation, LINK_IN_SLAB_BYTES);
    if (at === FULL) {
      this.#downSlabs.free(slab);
      return false;
    }
    this.#downSlabs.bulk(slab).bytes.set(payload);
    this.#down.view.setInt32(at, slab, true);
    this.#down.view.setInt32(at + 4, payload.length, true);
    this.#down.view.setInt32(at + 8, type, true);
    return true;
  }

  /** Where the payload goes, slot and generation written; or FULL. */
  #claim(type: number, slot: number, generation: number, payload: number): number {
    const down = this.#down;
    const at = down.claimOrAwait(type, LINK_HEADER + payload);
    if (at === FULL) return FULL;
    down.view.setInt32(at, slot, true);
    down.view.setInt32(at + 4, generation, true);
    return at + LINK_HEADER;
  }
}

export class LinkServer {
  readonly #links: Link[];
  readonly #events: LinkEvents;
  readonly #applied: Int32Array;
  #version = 0;
  /** Replies that wait until all threads have applied a version. */
  #held: { version: number; send: () => void }[] = [];

  constructor(shapes: readonly NetworkShape[], events: LinkEvents) {
    this.#links = shapes.map((shape) => new Link(shape));
    this.#applied = new Int32Array(shapes[0]?.versions ?? new SharedArrayBuffer(4));
    this.#events = events;
  }

  /** Tells all network threads of a change. */
  publish(delta: Delta): void {
    this.#version = (this.#version + 1) | 0;
    const payload = Buffer.from(JSON.stringify(delta));
    for (const link of this.#links) link.post(LINK_DELTA, 0, this.#version, payload);
  }

  /** Resolves when all network threads have applied everything published so far. */
  async applied(): Promise<void> {
    const version = this.#version;
    while (!this.#allApplied(version)) {
      this.flush();
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
  }

  /** Takes what came up, sends what is due. To be called when the bell rings. */
  drain(): void {
    for (const link of this.#links) {
      while (link.up.next()) this.#take(link);
      link.up.release();
    }
    this.flush();
  }

  /** Ends a turn of control: everything said so far becomes visible to the network threads. */
  flush(): void {
    this.#releaseHeld();
    for (const link of this.#links) link.publish();
  }

  #take(link: Link): void {
    const { up } = link;
    const { view, offset, length, type } = up;
    const slot = view.getInt32(offset, true);
    const generation = view.getInt32(offset + 4, true);
    const payload = (from: number, to: number) => up.bytes.slice(offset + from, offset + to);
    switch (type) {
      case LINK_OPENED: {
        const address = Buffer.from(payload(LINK_HEADER, length)).toString();
        link.connections.set(slot, new RemoteConnection(link.thread, slot, generation, address, link));
        break;
      }
      case LINK_FRAME:
        this.#frame(link, slot, generation, payload(LINK_HEADER, length));
        break;
      case LINK_FRAME_IN_SLAB: {
        const slab = view.getInt32(offset + LINK_HEADER, true);
        const frame = link.upSlabs.bulk(slab).bytes.slice(0, view.getInt32(offset + LINK_HEADER + 4, true));
        link.upSlabs.free(slab);
        this.#frame(link, slot, generation, frame);
        break;
      }
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
        this.#note(link, type, JSON.parse(Buffer.from(payload(LINK_HEADER, length)).toString()));
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
    } else if (type === LINK_RESET_TAKEN) {
      const { group, topic, queueId } = note as { group: string; topic: string; queueId: number };
      this.#events.resetTaken(group, topic, queueId);
    }
  }

  #closed(link: Link, slot: number, generation: number): void {
    const connection = link.connections.get(slot);
    if (connection?.generation !== generation) return;
    link.connections.delete(slot);
    connection.ended();
    this.#events.closed(connection);
  }

  #frame(link: Link, slot: number, generation: number, frame: Uint8Array): void {
    const connection = link.connections.get(slot);
    if (connection?.generation !== generation) return;
    let command: RemotingCommand;
    try {
      command = decodeCommand(frame);
    } catch (error) {
      this.#events.log.warn(
        { err: error, client: connection.remoteAddress },
        'unreadable frame, connection closed',
      );
      connection.close();
      return;
    }
    if (isResponse(command)) connection.answered(command);
    else this.#handle(link, connection, command);
  }

  #handle(link: Link, connection: RemoteConnection, request: RemotingCommand): void {
    const handler = this.#events.handlers.get(request.code);
    if (handler === undefined) {
      const remark = ` request type ${request.code} not supported`;
      if (!isOneway(request)) {
        this.#reply(link, connection, responseTo(request, ResponseCode.REQUEST_CODE_NOT_SUPPORTED, remark));
      }
      return;
    }
    const reply = handler(request, connection);
    if (reply instanceof Promise) {
      void reply.then((late: Reply) => {
        if (late !== undefined) this.#reply(link, connection, late);
        this.flush();
      });
    } else if (reply !== undefined) {
      this.#reply(link, connection, reply);
    }
  }

  #reply(link: Link, connection: RemoteConnection, reply: RemotingCommand): void {
    const send = () => link.send(connection.slot, connection.generation, reply);
    if (this.#links.length === 1 || this.#allApplied(this.#version)) send();
    else this.#held.push({ version: this.#version, send });
  }

  #releaseHeld(): void {
    while (this.#held.length > 0 && this.#allApplied((this.#held[0] as { version: number }).version)) {
      this.#held.shift()?.send();
    }
  }

  #allApplied(version: number): boolean {
    for (let i = 0; i < this.#links.length; i++) {
      if (((Atomics.load(this.#applied, i) - version) | 0) < 0) return false;
    }
    return true;
  }
}
