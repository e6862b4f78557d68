/**
 * Brokers whose place in the routes another one has taken: same name and id, other address, and both are alive. That
 * is a mistake of whoever set them up, but when either goes the other has to be in the routes at once. One is kept for
 * each name and id; a third broker of that name waits until it registers again.
 */
import type { BrokerData, QueueData } from './model.ts';
import type { TopicTable } from './topic-table.ts';

export interface Displaced {
  clusterName: string;
  brokerAddr: string;
  /** What the topics looked like while it was in the routes. */
  topics: readonly (readonly [topic: string, queue: QueueData])[];
}

export class DisplacedBrokers {
  /** By broker name, then by id. */
  readonly #brokers = new Map<string, Map<number, Displaced>>();

  /** Remembers who holds an id now, in place of whom it was remembered before. */
  put(broker: BrokerData, brokerId: number, displaced: Displaced): void {
    const ids = this.#brokers.get(broker.brokerName) ?? new Map<number, Displaced>();
    this.#brokers.set(broker.brokerName, ids.set(brokerId, displaced));
  }

  /** Who was remembered for the id, if anybody; it is forgotten. */
  take(brokerName: string, brokerId: number): Displaced | undefined {
    const ids = this.#brokers.get(brokerName);
    const displaced = ids?.get(brokerId);
    ids?.delete(brokerId);
    if (ids?.size === 0) this.#brokers.delete(brokerName);
    return displaced;
  }

  /** The broker has gone by itself. */
  forget(brokerName: string, brokerAddr: string): void {
    for (const [brokerId, displaced] of [...(this.#brokers.get(brokerName) ?? [])]) {
      if (displaced.brokerAddr === brokerAddr) this.take(brokerName, brokerId);
    }
  }
}

/** Copies, as permissions are changed in place. */
export function topicsOfBroker(topics: TopicTable, brokerName: string): Displaced['topics'] {
  return [...topics.topicsOf(brokerName)].flatMap((topic) => {
    const queue = topics.queuesOf(topic)?.get(brokerName);
    return queue === undefined ? [] : [[topic, { ...queue }] as const];
  });
}

export function restoreTopics(topics: TopicTable, brokerName: string, saved: Displaced['topics']): void {
  topics.deleteBroker(brokerName);
  for (const [topic, queue] of saved) topics.put(topic, queue);
}
