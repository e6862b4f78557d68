/**
 * Consumers that are online, by group. Members are told by notice 40 when someone joins or leaves or the topics
 * change, so that they share the queues anew; broadcasting groups have nothing to share.
 */
import type { Clock } from '../lib/clock.ts';
import { MAX_GROUP_MEMBERS } from '../lib/limits.ts';
import { Listeners } from '../lib/listeners.ts';
import { RequestCode } from '../protocol/codes.ts';
import { ConsumerGroup, type ConsumerGroupView } from './consumer-group.ts';
import type { ClientConnection } from './context.ts';
import type { ConsumerData } from './heartbeat.ts';
import type { ControlLog } from './log.ts';
import { OfflineSubscriptions } from './offline-subscriptions.ts';
import { newOnewayRequest } from './outgoing.ts';
import type { ClientInfo } from './producers.ts';
import { tableFull } from './request-fields.ts';
import type { BrokerSettings } from './settings.ts';
import type { Subscription } from './subscription.ts';

export interface Registration {
  client: ClientInfo;
  consumer: ConsumerData;
  /** Does the group's configuration want change notices? */
  notify: boolean;
  /** 0 for heartbeats V1. */
  fingerprint: number;
  /** V2: `consumer.subscriptions` was left out. */
  withoutSubscriptions: boolean;
}

export class ConsumerTable {
  /** A group came or went, or its subscriptions or its kind changed; `get(group)` tells. */
  readonly changed = new Listeners<string>();
  /** Subscriptions of consumers that pull without heartbeats. */
  readonly offline: OfflineSubscriptions;

  readonly #settings: BrokerSettings;
  readonly #clock: Clock;
  readonly #log: ControlLog;
  readonly #groups = new Map<string, ConsumerGroup>();

  constructor(settings: BrokerSettings, clock: Clock, log: ControlLog) {
    this.#settings = settings;
    this.#clock = clock;
    this.#log = log;
    this.offline = new OfflineSubscriptions(clock);
  }

  get(group: string): ConsumerGroupView | undefined {
    return this.#groups.get(group);
  }

  all(): IterableIterator<ConsumerGroupView> {
    return this.#groups.values();
  }

  /** What the group wants of the topic, told by a heartbeat or else by a pull. */
  findSubscription(group: string, topic: string): Subscription | undefined {
    return this.#groups.get(group)?.subscriptions.get(topic) ?? this.offline.find(group, topic);
  }

  /** Online groups that subscribe to the topic. */
  groupsOf(topic: string): string[] {
    return [...this.#groups.values()]
      .filter((group) => group.subscriptions.has(topic))
      .map((group) => group.name);
  }

  /**
   * One consumer of a heartbeat. True when the client has to send its subscriptions (again): they differ from those
   * of the group's last heartbeat, or it left them out and they are not known here, as after a restart. Throws a
   * RequestError when the group is full.
   */
  register(registration: Registration): boolean {
    const { client, consumer, fingerprint } = registration;
    const group = this.#groups.get(consumer.groupName) ?? new ConsumerGroup(consumer.groupName);
    if (group.size >= MAX_GROUP_MEMBERS && !group.has(client.connection.id)) {
      throw tableFull('consumers in a group', MAX_GROUP_MEMBERS, 'MAX_GROUP_MEMBERS');
    }
    this.#groups.set(group.name, group);
    const previous = group.fingerprint;
    group.fingerprint = fingerprint;
    const described = group.describe(consumer);
    const { joined, other } = group.join(client, this.#clock.monotonic());
    if (other !== undefined) {
      this.#log.warn(
        {
          group: group.name,
          clientId: client.clientId,
          from: client.connection.remoteAddress,
          other: other.connection.remoteAddress,
        },
        'a second connection with this client id: give each client an instance name of its own, or it has reconnected',
      );
    }
    const subscribed = registration.withoutSubscriptions
      ? { topics: false, versions: false }
      : group.subscribe(consumer.subscriptions);
    const came = joined && group.size === 1;
    if (described || came || subscribed.topics || subscribed.versions) this.changed.emit(group.name);
    if (registration.notify && (joined || subscribed.topics)) this.#notify(group);
    const unknown = registration.withoutSubscriptions && previous === undefined;
    return fingerprint !== 0 && (unknown || (previous !== undefined && previous !== fingerprint));
  }

  /** A client leaves a group of its own accord (request 35). */
  unregister(groupName: string, connectionId: string, notify: boolean): void {
    const group = this.#groups.get(groupName);
    if (group?.leave(connectionId)) this.#afterLeaving(group, notify);
  }

  removeConnection(connectionId: string): void {
    for (const group of [...this.#groups.values()]) {
      if (group.leave(connectionId)) this.#afterLeaving(group, true);
    }
  }

  /** Drops members without heartbeat since `before` (monotonic ms) and returns their connections. */
  expire(before: number): ClientConnection[] {
    const expired = new Set<ClientConnection>();
    for (const group of [...this.#groups.values()]) {
      const silent = group.members().filter((member) => member.lastHeartbeat < before);
      if (silent.length === 0) continue;
      for (const member of silent) {
        group.leave(member.connection.id);
        expired.add(member.connection);
        this.#log.warn({ group: group.name, clientId: member.clientId }, 'consumer silent for too long');
      }
      this.#afterLeaving(group, true);
    }
    return [...expired];
  }

  #afterLeaving(group: ConsumerGroup, notify: boolean): void {
    if (group.isEmpty) {
      this.#groups.delete(group.name);
      this.changed.emit(group.name);
    }
    if (notify) this.#notify(group);
  }

  #notify(group: ConsumerGroup): void {
    if (group.isBroadcast || !this.#settings.notifyConsumerIdsChangedEnable) return;
    for (const connection of group.connections()) {
      connection.send(
        newOnewayRequest(RequestCode.NOTIFY_CONSUMER_IDS_CHANGED, { consumerGroup: group.name }),
      );
    }
  }
}
