/** The threads below control: starting them, hearing of their death, stopping them in order. */
import { MessageChannel } from 'node:worker_threads';
import type { RefusedSend } from '../broker/send/refused-sends.ts';
import type { EscapeReport } from '../delivery/acting/acting-puts.ts';
import type { CheckReport, DeliveryReport, DeliveryShape } from '../delivery/delivery-shape.ts';
import type { PopAsk, PopReport } from '../delivery/pop/pop-link.ts';
import type { HalfCheck } from '../delivery/transaction/context.ts';
import type { ControlLog } from '../lib/log.ts';
import { HALT_ERRNO, HALTED, type Positions, STOPPING } from '../ring/positions.ts';
import { logReports } from '../ring/reports.ts';
import { wakerOf } from '../ring/wake.ts';
import type { ServerTls } from '../tls/settings.ts';
import type { EngineShape } from './engine.thread.ts';
import { deliversApart, type EngineRole, PLACEMENTS } from './engine-layout.ts';
import { type EngineThreads, terminateThreads } from './engine-threads.ts';
import type { NetworkCommand, NetworkReport } from './network/network.thread.ts';
import type { EngineParts } from './shapes.ts';
import { spawn, type Thread } from './spawn.ts';
import type { Topology } from './topology.ts';

const DELIVER_AGAIN_MS = 1_000;
/** Records are read into fresh memory one by one. */
const DELIVERY_YOUNG_GENERATION_MB = 16;

const HALT_REASONS = [
  'nothing',
  'a sync of the CommitLog failed',
  'the CommitLog could not be written',
  'ConsumeQueue or index could not be written',
  'a thread of the broker died',
  'the newest part of the CommitLog could not be read',
];

/** What each worker does, in the order of `spawnEngineThreads`. */
function engineShapes({ engine, broker }: Topology, parts: Required<EngineParts>): EngineShape[] {
  const { positions, wakes } = broker;
  return PLACEMENTS[engine].workers.map((roles) => ({
    positions,
    wake: wakes[roles[0]],
    ...partsOf(roles, parts),
  }));
}

function partsOf(roles: readonly EngineRole[], parts: Required<EngineParts>): EngineParts {
  return Object.fromEntries(roles.map((role) => [role, parts[role]]));
}

/** What the threads tell control. */
export interface EngineEvents {
  log: ControlLog;
  /** For lines that are bounded by themselves. */
  plainLog: ControlLog;
  refused: (sends: RefusedSend) => void;
  delivered: (report: DeliveryReport) => void;
  /** A producer is to be asked about a transaction. */
  check: (check: HalfCheck) => void;
  /** On a slave that acts for its master: a message for another one. */
  escapes: (report: EscapeReport) => void;
  /** The owner of pops asks control for something. */
  popAsk: (ask: PopAsk) => void;
  /** A network thread has something for delivery. */
  needsDelivery: () => void;
}

export class Engine {
  /** Resolves with the reason when a thread ended that nobody had asked to. */
  readonly died: Promise<Error>;
  readonly #topology: Topology;
  readonly #positions: Positions;
  readonly #networks: Thread[];
  readonly #workers: Thread[];
  readonly #events: EngineEvents;
  readonly #spawn: typeof spawn;
  #reportDeath: (error: Error) => void = () => {};
  #stopping = false;
  #delivering: Thread | undefined;
  /** The thread of delivery while it loads. */
  #starting: Thread | undefined;
  /** That of delivery, which is asked to end while the others go on. */
  #retiring: Thread | undefined;
  /** Until it is tried again. */
  #again: NodeJS.Timeout | undefined;

  private constructor(
    { networks, workers }: EngineThreads,
    topology: Topology,
    positions: Positions,
    events: EngineEvents,
    spawnThread: typeof spawn,
  ) {
    this.#topology = topology;
    this.#positions = positions;
    this.#events = events;
    this.#spawn = spawnThread;
    this.#networks = networks;
    this.#workers = [...workers];
    this.died = new Promise((resolve) => {
      this.#reportDeath = resolve;
    });
    for (const thread of [...networks, ...workers]) this.#watch(thread);
  }

