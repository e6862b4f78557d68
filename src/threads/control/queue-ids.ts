/** Gives every topic-queue its id in the queue directory; never twice the same within a process. */
import { MAX_QUEUES } from '../../store/queue/queue-directory.ts';

export interface QueueName {
  topic: string;
  queueId: number;
}

export class QueueIds {
  readonly #topics = new Map<string, number[]>();
  readonly #names: (QueueName | undefined)[] = [undefined];

  /** The queue's id, given out now if it has none. */
  idOf(topic: string, queueId: number): number {
    let ids = this.#topics.get(topic);
    if (ids === undefined) {
      ids = [];
      this.#topics.set(topic, ids);
    }
    let id = ids[queueId];
    if (id === undefined) {
      id = this.#names.length;
      if (id >= MAX_QUEUES) {
        throw new Error(
          `no more than ${MAX_QUEUES} queues fit into one broker: delete topics and restart it.`,
        );
      }
      ids[queueId] = id;
      this.#names.push({ topic, queueId });
    }
    return id;
  }

  /** The queue's id if it has one. */
  find(topic: string, queueId: number): number | undefined {
    return this.#topics.get(topic)?.[queueId];
  }

  nameOf(id: number): QueueName | undefined {
    return this.#names[id];
  }

  /** Ids of all queues of a topic. */
  of(topic: string): number[] {
    return (this.#topics.get(topic) ?? []).filter((id) => id !== undefined);
  }

  /** All queues that have an id. */
  *all(): IterableIterator<QueueName & { id: number }> {
    for (const [id, name] of this.#names.entries()) if (name !== undefined) yield { ...name, id };
  }

  /** A topic created again under this name gets new ids. */
  forget(topic: string): void {
    for (const id of this.of(topic)) this.#names[id] = undefined;
    this.#topics.delete(topic);
  }
}
