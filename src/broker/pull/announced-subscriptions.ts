/** Tells control what consumers ask for that have sent no heartbeat of it: each now and then. */
import { MAX_PARSED_FILTERS } from '../../lib/limits.ts';
import type { PulledSubscription } from '../view/deltas.ts';

/** Control forgets subscriptions of silent consumers after ten minutes. */
const ANNOUNCE_MS = 60_000;

export class AnnouncedSubscriptions {
  /** When each was told, ms of the monotonic clock. */
  readonly #told = new Map<string, number>();
  readonly #tell: (subscription: PulledSubscription) => boolean;
  readonly #now: () => number;

  /** `tell`: false = not now. */
  constructor(tell: (subscription: PulledSubscription) => boolean, now: () => number) {
    this.#tell = tell;
    this.#now = now;
  }

  tell(subscription: PulledSubscription): void {
    const { group, topic, expressionType, expression } = subscription;
    const key = `${group}\n${topic}\n${expressionType}\n${expression}`;
    const now = this.#now();
    if (now - (this.#told.get(key) ?? Number.NEGATIVE_INFINITY) <= ANNOUNCE_MS) return;
    if (this.#told.size >= MAX_PARSED_FILTERS) this.#told.clear();
    if (this.#tell(subscription)) this.#told.set(key, now);
  }
}
