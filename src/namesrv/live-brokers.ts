/** When each broker process was last heard of, and over which connection. Times in ms of a monotonic clock. */
import type { ClientConnection } from '../remoting/connection.ts';
import type { DataVersion } from './model.ts';

export const DEFAULT_HEARTBEAT_TIMEOUT_MS = 120_000;

export interface LiveBroker {
  clusterName: string;
  brokerName: string;
  brokerAddr: string;
  haServerAddr: string;
  lastHeard: number;
  heartbeatTimeoutMs: number;
  dataVersion: DataVersion;
  connection: ClientConnection;
  filterServers: string[];
}

export class LiveBrokers {
  readonly #brokers = new Map<string, LiveBroker>();

  get size(): number {
    return this.#brokers.size;
  }

  get(clusterName: string, brokerAddr: string): LiveBroker | undefined {
    return this.#brokers.get(keyOf(clusterName, brokerAddr));
  }

  put(broker: LiveBroker): void {
    this.#brokers.set(keyOf(broker.clusterName, broker.brokerAddr), broker);
  }

  /** False when it was not known. */
  delete(clusterName: string, brokerAddr: string): boolean {
    return this.#brokers.delete(keyOf(clusterName, brokerAddr));
  }

  /** Unknown brokers are ignored: they have to register first. */
  touch(clusterName: string, brokerAddr: string, now: number): void {
    const broker = this.get(clusterName, brokerAddr);
    if (broker !== undefined) broker.lastHeard = now;
  }

  expired(now: number): LiveBroker[] {
    return this.#select((broker) => now - broker.lastHeard > broker.heartbeatTimeoutMs);
  }

  /** A broker that has registered anew over another connection is not among them. */
  ofConnection(connection: ClientConnection): LiveBroker[] {
    return this.#select((broker) => broker.connection === connection);
  }

  #select(matches: (broker: LiveBroker) => boolean): LiveBroker[] {
    return [...this.#brokers.values()].filter(matches);
  }
}

/** Addresses contain no line break. */
function keyOf(clusterName: string, brokerAddr: string): string {
  return `${brokerAddr}\n${clusterName}`;
}
