/** The queues that a thread below control has been told of, by topic. */
import type { QueueLookup } from '../store/queue/queue-ids.ts';

export class KnownQueues implements QueueLookup {
  readonly #topics = new Map<string, (number | undefined)[]>();
  readonly #queueIds = new Map<number, number>();

  add(topic: string, queueId: number, id: number): void {
    let ids = this.#topics.get(topic);
    if (ids === undefined) {
      ids = [];
      this.#topics.set(topic, ids);
    }
    ids[queueId] = id;
    this.#queueIds.set(id, queueId);
  }

  find(topic: string, queueId: number): number | undefined {
    return this.#topics.get(topic)?.[queueId];
  }

  /** Ids of all queues of a topic. */
  of(topic: string): number[] {
    return (this.#topics.get(topic) ?? []).filter((id) => id !== undefined);
  }

  /** Number within its topic of the queue with this id. */
  queueIdOf(id: number): number | undefined {
    return this.#queueIds.get(id);
  }

  forget(topic: string): void {
    for (const id of this.of(topic)) this.#queueIds.delete(id);
    this.#topics.delete(topic);
  }
}
