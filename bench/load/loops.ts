/** The two ways to offer load. Both keep sending until `stop`, whatever phase is being recorded. */
import { Worker } from 'node:worker_threads';
import { stayAwake } from './awake.ts';
import { micros } from './frame-socket.ts';
import type { Recorder } from './recorder.ts';
import type { TickerData } from './ticker.thread.ts';
import type { RequestWindow } from './window.ts';

/** What a loop needs of a connection. */
export interface Sender {
  readonly window: RequestWindow;
  send(count: number, since: number, step: number): void;
}

export interface Loop {
  start(connections: Sender[]): void;
  onReplies(connection: Sender, freed: number): void;
  stop(): void;
}

/** Closed loop: every window is always full; an answered request is replaced at once, while there are more to send. */
export class ClosedLoop implements Loop {
  readonly #poll: boolean;
  readonly #requestsEach: number;
  readonly #left = new Map<Sender, number>();
  #running = false;
  #sleepAgain = (): void => {};

  /** `poll`: look for replies instead of sleeping until they come. `requestsEach`: requests of each connection. */
  constructor(poll: boolean, requestsEach = Number.POSITIVE_INFINITY) {
    this.#poll = poll;
    this.#requestsEach = requestsEach;
  }

  start(connections: Sender[]): void {
    this.#running = true;
    if (this.#poll) this.#sleepAgain = stayAwake();
    for (const connection of connections) {
      this.#left.set(connection, this.#requestsEach);
      this.#send(connection, connection.window.free);
    }
  }

  onReplies(connection: Sender, freed: number): void {
    if (this.#running) this.#send(connection, freed);
  }

  #send(connection: Sender, free: number): void {
    const left = this.#left.get(connection) as number;
    const count = Math.min(free, left);
    this.#left.set(connection, left - count);
    connection.send(count, micros(), 0);
  }

  stop(): void {
    this.#running = false;
    this.#sleepAgain();
  }
}

const TICK_MILLIS = 0.2;

/** Calls `onBeat` every TICK_MILLIS, until the function that this returns is called. */
function beat(onBeat: () => void): () => void {
  const control = new Int32Array(new SharedArrayBuffer(8));
  const extension = import.meta.url.endsWith('.ts') ? '.ts' : '.js';
  const workerData: TickerData = { control, intervalMillis: TICK_MILLIS };
  const ticker = new Worker(new URL(`./ticker.thread${extension}`, import.meta.url), { workerData });
  ticker.on('message', () => {
    Atomics.add(control, 0, 1);
    onBeat();
  });
  return () => void ticker.terminate();
}

/**
 * Open loop: request n is due n / rate after the start and its latency counts from there, also when the generator or a
 * full window delays it. Request n goes to connection n modulo connections.
 */
export class OpenLoop implements Loop {
  readonly #intervalMicros: number;
  readonly #recorder: Recorder;
  readonly #poll: boolean;
  #connections: Sender[] = [];
  #startedAt = 0;
  /** Requests that each connection has sent; its next one is number `sent * connections + its index`. */
  #sent: number[] = [];
  #running = false;
  #endClock = (): void => {};

  /** `poll`: look at the clock, and for replies, all the time instead of sleeping in between. */
  constructor(requestsPerSecond: number, recorder: Recorder, poll: boolean) {
    this.#intervalMicros = 1e6 / requestsPerSecond;
    this.#recorder = recorder;
    this.#poll = poll;
  }

  start(connections: Sender[]): void {
    this.#connections = connections;
    this.#sent = connections.map(() => 0);
    this.#running = true;
    const onBeat = (): void => this.#sendDue();
    this.#endClock = this.#poll ? stayAwake(onBeat) : beat(onBeat);
    this.#startedAt = micros();
  }

  onReplies(): void {
    this.#sendDue();
  }

  stop(): void {
    this.#running = false;
    this.#endClock();
  }

  #sendDue(): void {
    if (!this.#running) return;
    const now = micros();
    const count = this.#connections.length;
    const step = this.#intervalMicros * count;
    for (let index = 0; index < count; index++) {
      const connection = this.#connections[index] as Sender;
      const sent = this.#sent[index] as number;
      const due = this.#startedAt + index * this.#intervalMicros + sent * step;
      if (due > now) continue;
      const batch = Math.min(Math.floor((now - due) / step) + 1, connection.window.free);
      if (this.#recorder.measuring && batch > 0) this.#recorder.sendLag.record(now - due);
      connection.send(batch, due, step);
      this.#sent[index] = sent + batch;
    }
  }
}
