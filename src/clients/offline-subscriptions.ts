/**
 * What consumers subscribe to that pull without heartbeats (they send the expression along): kept for statistics, so
 * that a topic they read counts as subscribed.
 */
import type { Clock } from '../lib/clock.ts';
import { MAX_OFFLINE_SUBSCRIPTION_BYTES, MAX_OFFLINE_SUBSCRIPTIONS } from '../lib/limits.ts';
import { bytesOf, type Subscription } from './subscription.ts';

interface Seen {
  subscription: Subscription;
  /** Monotonic ms of the last pull with it. */
  at: number;
}

export class OfflineSubscriptions {
  readonly #clock: Clock;
  /** By group, then by topic. */
  readonly #groups = new Map<string, Map<string, Seen>>();
  #count = 0;
  #bytes = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Past MAX_OFFLINE_SUBSCRIPTIONS and MAX_OFFLINE_SUBSCRIPTION_BYTES only those that are known are kept up. */
  note(group: string, subscription: Subscription): void {
    const topics = this.#groups.get(group) ?? new Map<string, Seen>();
    const known = topics.get(subscription.topic);
    const bytes =
      this.#bytes - (known === undefined ? 0 : bytesOf(known.subscription)) + bytesOf(subscription);
    if (bytes > MAX_OFFLINE_SUBSCRIPTION_BYTES) {
      if (known !== undefined) known.at = this.#clock.monotonic();
      return;
    }
    if (known === undefined) {
      if (this.#count >= MAX_OFFLINE_SUBSCRIPTIONS) return;
      this.#count += 1;
    }
    this.#bytes = bytes;
    topics.set(subscription.topic, { subscription, at: this.#clock.monotonic() });
    this.#groups.set(group, topics);
  }

  find(group: string, topic: string): Subscription | undefined {
    return this.#groups.get(group)?.get(topic)?.subscription;
  }

  /** Forgets what was not used since `before` (monotonic ms). */
  expire(before: number): void {
    for (const [group, topics] of this.#groups) {
      for (const [topic, { at, subscription }] of topics) {
        if (at >= before) continue;
        topics.delete(topic);
        this.#count -= 1;
        this.#bytes -= bytesOf(subscription);
      }
      if (topics.size === 0) this.#groups.delete(group);
    }
  }
}
