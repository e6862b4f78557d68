/** The queues that a thread below control has been told of, by topic. */
import type { QueueLookup } from '../store/queue/queue-ids.ts';

export class KnownQueues implements QueueLookup {
  readonly #topics = new Map<string, (number | undefined)[]>();

  add(topic: string, queueId: number, id: number): void {
    let ids = this.#topics.get(topic);
    if (ids === undefined) {
      ids = [];
      this.#topics.set(topic, ids);
    }
    ids[queueId] = id;
  }

  find(topic: string, queueId: number): number | undefined {
    return this.#topics.get(topic)?.[queueId];
  }

  /** Of all topics. */
  names(): Iterable<string> {
    return this.#topics.keys();
  }

  /** Ids of all queues of a topic, by number; one that is not known yet has none. */
  byNumber(topic: string): readonly (number | undefined)[] {
    return this.#topics.get(topic) ?? [];
  }

  /** Ids of all queues of a topic. */
  of(topic: string): number[] {
    return this.byNumber(topic).filter((id) => id !== undefined);
  }

  forget(topic: string): void {
    this.#topics.delete(topic);
  }
}
