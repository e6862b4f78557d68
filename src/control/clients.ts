/** Everybody who is connected: producers and consumers, what happens when they fall silent or their connection ends. */
import type { Clock } from '../lib/clock.ts';
import { ConsumerTable } from './consumers.ts';
import type { ControlLog } from './log.ts';
import { ProducerTable } from './producers.ts';
import type { BrokerSettings } from './settings.ts';

export class ClientTable {
  readonly producers = new ProducerTable();
  readonly consumers: ConsumerTable;
  readonly #settings: BrokerSettings;
  readonly #clock: Clock;

  constructor(settings: BrokerSettings, clock: Clock, log: ControlLog) {
    this.#settings = settings;
    this.#clock = clock;
    this.consumers = new ConsumerTable(settings, clock, log);
  }

  /** The connection is gone: its clients leave all groups at once. */
  connectionClosed(connectionId: string): void {
    this.producers.removeConnection(connectionId);
    this.consumers.removeConnection(connectionId);
  }

  /** Drops clients whose heartbeats stopped and closes their connections. To be called every 10 s. */
  expireSilent(): void {
    const now = this.#clock.now();
    const before = now - this.#settings.channelExpiredTimeout;
    const silent = new Set([...this.producers.expire(before), ...this.consumers.expire(before)]);
    for (const connection of silent) connection.close();
    this.consumers.offline.expire(now - this.#settings.subscriptionExpiredTimeout);
  }
}
