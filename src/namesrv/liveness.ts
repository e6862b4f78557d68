/** Removes brokers that have fallen silent, and at once those whose connection is gone. */
import type { Clock } from '../lib/clock.ts';
import type { ClientConnection, Log } from '../remoting/connection.ts';
import type { Routes } from './routes.ts';

export class Liveness {
  readonly #routes: Routes;
  readonly #clock: Clock;
  readonly #log: Log;

  constructor(routes: Routes, clock: Clock, log: Log) {
    this.#routes = routes;
    this.#clock = clock;
    this.#log = log;
  }

  /** To be called every few seconds. Closes the connection too, so that the broker notices and registers anew. */
  evictExpired(): void {
    for (const broker of this.#routes.live.expired(this.#clock.monotonic())) {
      const silence = `silent for more than ${broker.heartbeatTimeoutMs} ms`;
      this.#log(`broker ${broker.brokerAddr} ${silence}, removed`, 'silent broker');
      this.#routes.unregister(broker);
      broker.connection.close();
    }
  }

  connectionClosed(connection: ClientConnection): void {
    for (const broker of this.#routes.live.ofConnection(connection)) {
      this.#log(`broker ${broker.brokerAddr} closed its connection, removed`, 'broker gone');
      this.#routes.unregister(broker);
    }
  }
}
