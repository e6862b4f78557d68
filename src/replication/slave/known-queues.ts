/**
 * Queues that the dispatcher has been told of. A record must not enter the log before its queue is known, or it would
 * be left out of its queue: on a master clients create topics before they send, on a slave the log tells of them first.
 */
import { BytesMap } from '../../lib/bytes-map.ts';

/** The queues of a topic, by their ids. */
type Queues = Set<number>;

export class KnownQueues {
  readonly #topics = new BytesMap<Queues>();

  add(topic: string, queueId: number): void {
    const known = this.#topics.getByName(topic);
    if (known === undefined) this.#topics.set(topic, new Set([queueId]));
    else known.add(queueId);
  }

  /** The topic was deleted; a record of it that comes later asks again. */
  forget(topic: string): void {
    this.#topics.delete(topic);
  }

  hasQueue(topic: string, queueId: number): boolean {
    return this.#topics.getByName(topic)?.has(queueId) === true;
  }

  /** Whether the queue of the topic that stands in bytes[offset, +length) is known. */
  has(bytes: Uint8Array, offset: number, length: number, queueId: number): boolean {
    return this.#topics.get(bytes, offset, length)?.has(queueId) === true;
  }
}
