/** Producers by group and connection, as their heartbeats told. */
import { MAX_PRODUCER_GROUPS } from '../lib/limits.ts';
import type { ClientConnection } from './context.ts';
import { tableFull } from './request-fields.ts';

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
  /** Ms since the epoch of the last heartbeat. */
  lastHeartbeat: number;
}

export class ProducerTable {
  /** By group, then by connection id. */
  readonly #groups = new Map<string, Map<string, ProducerMember>>();
  /** Newest connection of a client id. */
  readonly #connections = new Map<string, ClientConnection>();
  /** Groups of each connection, by its id. */
  readonly #groupsOf = new Map<string, Set<string>>();
  #turn = 0;

  /** Throws a RequestError when the connection is in too many groups. */
  register(group: string, client: ClientInfo, now: number): void {
    const groups = this.#groupsOf.get(client.connection.id) ?? new Set<string>();
    if (groups.size >= MAX_PRODUCER_GROUPS && !groups.has(group)) {
      throw tableFull('producer groups of a connection', MAX_PRODUCER_GROUPS, 'MAX_PRODUCER_GROUPS');
    }
    this.#groupsOf.set(client.connection.id, groups.add(group));
    const members = this.#groups.get(group) ?? new Map<string, ProducerMember>();
    const known = members.get(client.connection.id);
    if (known !== undefined && known.clientId === client.clientId) known.lastHeartbeat = now;
    else members.set(client.connection.id, { ...client, lastHeartbeat: now });
    this.#groups.set(group, members);
    this.#connections.set(client.clientId, client.connection);
  }

  unregister(group: string, connectionId: string): void {
    const members = this.#groups.get(group);
    const member = members?.get(connectionId);
    if (members === undefined || member === undefined) return;
    members.delete(connectionId);
    if (members.size === 0) this.#groups.delete(group);
    const groups = this.#groupsOf.get(connectionId);
    groups?.delete(group);
    if (groups?.size === 0) this.#groupsOf.delete(connectionId);
    this.#forget(member);
  }

  removeConnection(connectionId: string): void {
    for (const group of [...(this.#groupsOf.get(connectionId) ?? [])]) this.unregister(group, connectionId);
  }

  /** Drops members without heartbeat since `before` (ms) and returns their connections. */
  expire(before: number): ClientConnection[] {
    const expired = new Set<ClientConnection>();
    for (const [group, members] of [...this.#groups]) {
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
    const members = this.#groups.get(group);
    return members === undefined ? undefined : [...members.values()];
  }

  groups(): [string, ProducerMember[]][] {
    return [...this.#groups].map(([group, members]) => [group, [...members.values()]]);
  }

  /** The connection of a client, for replies and recalls. */
  findConnection(clientId: string): ClientConnection | undefined {
    return this.#connections.get(clientId);
  }

  /** One connection of the group, in turn: any of its members can say how a transaction ended. */
  pick(group: string): ClientConnection | undefined {
    const members = this.members(group);
    if (members === undefined) return undefined;
    this.#turn = (this.#turn + 1) % Number.MAX_SAFE_INTEGER;
    return members[this.#turn % members.length]?.connection;
  }

  /** The client id is forgotten when its connection is in no group any more and no newer one took its place. */
  #forget(member: ProducerMember): void {
    if (this.#connections.get(member.clientId) !== member.connection) return;
    if (this.#groupsOf.has(member.connection.id)) return;
    this.#connections.delete(member.clientId);
  }
}
