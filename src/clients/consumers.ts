/**
 * Consumers that are online, by group. Members are told by notice 40 when someone joins or leaves or the topics
 * change, so that they share the queues anew; broadcasting groups have nothing to share.
 */
import type { Clock } from '../lib/clock.ts';
import { MAX_CONSUMERS, MAX_GROUP_MEMBERS, MAX_SUBSCRIPTION_BYTES } from '../lib/limits.ts';
import { Listeners } from '../lib/listeners.ts';
import type { ControlLog } from '../lib/log.ts';
import type { Timers } from '../lib/timers.ts';
import type { BrokerSettings } from '../metadata/settings.ts';
import { RequestCode } from '../protocol/codes.ts';
import { newOnewayRequest } from '../protocol/outgoing.ts';
import { tableFull } from '../protocol/request-fields.ts';
import type { ClientConnection } from '../remoting/connection.ts';
import { ConsumerGroup, type ConsumerGroupView, sumOf } from './consumer-group.ts';
import { GroupNotices } from './group-notices.ts';
import type { ConsumerData } from './heartbeat.ts';
import { OfflineSubscriptions } from './offline-subscriptions.ts';
import type { ClientInfo, GroupPresence } from './producers.ts';
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
  readonly presence = new Listeners<GroupPresence>();
  /** Subscriptions of consumers that pull without heartbeats. */
  readonly offline: OfflineSubscriptions;

  readonly #settings: BrokerSettings;
  readonly #clock: Clock;
  readonly #log: ControlLog;
  readonly #groups = new Map<string, ConsumerGroup>();
  /** By connection id: the groups that it is in. */
  readonly #groupsOf = new Map<string, Set<ConsumerGroup>>();
  readonly #notices: GroupNotices;
  /** Of all groups: members, and bytes of subscriptions. */
  #members = 0;
  #bytes = 0;

  constructor(settings: BrokerSettings, clock: Clock, log: ControlLog, timers: Timers) {
    this.#settings = settings;
    this.#clock = clock;
    this.#log = log;
    this.#notices = new GroupNotices(timers, (group) => this.#notify(group));
    this.offline = new OfflineSubscriptions(clock);
  }

  get(group: string): ConsumerGroupView | undefined {
    return this.#groups.get(group);
  }

  /** Of groups with somebody in them. */
  names(): string[] {
    return [...this.#groups.keys()];
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
   * RequestError when the group is full, or all groups together are.
   */
  register(registration: Registration): boolean {
    const { client, consumer, fingerprint } = registration;
    const group = this.#groups.get(consumer.groupName) ?? new ConsumerGroup(consumer.groupName);
    if (group.size >= MAX_GROUP_MEMBERS && !group.has(client.connection.id)) {
      throw tableFull('consumers in a group', MAX_GROUP_MEMBERS, 'MAX_GROUP_MEMBERS');
    }
    this.#checkRoom(group, registration);
    const isNew = group.isEmpty;
    const { size, bytes } = group;
    this.#groups.set(group.name, group);
    const previous = group.fingerprint;
    group.fingerprint = fingerprint;
    const described = group.describe(consumer);
    const { joined, other } = group.join(client, this.#clock.monotonic());
    if (joined) this.#noteGroup(client.connection.id, group);
    if (other !== undefined) {
      this.#log.warn(
        {
          group: group.name,
          clientId: client.clientId,
          client: client.connection.remoteAddress,
          other: other.connection.remoteAddress,
        },
        'a second connection with this client id: give each client an instance name of its own, or it has reconnected',
      );
    }
    const subscribed = registration.withoutSubscriptions
      ? { topics: false, versions: false }
      : group.subscribe(consumer.subscriptions);
    this.#members += group.size - size;
    this.#bytes += group.bytes - bytes;
    if (isNew) this.presence.emit({ group: group.name, online: true, client });
    if (isNew || described || subscribed.topics || subscribed.versions) this.changed.emit(group.name);
    if (registration.notify && (joined || subscribed.topics)) this.#notices.changed(group.name);
    const unknown = registration.withoutSubscriptions && previous === undefined;
    return fingerprint !== 0 && (unknown || (previous !== undefined && previous !== fingerprint));
  }

  #checkRoom(group: ConsumerGroup, { client, consumer, withoutSubscriptions }: Registration): void {
    if (this.#members >= MAX_CONSUMERS && !group.has(client.connection.id))
      throw tableFull('members of all consumer groups', MAX_CONSUMERS, 'MAX_CONSUMERS');
    if (withoutSubscriptions) return;
    const bytes = this.#bytes - group.bytes + sumOf(consumer.subscriptions);
    if (bytes <= MAX_SUBSCRIPTION_BYTES) return;
    const what = 'bytes of the subscriptions of all groups';
    throw tableFull(what, MAX_SUBSCRIPTION_BYTES, 'MAX_SUBSCRIPTION_BYTES');
  }

  /** A client leaves a group of its own accord (request 35). */
  unregister(groupName: string, connectionId: string, notify: boolean): void {
    const group = this.#groups.get(groupName);
    if (group !== undefined) this.#leave(group, connectionId, notify);
  }

  removeConnection(connectionId: string): void {
    for (const group of [...(this.#groupsOf.get(connectionId) ?? [])]) {
      this.#leave(group, connectionId, true);
    }
  }

  /** Drops members without heartbeat since `before` (monotonic ms) and returns their connections. */
  expire(before: number): ClientConnection[] {
    const expired = new Set<ClientConnection>();
    for (const group of [...this.#groups.values()]) {
      for (const member of group.members()) {
        if (member.lastHeartbeat >= before) continue;
        this.#leave(group, member.connection.id, true);
        expired.add(member.connection);
        const who = { group: group.name, clientId: member.clientId, client: member.connection.remoteAddress };
        this.#log.warn(who, 'consumer silent for too long: its connection is closed');
      }
    }
    return [...expired];
  }

  #noteGroup(connectionId: string, group: ConsumerGroup): void {
    const groups = this.#groupsOf.get(connectionId);
    if (groups === undefined) this.#groupsOf.set(connectionId, new Set([group]));
    else groups.add(group);
  }

  #leave(group: ConsumerGroup, connectionId: string, notify: boolean): void {
    const member = group.member(connectionId);
    if (member === undefined) return;
    group.leave(connectionId);
    this.#members -= 1;
    const groups = this.#groupsOf.get(connectionId);
    groups?.delete(group);
    if (groups?.size === 0) this.#groupsOf.delete(connectionId);
    if (group.isEmpty) {
      this.#groups.delete(group.name);
      this.#bytes -= group.bytes;
      this.changed.emit(group.name);
      this.presence.emit({ group: group.name, online: false, client: member });
    } else if (notify) {
      this.#notices.changed(group.name);
    }
  }

  /** Tells whoever is in the group now; returns how many those are. */
  #notify(name: string): number {
    const group = this.#groups.get(name);
    if (group === undefined || group.isBroadcast) return 0;
    if (!this.#settings.notifyConsumerIdsChangedEnable) return 0;
    const connections = group.connections();
    for (const connection of connections) {
      connection.send(newOnewayRequest(RequestCode.NOTIFY_CONSUMER_IDS_CHANGED, { consumerGroup: name }));
    }
    return connections.length;
  }
}
