/**
 * Control's end of the links and those of some network threads, in this thread over real channels. Each side runs only
 * when it was woken, as its bell would do: what hangs here would hang there.
 */

import type { ColdRead } from '../../src/broker/cold/cold-reads.ts';
import { ControlLink } from '../../src/broker/link/control-link.ts';
import { type LinkEvents, LinkServer } from '../../src/broker/link/link-server.ts';
import type { ControlCalls } from '../../src/broker/stats/control-calls.ts';
import { QuietLog } from '../../src/lib/quiet-log.ts';
import type { Connection } from '../../src/net/connection.ts';
import { type RemotingCommand, requestCommand } from '../../src/protocol/command.ts';
import { encodeCommand } from '../../src/protocol/command-codec.ts';
import { CUT_ALL } from '../../src/protocol/frame-cutter.ts';
import type { ControlHandler } from '../../src/remoting/connection.ts';
import { ChannelReceiver, ChannelSender, createChannel } from '../../src/ring/channel.ts';
import { createWake, type WakeShape, wakerOf } from '../../src/ring/wake.ts';
import type { NetworkShape } from '../../src/threads/shapes.ts';
import { fakeConnection } from './fake-connection.ts';

const MIB = 1024 * 1024;

/** A word in which a sleeper says that it sleeps: whoever wakes it clears the word. */
class Bell {
  readonly shape: WakeShape = createWake('park');
  readonly #word = new Int32Array(this.shape.word);

  constructor() {
    this.#word[0] = 1;
  }

  /** Whether it has rung since the last call. */
  take(): boolean {
    const rung = this.#word[0] === 0;
    this.#word[0] = 1;
    return rung;
  }
}

/** A client of one network thread: what it has sent and not yet handed to control, and what has come for it. */
export class LinkClient {
  readonly answers: RemotingCommand[] = [];
  readonly waiting: Uint8Array[] = [];
  closed = false;
  /** When its frames have come, by the rig's clock. */
  came = 0;
  readonly connection: Connection;
  readonly #replies: () => RemotingCommand[];

  constructor(slot: number, generation: number) {
    const { connection, replies } = fakeConnection(slot, generation);
    this.connection = connection;
    this.#replies = replies;
  }

  /** Sends a request; `opaque` tells its answer. */
  ask(code: number, opaque: number, body?: Uint8Array): void {
    this.sendFrame(encodeCommand({ ...requestCommand(code, {}, body), opaque }).subarray(4));
  }

  sendFrame(frame: Uint8Array): void {
    this.waiting.push(frame);
  }

  collect(): void {
    this.answers.push(...this.#replies());
  }

  get opaques(): number[] {
    return this.answers.map(({ opaque }) => opaque);
  }
}

class NetworkEnd {
  readonly bell = new Bell();
  readonly link: ControlLink;
  readonly clients = new Map<number, LinkClient>();
  /** In the order in which they are to go on. */
  readonly blocked: LinkClient[] = [];
  applied: string[] = [];
  /** It does not hear its bell. */
  stuck = false;
  readonly #index: number;
  readonly #versions: Int32Array;