  #watch(thread: Thread): void {
    const { log, plainLog, refused, delivered, check, escapes, popAsk, needsDelivery } = this.#events;
    const { worker, name, ended } = thread;
    logReports(worker, name, log, plainLog);
    worker.on(
      'message',
      (report: NetworkReport | DeliveryReport | CheckReport | PopReport | EscapeReport) => {
        if (report.kind === 'refused') refused(report.refused);
        else if (report.kind === 'delivery') delivered(report);
        else if (report.kind === 'check') check(report.check);
        else if (report.kind === 'pop') popAsk(report.ask);
        else if (report.kind === 'escape') escapes(report);
        else if (report.kind === 'needsDelivery') needsDelivery();
      },
    );
    void ended.then((error) => {
      if (!this.#stopping && thread !== this.#retiring) this.#reportDeath(this.#reason(thread, error));
    });
  }

  /** Tells the waiting threads what they work on; resolves when all are ready. `spawnThread`: another in tests. */
  static async start(
    threads: EngineThreads,
    topology: Topology,
    delivery: () => DeliveryShape,
    positions: Positions,
    events: EngineEvents,
    spawnThread = spawn,
  ): Promise<Engine> {
    const engine = new Engine(threads, topology, positions, events, spawnThread);
    const { broker, writer, dispatcher } = topology;
    // Delivery has its part made when it is placed, mostly later: it names every queue.
    const parts = {
      writer,
      dispatcher,
      flusher: { broker },
      get delivery() {
        return delivery();
      },
    };
    const inline = partsOf(PLACEMENTS[topology.engine].network, parts);
    threads.networks.forEach((thread, index) => {
      const shape = topology.networks[index];
      thread.worker.postMessage(Object.keys(inline).length === 0 ? shape : { ...shape, inline });
    });
    const shapes = engineShapes(topology, parts);
    threads.workers.forEach((thread, index) => {
      thread.worker.postMessage(shapes[index]);
    });
    await Promise.all([...threads.networks, ...threads.workers].map((thread) => thread.ready));
    return engine;
  }

  /**
   * Starts the thread of delivery, where it has one. It is given what `shape` says when its code is loaded; where it
   * cannot be loaded, for want of descriptors or memory, that is tried again.
   */
  deliver(shape: () => DeliveryShape): void {
    if (this.delivers || this.#starting !== undefined || this.#again !== undefined || this.#stopping) return;
    const limits = { maxYoungGenerationSizeMb: DELIVERY_YOUNG_GENERATION_MB };
    try {
      const thread = this.#spawn('threads', 'engine', 'delivery', limits);
      this.#starting = thread;
      thread.loaded.then(
        () => this.#beginDelivery(thread, shape),
        (error) => this.#deliverLater(error, shape, thread),
      );
    } catch (error) {
      // The system makes no more threads for this user.
      this.#deliverLater(error as Error, shape, undefined);
    }
  }

  /** When the thread of delivery has ended, however; empty while it has none of its own. */
  get deliveryEnded(): Promise<unknown>[] {
    return this.#delivering === undefined ? [] : [this.#delivering.ended];
  }

  /**
   * Ends the thread of delivery while the others go on, so that it may be started once more. `stop` asks it to end, if
   * it has begun, and resolves when it has nothing under way.
   */
  async retireDelivery(stop: () => Promise<unknown>): Promise<void> {
    clearTimeout(this.#again);
    this.#again = undefined;
    const [starting, thread] = [this.#starting, this.#delivering];
    this.#starting = undefined;
    await starting?.worker.terminate();
    if (thread === undefined) return;
    this.#retiring = thread;
    await Promise.race([stop(), thread.ended]);
    await thread.ended;
    this.#workers.splice(this.#workers.indexOf(thread), 1);
    this.#delivering = undefined;
  }

  #beginDelivery(thread: Thread, shape: () => DeliveryShape): void {
    // A stop ends it.
    if (this.#stopping || this.#starting !== thread) return;
    this.#starting = undefined;
    this.#delivering = thread;
    this.#workers.push(thread);
    this.#watch(thread);
    const { positions, wakes } = this.#topology.broker;
    const told: EngineShape = { positions, wake: wakes.delivery, delivery: shape() };
    thread.worker.postMessage(told);
  }

  /** `thread`: that did not come up, unless there is none. What has ended it may be that nobody needs it any more. */
  #deliverLater(error: Error, shape: () => DeliveryShape, thread: Thread | undefined): void {
    if (this.#stopping || this.#starting !== thread) return;
    this.#events.log.warn(
      { reason: error.message },
      'delivery of delayed messages cannot start, tried again',
    );
    this.#starting = undefined;
    this.#again = setTimeout(() => {
      this.#again = undefined;
      this.deliver(shape);
    }, DELIVER_AGAIN_MS);
    this.#again.unref();
  }

