/** Removes brokers that have fallen silent, and at once those whose connection is gone. */
import type { Clock } from '../lib/clock.ts';
import type { ClientConnection } from '../remoting/connection.ts';
import type { Routes } from './routes.ts';

export class Liveness {
  readonly #routes: Routes;
  readonly #clock: Clock;

  constructor(routes: Routes, clock: Clock) {
    this.#routes = routes;
    this.#clock = clock;
  }

  /** To be called every few seconds. Closes the connection too, so that the broker notices and registers anew. */
  evictExpired(): void {
    for (const broker of this.#routes.live.expired(this.#clock.monotonic())) {
      this.#routes.unregister(broker, `silent for more than ${broker.heartbeatTimeoutMs} ms`);
      broker.connection.close();
    }
  }

  connectionClosed(connection: ClientConnection): void {
    for (const broker of this.#routes.live.ofConnection(connection)) {
      this.#routes.unregister(broker, 'its connection has closed');
    }
  }
}
