// A broker that goes away, cleanly or by kill -9, and comes back on its store.

import { stopEverything } from '../support/program.ts';
import type { Broker, Conf, NameServer } from '../support/servers.ts';
import { type Cluster, startBroker, startNameServer } from '../support/target.ts';

export interface Departure {
  readonly name: string;
  readonly flushDiskType: string;
  leave(broker: Broker): Promise<void>;
}

export const CLEAN_STOP: Departure = {
  name: 'a clean stop',
  flushDiskType: 'ASYNC_FLUSH',
  leave: (broker) => broker.stop(),
};

export const KILL: Departure = {
  name: 'kill -9',
  flushDiskType: 'SYNC_FLUSH',
  leave: (broker) => broker.kill(),
};

export class DepartureStage implements Cluster {
  readonly nameServer: NameServer;
  readonly #departure: Departure;
  readonly #conf: Conf;
  broker: Broker;

  private constructor(nameServer: NameServer, broker: Broker, departure: Departure, conf: Conf) {
    this.nameServer = nameServer;
    this.broker = broker;
    this.#departure = departure;
    this.#conf = conf;
  }

  static async open(departure: Departure, more: Conf = {}): Promise<DepartureStage> {
    const nameServer = await startNameServer();
    const conf = { ...more, flushDiskType: departure.flushDiskType };
    return new DepartureStage(nameServer, await startBroker(nameServer, { conf }), departure, conf);
  }

  async restart(): Promise<void> {
    const { port, store } = this.broker;
    await this.#departure.leave(this.broker);
    this.broker = await startBroker(this.nameServer, { port, store, conf: this.#conf });
  }

  async stop(): Promise<void> {
    await stopEverything();
  }
}
