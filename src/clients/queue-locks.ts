/**
 * Locks of orderly consumers: a queue belongs to one client of a group. A lock that its owner does not refresh
 * (every 20 s, by request 41) is free for others after a minute.
 */
import type { Clock } from '../lib/clock.ts';
import { MAX_LOCKS } from '../lib/limits.ts';
import { tableFull } from '../protocol/request-fields.ts';

export const LOCK_LIFETIME_MS = 60_000;

/** A queue as clients name it; also the JSON shape. */
export interface MessageQueue {
  brokerName: string;
  queueId: number;
  topic: string;
}

interface Lock {
  clientId: string;
  /** Monotonic ms of the last grant or refresh. */
  refreshedAt: number;
}

export class QueueLocks {
  readonly #clock: Clock;
  /** By group, then by queue. */
  readonly #groups = new Map<string, Map<string, Lock>>();
  #count = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /**
   * Grants, or refreshes, what is free, expired or the client's own; returns those queues in the order asked. Throws a
   * RequestError when they could become too many.
   */
  lock(group: string, queues: readonly MessageQueue[], clientId: string): MessageQueue[] {
    const locks = this.#groups.get(group) ?? new Map<string, Lock>();
    if (this.#count + queues.length > MAX_LOCKS) this.sweep();
    if (this.#count + queues.length > MAX_LOCKS) throw tableFull('locked queues', MAX_LOCKS, 'MAX_LOCKS');
    this.#count -= locks.size;
    const granted = queues.filter((queue) => {
      const key = keyOf(queue);
      const lock = locks.get(key);
      if (lock !== undefined && lock.clientId !== clientId && !this.#isExpired(lock)) return false;
      locks.set(key, { clientId, refreshedAt: this.#clock.monotonic() });
      return true;
    });
    this.#count += locks.size;
    if (locks.size > 0) this.#groups.set(group, locks);
    return granted;
  }

  /** Releases the client's own locks; those of others stay. */
  unlock(group: string, queues: readonly MessageQueue[], clientId: string): void {
    const locks = this.#groups.get(group);
    if (locks === undefined) return;
    for (const queue of queues) {
      const key = keyOf(queue);
      if (locks.get(key)?.clientId === clientId && locks.delete(key)) this.#count -= 1;
    }
    if (locks.size === 0) this.#groups.delete(group);
  }

  /** Does any client of the group hold a lock? That is how the broker knows that the group consumes in order. */
  anyHeld(group: string): boolean {
    for (const lock of this.#groups.get(group)?.values() ?? []) if (!this.#isExpired(lock)) return true;
    return false;
  }

  /** Forgets expired locks. To be called now and then, or dead groups would stay for ever. */
  sweep(): void {
    for (const [group, locks] of this.#groups) {
      for (const [key, lock] of locks) if (this.#isExpired(lock) && locks.delete(key)) this.#count -= 1;
      if (locks.size === 0) this.#groups.delete(group);
    }
  }

  #isExpired(lock: Lock): boolean {
    return this.#clock.monotonic() - lock.refreshedAt > LOCK_LIFETIME_MS;
  }
}

/** Names cannot hold a slash. */
function keyOf(queue: MessageQueue): string {
  return `${queue.brokerName}/${queue.topic}/${queue.queueId}`;
}
