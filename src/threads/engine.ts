/** The threads below control: starting them, hearing of their death, stopping them in order. */
import { MessageChannel } from 'node:worker_threads';
import { HALT_ERRNO, HALTED, type Positions, STOPPING } from '../ring/positions.ts';
import { wakerOf } from '../ring/wake.ts';
import type { EngineShape } from './engine.thread.ts';
import type { NetworkCommand, NetworkReport } from './network/network.thread.ts';
import { spawn, type Thread } from './spawn.ts';
import type { Topology } from './topology.ts';

/** Safety net for what the data path still allocates; never small, or collections eat the thread (measured). */
const NETWORK_YOUNG_GENERATION_MB = 32;

const HALT_REASONS = [
  'nothing',
  'a sync of the CommitLog failed',
  'the device failed under a mapped CommitLog file',
  'ConsumeQueue or index could not be written',
  'a thread of the broker died',
];

export class Engine {
  /** Resolves with the reason when a thread ended that nobody had asked to. */
  readonly died: Promise<Error>;
  readonly #topology: Topology;
  readonly #positions: Positions;
  readonly #networks: Thread[];
  readonly #workers: Thread[];
  #stopping = false;

  private constructor(topology: Topology, positions: Positions, networks: Thread[], workers: Thread[]) {
    this.#topology = topology;
    this.#positions = positions;
    this.#networks = networks;
    this.#workers = workers;
    this.died = new Promise((resolve) => {
      for (const thread of [...networks, ...workers]) {
        void thread.ended.then((error) => {
          if (!this.#stopping) resolve(this.#reason(thread, error));
        });
      }
    });
  }

  static async start(topology: Topology, positions: Positions): Promise<Engine> {
    const { broker, producers, dispatcher } = topology;
    const writer = { broker, producers };
    const flusher = { broker };
    const shape = (wake: EngineShape['wake'], parts: Partial<EngineShape>): EngineShape => ({
      positions: broker.positions,
      wake,
      ...parts,
    });
    const parts: [name: string, wake: EngineShape['wake'], parts: Partial<EngineShape>][] = {
      shared: [['engine', broker.wakes.writer, { writer, dispatcher, flusher }]],
      paired: [
        ['writer', broker.wakes.writer, { writer, dispatcher }],
        ['flusher', broker.wakes.flusher, { flusher }],
      ],
      dedicated: [
        ['writer', broker.wakes.writer, { writer }],
        ['dispatcher', broker.wakes.dispatcher, { dispatcher }],
        ['flusher', broker.wakes.flusher, { flusher }],
      ],
    }[topology.engine] as [string, EngineShape['wake'], Partial<EngineShape>][];
    const workers = parts.map(([name, wake, agents]) => spawn('engine', name, shape(wake, agents)));
    const networks = topology.networks.map((network) =>
      spawn('network/network', `network-${network.index}`, network, {
        maxYoungGenerationSizeMb: NETWORK_YOUNG_GENERATION_MB,
      }),
    );
    const engine = new Engine(topology, positions, networks, workers);
    await Promise.all([...networks, ...workers].map((thread) => thread.ready));
    return engine;
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

  /** Closes the sockets, then lets writer, flusher and dispatcher finish what they have. */
  async stop(): Promise<void> {
    this.#stopping = true;
    for (const thread of this.#networks) this.#tell(thread, { kind: 'stop' });
    await Promise.all(this.#networks.map((thread) => thread.ended));
    this.#positions.set(STOPPING, 1);
    this.wakeAll();
    await Promise.all(this.#workers.map((thread) => thread.ended));
  }

  /** Ends all threads where they are: after a death. */
  async terminate(): Promise<void> {
    this.#stopping = true;
    await Promise.all([...this.#networks, ...this.#workers].map((thread) => thread.worker.terminate()));
  }

  wakeAll(): void {
    const { wakes } = this.#topology.broker;
    for (const wake of [wakes.writer, wakes.flusher, wakes.dispatcher, ...wakes.network]) wakerOf(wake)();
  }

  #tell(thread: Thread, command: NetworkCommand, transfer: MessagePort_[] = []): void {
    thread.worker.postMessage(command, transfer);
  }

  #reason(thread: Thread, error: Error | undefined): Error {
    const halted = this.#positions.get(HALTED);
    const errno = this.#positions.get(HALT_ERRNO);
    const why =
      halted === 0 ? `thread ${thread.name} ended` : (HALT_REASONS[halted] ?? `halt reason ${halted}`);
    const detail = errno === 0 ? '' : ` (errno ${errno})`;
    return new Error(`The broker has stopped acknowledging: ${why}${detail}.`, { cause: error });
  }
}

type MessagePort_ = MessageChannel['port1'];