  /** Whether somebody delivers what becomes due. */
  get delivers(): boolean {
    return this.#delivering !== undefined || !deliversApart(this.#topology.engine);
  }

  /** Lets clients in on these listening descriptors; the first network thread accepts and hands sockets on. */
  listen(descriptors: number[]): void {
    const [first, ...others] = this.#networks;
    const peers = others.map((thread) => {
      const { port1, port2 } = new MessageChannel();
      this.#tell(thread, { kind: 'adopt', from: port2 }, [port2]);
      return port1;
    });
    if (first !== undefined) this.#tell(first, { kind: 'listen', descriptors, peers }, peers);
  }

  /** Certificates were replaced. */
  useTls(tls: ServerTls): void {
    for (const thread of this.#networks) this.#tell(thread, { kind: 'tls', tls });
  }

  /** Takes no more requests; resolves when every send under way is answered. */
  async refuse(): Promise<void> {
    this.#stopping = true;
    await Promise.all(
      this.#networks.map(
        (thread) =>
          new Promise<void>((resolve) => {
            thread.worker.on('message', (report: NetworkReport) => {
              if (report.kind === 'quiet') resolve();
            });
            void thread.ended.then(() => resolve());
            this.#tell(thread, { kind: 'refuse' });
          }),
      ),
    );
  }

  /** Closes the sockets, then lets the engine's agents finish what they have. */
  async stop(): Promise<void> {
    this.#stopping = true;
    await this.#starting?.worker.terminate();
    // Who works inside a network thread ends with it.
    if (this.#topology.engine === 'inline') this.#positions.set(STOPPING, 1);
    for (const thread of this.#networks) this.#tell(thread, { kind: 'stop' });
    await Promise.all(this.#networks.map((thread) => thread.ended));
    this.#positions.set(STOPPING, 1);
    this.wakeAll();
    await Promise.all(this.#workers.map((thread) => thread.ended));
  }

  /** Ends all threads where they are: after a death. */
  async terminate(): Promise<void> {
    this.#stopping = true;
    await this.#starting?.worker.terminate();
    await terminateThreads({ networks: this.#networks, workers: this.#workers });
  }

  wakeAll(): void {
    const { wakes } = this.#topology.broker;
    const engine = [wakes.writer, wakes.flusher, wakes.dispatcher, wakes.delivery];
    for (const wake of [...engine, ...wakes.network]) wakerOf(wake)();
  }

  #tell(thread: Thread, command: NetworkCommand, transfer: MessagePort_[] = []): void {
    thread.worker.postMessage(command, transfer);
  }

  #reason(thread: Thread, error: Error | undefined): Error {
    const halted = this.#positions.get(HALTED);
    const errno = this.#positions.get(HALT_ERRNO);
    const why =
      halted === 0
        ? (error?.message ?? `thread ${thread.name} ended`)
        : (HALT_REASONS[halted] ?? `halt reason ${halted}`);
    const detail = errno === 0 ? '' : ` (errno ${errno})`;
    return new Error(`The broker has stopped acknowledging: ${why}${detail}.`, { cause: error });
  }
}

type MessagePort_ = MessageChannel['port1'];