  constructor(shape: NetworkShape, control: Bell, bell: Bell) {
    this.bell = bell;
    this.#index = shape.index;
    this.#versions = new Int32Array(shape.versions);
    const wakeControl = wakerOf(control.shape);
    this.link = new ControlLink({
      up: ChannelSender.join(shape.linkUp, wakeControl, MIB),
      down: ChannelReceiver.join(shape.linkDown, wakeControl),
      connectionOf: (slot, generation) => {
        const client = this.clients.get(slot);
        return client?.connection.generation === generation ? client.connection : undefined;
      },
      touched: (connection) => this.clients.get(connection.slot)?.collect(),
      close: (connection) => {
        const client = this.clients.get(connection.slot);
        if (client !== undefined) client.closed = true;
      },
      apply: (delta, version) => {
        this.applied.push(delta.kind);
        Atomics.store(this.#versions, this.#index, version);
        wakeControl();
      },
    });
  }

  /** What its sockets have read goes to control, as far as that takes it. */
  turn(): void {
    if (this.link.pending) this.link.drain();
    // Each that waits has its turn once; those that come to wait stand behind.
    for (let n = this.blocked.length; n > 0; n--) this.#forward(this.blocked.shift() as LinkClient);
    for (const client of this.clients.values()) {
      if (!this.blocked.includes(client) && client.waiting.length > 0) this.#forward(client);
    }
    this.link.publish();
    // As the agent does for what a turn has left over.
    if (this.link.pending) wakerOf(this.bell.shape)();
  }

  #forward(client: LinkClient): void {
    for (;;) {
      const [frame] = client.waiting;
      if (frame === undefined) return;
      if (this.link.forward(client.connection, frame, 0, frame.length, client.came) !== CUT_ALL) {
        this.blocked.push(client);
        return;
      }
      client.waiting.shift();
    }
  }
}

export class LinkRig {
  readonly server: LinkServer;
  readonly ends: NetworkEnd[];
  readonly handlers = new Map<number, ControlHandler>();
  readonly logged: string[] = [];
  readonly closed: string[] = [];
  readonly called: Parameters<ControlCalls['done']>[] = [];
  readonly coldReads: ColdRead[] = [];
  mayTake = true;
  now = 0;
  onEnsure: LinkEvents['ensure'] = () => {};
  readonly #control = new Bell();

  constructor(networks = 1) {
    const bells = Array.from({ length: networks }, () => new Bell());
    const versions = new SharedArrayBuffer(4 * networks);
    const wakes = { network: bells.map(({ shape }) => shape), control: this.#control.shape };
    const size = { ringBytes: MIB, slabs: 4, slabBytes: 8 + 16 * MIB };
    const shapes = bells.map(
      (_, index) =>
        ({
          broker: { wakes },
          index,
          linkUp: createChannel(size),
          linkDown: createChannel(size),
          versions,
        }) as unknown as NetworkShape,
    );
    const log = (fields: { err?: Error }, text: string) =>
      this.logged.push(`${text}: ${fields.err?.message}`);
    this.server = new LinkServer(shapes, {
      handlers: this.handlers,
      closed: (connection) => this.closed.push(connection.id),
      progress: () => {},
      ensure: (what, reply) => this.onEnsure(what, reply),
      subscription: () => {},
      resetTaken: () => {},
      coldRead: (read) => this.coldReads.push(read),
      given: () => {},
      calls: { done: (...call) => this.called.push(call) },
      mayTake: () => this.mayTake,
      now: () => this.now,
      // As the broker gives it: what clients cause is counted.
      log: new QuietLog({ info: log, warn: log, error: log }, { after: () => () => {} }),
    });
    this.ends = shapes.map((shape, i) => new NetworkEnd(shape, this.#control, bells[i] as Bell));
  }

  connect(slot: number, thread = 0, generation = 1): LinkClient {
    const client = new LinkClient(slot, generation);
    const end = this.ends[thread] as NetworkEnd;
    end.clients.set(slot, client);
    end.link.opened(client.connection);
    return client;
  }

  disconnect(client: LinkClient, thread = 0): void {
    const end = this.ends[thread] as NetworkEnd;
    end.clients.delete(client.connection.slot);
    end.link.closed(client.connection);
    if (end.blocked.includes(client)) end.blocked.splice(end.blocked.indexOf(client), 1);
  }

  /** One turn of each network thread's event loop: its sockets have something for it. */
  read(): void {
    for (const end of this.ends) if (!end.stuck) end.turn();
  }

  /** Control and the network threads run as long as somebody is woken; returns how often they were. */
  async run(): Promise<number> {
    let turns = 0;
    for (let quiet = 0; quiet < 3; ) {
      let woken = false;
      if (this.#control.take()) {
        this.server.drain();
        woken = true;
      }
      for (const end of this.ends) {
        if (end.stuck || !end.bell.take()) continue;
        end.turn();
        woken = true;
      }
      if (woken) turns++;
      else await new Promise((resolve) => setImmediate(resolve));
      quiet = woken ? 0 : quiet + 1;
    }
    return turns;
  }
}
