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

/** A connection of a client, and in how many groups it is. */
interface Presence {
  readonly connection: ClientConnection;
  groups: number;
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
  /** By client id, then by connection id, the newest last: when it closes, the one before it takes over. */
  readonly #clients = new Map<string, Map<string, Presence>>();
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
    const connections = this.#clients.get(client.clientId) ?? new Map<string, Presence>();
    const presence = connections.get(id) ?? { connection: client.connection, groups: 0 };
    presence.groups += 1;
    this.#clients.set(client.clientId, connections.set(id, presence));
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

  /** The newest connection of a client, for replies and recalls. */
  findConnection(clientId: string): ClientConnection | undefined {
    return [...(this.#clients.get(clientId)?.values() ?? [])].at(-1)?.connection;
  }

  /** One connection of the group, in turn: any of its members can say how a transaction ended. */
  pick(group: string): ClientConnection | undefined {
    return this.#groups.get(group)?.next()?.connection;
  }

  /** The client's connection counts as long as it is in any group. */
  #leave({ clientId, connection }: ProducerMember): void {
    const connections = this.#clients.get(clientId);
    const presence = connections?.get(connection.id);
    if (connections === undefined || presence === undefined) return;
    presence.groups -= 1;
    if (presence.groups === 0) connections.delete(connection.id);
    if (connections.size === 0) this.#clients.delete(clientId);
  }
}
