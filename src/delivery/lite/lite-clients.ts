/** Who has subscribed to which lite topics. Clients say it again every half minute; who does not is forgotten. */

import type { Clock } from '../../lib/clock.ts';
import { liteNamesIn } from '../../lib/lite-names.ts';
import type { Timers } from '../../lib/timers.ts';
import { LiteClient } from './lite-client.ts';

/** As in RocketMQ (liteSubscriptionCheckTimeoutMills, liteSubscriptionCheckInterval). */
export const FORGOTTEN_MS = 180_000;
const LOOK_MS = 60_000;

export interface LiteClientsParts {
  clock: Clock;
  timers: Timers;
  /** Subscriptions, each of a client to a lite topic, that there may be; clients without any count, too. */
  most: () => number;
}

export class LiteClients {
  readonly #parts: LiteClientsParts;
  readonly #clients = new Map<string, LiteClient>();
  /** By queue. */
  readonly #watchers = new Map<string, Set<LiteClient>>();
  /** Clients that have all lite topics of a parent, by parent. */
  readonly #wild = new Map<string, Set<LiteClient>>();
  #subscriptions = 0;

  constructor(parts: LiteClientsParts) {
    this.#parts = parts;
    this.#lookLater();
  }

  get size(): number {
    return this.#subscriptions + this.#clients.size;
  }

  get full(): boolean {
    return this.size >= this.#parts.most();
  }

  get subscriptions(): number {
    return this.#subscriptions;
  }

  /** As it is: this is no sign of life. */
  peek(clientId: string, group: string): LiteClient | undefined {
    return this.#clients.get(keyOf(clientId, group));
  }

  find(clientId: string, group: string): LiteClient | undefined {
    const client = this.#clients.get(keyOf(clientId, group));
    if (client !== undefined) client.usedAt = this.#parts.clock.monotonic();
    return client;
  }

  /** Undefined when there is no room for more. */
  of(clientId: string, group: string): LiteClient | undefined {
    const known = this.find(clientId, group);
    if (known !== undefined || this.full) return known;
    const client = new LiteClient(clientId, group, this.#parts.clock.monotonic());
    this.#clients.set(keyOf(clientId, group), client);
    return client;
  }

  /** False when there is no room for more; nothing has changed then. */
  add(client: LiteClient, queue: string): boolean {
    if (client.queues.has(queue)) return true;
    if (this.full) return false;
    client.queues.add(queue);
    this.#subscriptions += 1;
    let watchers = this.#watchers.get(queue);
    if (watchers === undefined) {
      watchers = new Set();
      this.#watchers.set(queue, watchers);
    }
    watchers.add(client);
    return true;
  }

  /** False when it had not subscribed to it. */
  remove(client: LiteClient, queue: string): boolean {
    client.ready.delete(queue);
    if (!client.queues.delete(queue)) return false;
    this.#subscriptions -= 1;
    const watchers = this.#watchers.get(queue);
    watchers?.delete(client);
    if (watchers?.size === 0) this.#watchers.delete(queue);
    return true;
  }

  /** From now on it has all lite topics of the parent; false when it has had them before. */
  addAll(client: LiteClient, parent: string): boolean {
    if (client.parent === parent) return false;
    this.#removeAll(client);
    client.parent = parent;
    this.#wild.set(parent, (this.#wild.get(parent) ?? new Set()).add(client));
    return true;
  }

  #removeAll(client: LiteClient): void {
    if (client.parent === undefined) return;
    const clients = this.#wild.get(client.parent);
    clients?.delete(client);
    if (clients?.size === 0) this.#wild.delete(client.parent);
    client.parent = undefined;
  }

  *watchers(queue: string): Iterable<LiteClient> {
    yield* this.#watchers.get(queue) ?? [];
    if (this.#wild.size > 0) yield* this.#wild.get(liteNamesIn(queue)?.parent ?? '') ?? [];
  }

  isWatched(queue: string): boolean {
    for (const _ of this.watchers(queue)) return true;
    return false;
  }

  /** Forgets the client, if nothing of it waits. */
  forget(client: LiteClient): void {
    for (const queue of [...client.queues]) this.remove(client, queue);
    this.#removeAll(client);
    if (client.waiting.size === 0) this.#clients.delete(keyOf(client.clientId, client.group));
  }

  /** The group is deleted. */
  forgetGroup(group: string): LiteClient[] {
    const gone = [...this.#clients.values()].filter((client) => client.group === group);
    for (const client of gone) this.forget(client);
    return gone;
  }

  get all(): Iterable<LiteClient> {
    return this.#clients.values();
  }

  #lookLater(): void {
    const { timers, clock } = this.#parts;
    timers.after(LOOK_MS, () => {
      const before = clock.monotonic() - FORGOTTEN_MS;
      for (const client of this.#clients.values()) if (client.usedAt <= before) this.forget(client);
      this.#lookLater();
    });
  }
}

function keyOf(clientId: string, group: string): string {
  return `${group}@${clientId}`;
}
