/** Everybody who is connected: producers and consumers, what happens when they fall silent or their connection ends. */
import type { Clock } from '../lib/clock.ts';
import type { ControlLog } from '../lib/log.ts';
import type { Timers } from '../lib/timers.ts';
import type { BrokerSettings } from '../metadata/settings.ts';
import { ConsumerTable } from './consumers.ts';
import { ProducerTable } from './producers.ts';

export class ClientTable {
  readonly producers = new ProducerTable();
  readonly consumers: ConsumerTable;
  readonly #settings: BrokerSettings;
  readonly #clock: Clock;
  #version = 0;

  constructor(settings: BrokerSettings, clock: Clock, log: ControlLog, timers: Timers) {
    this.#settings = settings;
    this.#clock = clock;
    this.consumers = new ConsumerTable(settings, clock, log, timers);
  }

  /**
   * Version for the subscriptions of clients that send none: the time in ms, but always greater than the last one, as a
   * group takes no older subscription and the clock may have been set back.
   */
  nextVersion(): number {
    this.#version = Math.max(this.#version + 1, this.#clock.now());
    return this.#version;
  }

  /** The connection is gone: its clients leave all groups at once. */
  connectionClosed(connectionId: string): void {
    this.producers.removeConnection(connectionId);
    this.consumers.removeConnection(connectionId);
  }

  /** Drops clients whose heartbeats stopped and closes their connections. To be called every 10 s. */
  expireSilent(): void {
    const now = this.#clock.monotonic();
    const before = now - this.#settings.channelExpiredTimeout;
    const silent = new Set([...this.producers.expire(before), ...this.consumers.expire(before)]);
    for (const connection of silent) connection.close();
    this.consumers.offline.expire(now - this.#settings.subscriptionExpiredTimeout);
  }
}
