/** Gives every topic-queue its id in the queue directory; never twice the same within a process. */
import { MAX_QUEUES } from '../../lib/limits.ts';

/** Who gives queues their ids, of which there are only so many. */
export interface QueueRoom {
  /** Queues that may still be made. */
  readonly left: number;
  /** Sets aside what a topic of so many queues needs; false, and nothing set aside, when that is more than there is. */
  reserve(topic: string, queues: number): boolean;
}

/** Which ids the queues have. */
export interface QueueLookup {
  /** The queue's id if it has one. */
  find(topic: string, queueId: number): number | undefined;
}

export interface QueueName {
  topic: string;
  queueId: number;
}

export class QueueIds implements QueueRoom, QueueLookup {
  readonly #topics = new Map<string, number[]>();
  readonly #names: (QueueName | undefined)[] = [undefined];
  /** Ids promised to topics that do not have them yet. */
  readonly #reserved = new Map<string, number>();
  #promised = 0;

  /** Ids that are neither given out nor promised. */
  get left(): number {
    return MAX_QUEUES - this.#names.length - this.#promised;
  }

  reserve(topic: string, queues: number): boolean {
    this.#release(topic);
    const missing = queues - this.of(topic).length;
    if (missing > this.left) return false;
    if (missing > 0) {
      this.#reserved.set(topic, missing);
      this.#promised += missing;
    }
    return true;
  }

  #release(topic: string): void {
    this.#promised -= this.#reserved.get(topic) ?? 0;
    this.#reserved.delete(topic);
  }

  #take(topic: string): void {
    const reserved = this.#reserved.get(topic);
    if (reserved === undefined) return;
    this.#promised -= 1;
    if (reserved === 1) this.#reserved.delete(topic);
    else this.#reserved.set(topic, reserved - 1);
  }

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
      this.#take(topic);
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

  /** All topics, and the ids of their queues by number. */
  topics(): IterableIterator<[topic: string, ids: readonly (number | undefined)[]]> {
    return this.#topics.entries();
  }

  /** A topic created again under this name gets new ids. */
  forget(topic: string): void {
    this.#release(topic);
    for (const id of this.of(topic)) this.#names[id] = undefined;
    this.#topics.delete(topic);
  }
}
