/** The online side of one consumer group: its members and what they subscribe to. */
import type { ClientConnection } from '../remoting/connection.ts';
import type { ConsumerData } from './heartbeat.ts';
import type { ClientInfo } from './producers.ts';
import { bytesOf, type Subscription } from './subscription.ts';

export const BROADCASTING = 'BROADCASTING';

export interface ConsumerMember extends ClientInfo {
  /** Monotonic ms of the last heartbeat. */
  lastHeartbeat: number;
}

/** What may be read of a group; the table alone changes it. */
export interface ConsumerGroupView {
  readonly name: string;
  readonly consumeType: string;
  readonly messageModel: string;
  readonly consumeFromWhere: string;
  readonly subscriptions: ReadonlyMap<string, Subscription>;
  /** Another number after each change of its members. */
  readonly revision: number;
  /** One for each connection, in order of arrival. */
  members(): ConsumerMember[];
  /** Each once, although two connections may have one. */
  clientIds(): string[];
  /** The client's newest connection. */
  find(clientId: string): ConsumerMember | undefined;
}

export class ConsumerGroup implements ConsumerGroupView {
  readonly name: string;
  consumeType = 'CONSUME_PASSIVELY';
  messageModel = 'CLUSTERING';
  consumeFromWhere = 'CONSUME_FROM_LAST_OFFSET';
  readonly subscriptions = new Map<string, Subscription>();
  /** Fingerprint of the last heartbeat, 0 from clients without; undefined before the first. */
  fingerprint: number | undefined;
  /** By connection id, in order of arrival. */
  readonly #members = new Map<string, ConsumerMember>();
  /** The same by client id, then by connection id, the newest last. */
  readonly #byClient = new Map<string, Map<string, ConsumerMember>>();

  #bytes = 0;
  #revision = 0;

  constructor(name: string) {
    this.name = name;
  }

  get revision(): number {
    return this.#revision;
  }

  get isBroadcast(): boolean {
    return this.messageModel === BROADCASTING;
  }

  get isEmpty(): boolean {
    return this.#members.size === 0;
  }

  /** Bytes of its subscriptions. */
  get bytes(): number {
    return this.#bytes;
  }

  get size(): number {
    return this.#members.size;
  }

  has(connectionId: string): boolean {
    return this.#members.has(connectionId);
  }

  member(connectionId: string): ConsumerMember | undefined {
    return this.#members.get(connectionId);
  }

  members(): ConsumerMember[] {
    return [...this.#members.values()];
  }

  connections(): ClientConnection[] {
    return this.members().map((member) => member.connection);
  }

  clientIds(): string[] {
    return [...this.#byClient.keys()];
  }

  find(clientId: string): ConsumerMember | undefined {
    return [...(this.#byClient.get(clientId)?.values() ?? [])].at(-1);
  }

  /**
   * Adds or refreshes a member. Two connections may have one client id: a client that has reconnected while the old
   * connection is not known to be dead, or two clients by mistake. Both count, so that when either closes the other is
   * still there. `joined`: who is in the group has changed; `other`: a connection that had the id before.
   */
  join(client: ClientInfo, now: number): { joined: boolean; other: ConsumerMember | undefined } {
    const id = client.connection.id;
    const known = this.#members.get(id);
    if (known !== undefined && known.clientId === client.clientId) {
      known.lastHeartbeat = now;
      return { joined: false, other: undefined };
    }
    this.leave(id);
    const member = { ...client, lastHeartbeat: now };
    this.#revision++;
    this.#members.set(id, member);
    const others = this.#byClient.get(client.clientId);
    if (others === undefined) {
      this.#byClient.set(client.clientId, new Map([[id, member]]));
      return { joined: true, other: undefined };
    }
    const other = others.values().next().value;
    others.set(id, member);
    return { joined: true, other };
  }

  leave(connectionId: string): boolean {
    const member = this.#members.get(connectionId);
    if (member === undefined) return false;
    this.#revision++;
    this.#members.delete(connectionId);
    const sameId = this.#byClient.get(member.clientId);
    sameId?.delete(connectionId);
    if (sameId?.size === 0) this.#byClient.delete(member.clientId);
    return true;
  }

  /** True when one of the three was different before. */
  describe(data: Pick<ConsumerData, 'consumeType' | 'messageModel' | 'consumeFromWhere'>): boolean {
    const same =
      this.consumeType === data.consumeType &&
      this.messageModel === data.messageModel &&
      this.consumeFromWhere === data.consumeFromWhere;
    this.consumeType = data.consumeType;
    this.messageModel = data.messageModel;
    this.consumeFromWhere = data.consumeFromWhere;
    return !same;
  }

  /**
   * Takes over the subscriptions of a heartbeat: newer versions replace older ones, topics that are no longer named
   * go. `topics`: the set of topics changed, which members are told; `versions`: an expression changed.
   */
  subscribe(subscriptions: readonly Subscription[]): { topics: boolean; versions: boolean } {
    let topics = false;
    let versions = false;
    for (const subscription of subscriptions) {
      const known = this.subscriptions.get(subscription.topic);
      if (known !== undefined && subscription.subVersion <= known.subVersion) continue;
      this.subscriptions.set(subscription.topic, subscription);
      if (known === undefined) topics = true;
      else versions = true;
    }
    const named = new Set(subscriptions.map((subscription) => subscription.topic));
    for (const topic of [...this.subscriptions.keys()]) {
      if (named.has(topic)) continue;
      this.subscriptions.delete(topic);
      topics = true;
    }
    if (topics || versions) this.#bytes = sumOf(this.subscriptions.values());
    return { topics, versions };
  }
}

/** Bytes of these subscriptions. */
export function sumOf(subscriptions: Iterable<Subscription>): number {
  let sum = 0;
  for (const subscription of subscriptions) sum += bytesOf(subscription);
  return sum;
}
