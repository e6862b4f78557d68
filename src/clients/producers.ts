/** Producers by group and connection, as their heartbeats told. */
import { MAX_PRODUCER_GROUPS, MAX_PRODUCERS } from '../lib/limits.ts';
import { Listeners } from '../lib/listeners.ts';
import { tableFull } from '../protocol/request-fields.ts';
import type { ClientConnection } from '../remoting/connection.ts';

/** One client on one connection; shared shape of producers and consumers. */
export interface ClientInfo {
  readonly connection: ClientConnection;
  readonly clientId: string;
  /** Language by name, as on the wire. */
  readonly language: string;
  /** The client's MQVersion ordinal. */
  readonly version: number;
}

export interface ProducerMember extends ClientInfo {
  /** Monotonic ms of the last heartbeat. */
  lastHeartbeat: number;
}

/** A group has its first member, or has lost its last one. */
export interface GroupPresence {
  readonly group: string;
  readonly online: boolean;
  /** The member that came or went. */
  readonly client: ClientInfo;
}

/** A connection of a client, in how many groups it is, and its neighbours in the order in which they came. */
interface Presence {
  readonly connection: ClientConnection;
  groups: number;
  older: Presence | undefined;
  newer: Presence | undefined;
}

/** The connections of one client id. Any number of them may call themselves the same: none is looked for. */
class ClientConnections {
  readonly #byId = new Map<string, Presence>();
  #newest: Presence | undefined;

  get newest(): ClientConnection | undefined {
    return this.#newest?.connection;
  }

  get isEmpty(): boolean {
    return this.#newest === undefined;
  }

  /** It is in one more group. */
  join(connection: ClientConnection): void {
    const known = this.#byId.get(connection.id);
    if (known !== undefined) {
      known.groups += 1;
      return;
    }
    const presence: Presence = { connection, groups: 1, older: this.#newest, newer: undefined };
    if (this.#newest !== undefined) this.#newest.newer = presence;
    this.#newest = presence;
    this.#byId.set(connection.id, presence);
  }

  /** It is in one group less; it counts as long as it is in any. */
  leave(connectionId: string): void {
    const presence = this.#byId.get(connectionId);
    if (presence === undefined) return;
    presence.groups -= 1;
    if (presence.groups > 0) return;
    this.#byId.delete(connectionId);
    const { older, newer } = presence;
    if (older !== undefined) older.newer = newer;
    if (newer !== undefined) newer.older = older;
    else this.#newest = older;
  }
}

/** Members by connection id, and whose turn it is. */
class ProducerGroup {
  readonly members = new Map<string, ProducerMember>();
  #turns = this.members.values();

  /** The next one. A map's iterator goes on over what comes and goes meanwhile. */
  next(): ProducerMember | undefined {
    const { value } = this.#turns.next();
    if (value !== undefined) return value;
    this.#turns = this.members.values();
    return this.#turns.next().value;
  }
}

export class ProducerTable {
  readonly presence = new Listeners<GroupPresence>();
  readonly #groups = new Map<string, ProducerGroup>();
  /** By connection id: the groups that it is in. */
  readonly #groupsOf = new Map<string, Set<string>>();
  /** By client id: when its newest connection closes, the one before it takes over. */
  readonly #clients = new Map<string, ClientConnections>();
  /** Of all groups. */
  #members = 0;

  /**
   * `now`: monotonic ms. Throws a RequestError when the connection is in too many groups, or all groups together have
   * too many members.
   */
  register(group: string, client: ClientInfo, now: number): void {
    const { id } = client.connection;
    const known = this.#groups.get(group)?.members.get(id);
    if (known !== undefined && known.clientId === client.clientId) {
      known.lastHeartbeat = now;
      return;
    }
    this.unregister(group, id);
    const groups = this.#groupsOf.get(id) ?? new Set<string>();
    if (groups.size >= MAX_PRODUCER_GROUPS) {
      throw tableFull('producer groups of a connection', MAX_PRODUCER_GROUPS, 'MAX_PRODUCER_GROUPS');
    }
    if (this.#members >= MAX_PRODUCERS)
      throw tableFull('members of all producer groups', MAX_PRODUCERS, 'MAX_PRODUCERS');
    this.#members += 1;
    const { members } = this.#groups.get(group) ?? this.#begin(group);
    members.set(id, { ...client, lastHeartbeat: now });
    this.#groupsOf.set(id, groups.add(group));
    const connections = this.#clients.get(client.clientId) ?? new ClientConnections();
    connections.join(client.connection);
    this.#clients.set(client.clientId, connections);
    if (members.size === 1) this.presence.emit({ group, online: true, client });
  }

  #begin(group: string): ProducerGroup {
    const begun = new ProducerGroup();
    this.#groups.set(group, begun);
    return begun;
  }

  unregister(group: string, connectionId: string): void {
    const members = this.#groups.get(group)?.members;
    const member = members?.get(connectionId);
    if (members === undefined || member === undefined) return;
    members.delete(connectionId);
    this.#members -= 1;
    const isLast = members.size === 0;
    if (isLast) this.#groups.delete(group);
    const groups = this.#groupsOf.get(connectionId);
    groups?.delete(group);
    if (groups?.size === 0) this.#groupsOf.delete(connectionId);
    this.#leave(member);
    if (isLast) this.presence.emit({ group, online: false, client: member });
  }

  removeConnection(connectionId: string): void {
    for (const group of [...(this.#groupsOf.get(connectionId) ?? [])]) this.unregister(group, connectionId);
  }

  /** Drops members without heartbeat since `before` (monotonic ms) and returns their connections. */
  expire(before: number): ClientConnection[] {
    const expired = new Set<ClientConnection>();
    for (const [group, { members }] of [...this.#groups]) {
      for (const member of [...members.values()]) {
        if (member.lastHeartbeat >= before) continue;
        expired.add(member.connection);
        this.unregister(group, member.connection.id);
      }
    }
    return [...expired];
  }

  /** Members of a group; undefined when nobody is online. */
  members(group: string): ProducerMember[] | undefined {
    const members = this.#groups.get(group)?.members;
    return members === undefined ? undefined : [...members.values()];
  }

  /** Of groups with somebody in them. */
  names(): string[] {
    return [...this.#groups.keys()];
  }

  groups(): [string, ProducerMember[]][] {
    return [...this.#groups].map(([group, { members }]) => [group, [...members.values()]]);
  }

  /** The newest connection of a client: the way of replies to it. */
  findConnection(clientId: string): ClientConnection | undefined {
    return this.#clients.get(clientId)?.newest;
  }

  /** One connection of the group, in turn: any of its members can say how a transaction ended. */
  pick(group: string): ClientConnection | undefined {
    return this.#groups.get(group)?.next()?.connection;
  }

  #leave({ clientId, connection }: ProducerMember): void {
    const connections = this.#clients.get(clientId);
    connections?.leave(connection.id);
    if (connections?.isEmpty) this.#clients.delete(clientId);
  }
}
