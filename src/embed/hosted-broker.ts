/** The host's end of an embedded broker: what the control thread reports becomes promises, log lines and clean ends. */
import type { Worker } from 'node:worker_threads';
import { checkTopic } from './broker-options.ts';
import { RingMQError } from './error.ts';
import { diedOf, errorOf } from './error-report.ts';
import { writeLog } from './host-log.ts';
import { ASYNC_DISPOSE, atExit } from './host-process.ts';
import { type ControlReport, type EmbeddedStart, type HostRequest, SERVING } from './messages.ts';
import { DEFAULT_QUEUES, type EmbeddedBroker, type EmbeddedLog, type TopicOptions } from './options.ts';
import type { TemporaryStore } from './temporary-store.ts';

/** How long a process that exits waits for a broker to stop in order; the next start of its store recovers then. */
const LONGEST_WAIT_AT_EXIT_MS = 10_000;

export interface HostedParts {
  worker: Worker;
  start: EmbeddedStart;
  temporary: TemporaryStore | undefined;
  log: EmbeddedLog | undefined;
}

/** Resolves when the broker serves; rejects when it cannot be started, and nothing is left of it then. */
export function hostBroker(parts: HostedParts): Promise<EmbeddedBroker> {
  return new HostedBroker(parts).started;
}

class HostedBroker {
  readonly started: Promise<EmbeddedBroker>;
  readonly #parts: HostedParts;
  readonly #state: Int32Array;
  /** Resolves when the thread has ended and a temporary store is gone. */
  readonly #ended: Promise<void>;
  readonly #died: Promise<RingMQError>;
  #reportDeath: (error: RingMQError) => void = () => {};
  readonly #topics = new Map<number, (error: RingMQError | undefined) => void>();
  #lastTopic = 0;
  #failure: RingMQError | undefined;
  #closing = false;
  /** How many reasons there are to keep the process alive: a start, a stop, a topic on its way, `ref`. */
  #holds = 0;
  #isRef = false;

  constructor(parts: HostedParts) {
    this.#parts = parts;
    const { worker, start } = parts;
    this.#state = new Int32Array(start.state);
    this.#died = new Promise((resolve) => {
      this.#reportDeath = resolve;
    });
    const forget = atExit({ begin: () => this.#closeAtExit(), finish: () => this.#endAtExit() });
    this.#ended = new Promise((resolve) => {
      worker.once('exit', () => {
        forget();
        parts.temporary?.remove();
        resolve();
        this.#gone();
      });
    });
    worker.once('error', (error) => this.#fail(diedOf(error)));
    this.started = this.#held(
      new Promise((resolve, reject) => {
        worker.on('message', (report: ControlReport) => {
          if (report.kind === 'ready') resolve(this.#handle(report));
          else this.#heard(report);
        });
        void this.#ended.then(() => reject(this.#failure));
      }),
    );
  }

  #handle({ nameServer, broker }: { nameServer: string; broker: string }): EmbeddedBroker {
    const handle: EmbeddedBroker = {
      nameServer,
      broker,
      store: this.#parts.start.store,
      died: this.#died,
      createTopic: (name, options) => this.#createTopic(name, options),
      close: () => this.#close(),
      ref: () => {
        if (!this.#isRef) this.#hold();
        this.#isRef = true;
        return handle;
      },
      unref: () => {
        if (this.#isRef) this.#letGo();
        this.#isRef = false;
        return handle;
      },
      [ASYNC_DISPOSE]: () => this.#close(),
    };
    return handle;
  }

  #heard(report: ControlReport): void {
    if (report.kind === 'log') writeLog(this.#parts.log, report);
    if (report.kind === 'topic') this.#answerTopic(report.id, report.error && errorOf(report.error));
    if (report.kind === 'died') this.#fail(errorOf(report.error));
    if (report.kind === 'failed') {
      this.#failure = errorOf(report.error);
      void this.#parts.worker.terminate();
    }
  }

  /** It has ended by itself. The host's code comes last, as it may throw. */
  #fail(error: RingMQError): void {
    if (this.#failure !== undefined || this.#closing) return;
    this.#failure = error;
    this.#reportDeath(error);
    this.#failTopics(error);
    writeLog(this.#parts.log, { level: 'error', message: error.message, fields: {} });
  }

  #gone(): void {
    if (this.#closing) this.#failTopics(closedError());
    this.#fail(new RingMQError('RINGMQ_DIED', 'the control thread of the embedded broker has ended'));
  }

  #failTopics(error: RingMQError): void {
    for (const id of this.#topics.keys()) this.#answerTopic(id, error);
  }

  async #createTopic(name: string, options: TopicOptions = {}): Promise<void> {
    const { queues = DEFAULT_QUEUES } = checkTopic(name, options);
    if (this.#closing) throw closedError();
    if (this.#failure !== undefined) throw this.#failure;
    const id = ++this.#lastTopic;
    const error = await this.#held(
      new Promise<RingMQError | undefined>((resolve) => {
        this.#topics.set(id, resolve);
        this.#tell({ kind: 'createTopic', id, name, queues });
      }),
    );
    if (error !== undefined) throw error;
  }

  #answerTopic(id: number, error: RingMQError | undefined): void {
    const answer = this.#topics.get(id);
    this.#topics.delete(id);
    answer?.(error);
  }

  #close(): Promise<void> {
    if (!this.#closing) this.#tell({ kind: 'close' });
    this.#closing = true;
    return this.#held(this.#ended);
  }

  /** The event loop does not turn any more, but the broker's threads run on: they are told, and waited for. */
  #closeAtExit(): void {
    this.#closing = true;
    if (Atomics.load(this.#state, 0) === SERVING) this.#tell({ kind: 'close' });
  }

  #endAtExit(): void {
    const until = performance.now() + LONGEST_WAIT_AT_EXIT_MS;
    for (;;) {
      const left = until - performance.now();
      // Woken, timed out or not serving (any more).
      if (left <= 0 || Atomics.wait(this.#state, 0, SERVING, left) === 'not-equal') break;
    }
    this.#parts.temporary?.remove();
  }

  #tell(request: HostRequest): void {
    this.#parts.worker.postMessage(request);
  }

  /** The process stays alive until `promise` is settled. */
  async #held<T>(promise: Promise<T>): Promise<T> {
    this.#hold();
    try {
      return await promise;
    } finally {
      this.#letGo();
    }
  }

  #hold(): void {
    if (this.#holds++ === 0) this.#parts.worker.ref();
  }

  #letGo(): void {
    if (--this.#holds === 0) this.#parts.worker.unref();
  }
}

function closedError(): RingMQError {
  return new RingMQError('RINGMQ_CLOSED', 'createTopic: the broker is closed.');
}
