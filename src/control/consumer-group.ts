/** The online side of one consumer group: its members and what they subscribe to. */
import type { ClientConnection } from './context.ts';
import type { ConsumerData } from './heartbeat.ts';
import type { ClientInfo } from './producers.ts';
import type { Subscription } from './subscription.ts';

export const BROADCASTING = 'BROADCASTING';

export interface ConsumerMember extends ClientInfo {
  /** Ms since the epoch of the last heartbeat. */
  lastHeartbeat: number;
}

/** What may be read of a group; the table alone changes it. */
export interface ConsumerGroupView {
  readonly name: string;
  readonly consumeType: string;
  readonly messageModel: string;
  readonly consumeFromWhere: string;
  readonly subscriptions: ReadonlyMap<string, Subscription>;
  members(): ConsumerMember[];
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

  constructor(name: string) {
    this.name = name;
  }

  get isBroadcast(): boolean {
    return this.messageModel === BROADCASTING;
  }

  get isEmpty(): boolean {
    return this.#members.size === 0;
  }

  get size(): number {
    return this.#members.size;
  }

  has(connectionId: string): boolean {
    return this.#members.has(connectionId);
  }

  members(): ConsumerMember[] {
    return [...this.#members.values()];
  }

  connections(): ClientConnection[] {
    return this.members().map((member) => member.connection);
  }

  find(clientId: string): ConsumerMember | undefined {
    for (const member of this.#members.values()) if (member.clientId === clientId) return member;
    return undefined;
  }

  /**
   * Adds or refreshes a member. A client id that comes over another connection has reconnected: its old entry goes,
   * or the group would count it twice until the old connection is found dead. True when a connection is new.
   */
  join(client: ClientInfo, now: number): { joined: boolean; replaced: ConsumerMember | undefined } {
    const id = client.connection.id;
    const known = this.#members.get(id);
    if (known !== undefined && known.clientId === client.clientId) {
      known.lastHeartbeat = now;
      return { joined: false, replaced: undefined };
    }
    const replaced = this.find(client.clientId);
    if (replaced !== undefined) this.#members.delete(replaced.connection.id);
    this.#members.set(id, { ...client, lastHeartbeat: now });
    return { joined: known === undefined, replaced };
  }

  leave(connectionId: string): boolean {
    return this.#members.delete(connectionId);
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
    return { topics, versions };
  }
}
