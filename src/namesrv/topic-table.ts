/**
 * Topic to queues per broker name, with the way back from a broker to its topics, so that what concerns one broker
 * costs in proportion to its own topics and not to all there are.
 */
import type { QueueData, TopicQueueMapping } from './model.ts';

export class TopicTable {
  readonly #queues = new Map<string, Map<string, QueueData>>();
  readonly #topicsOfBroker = new Map<string, Set<string>>();
  readonly #mappings = new Map<string, Map<string, TopicQueueMapping>>();

  #size = 0;
  #mappingCount = 0;

  /** Topics, each counted once for each broker that serves it. */
  get size(): number {
    return this.#size;
  }

  get mappingCount(): number {
    return this.#mappingCount;
  }

  topics(): Iterable<string> {
    return this.#queues.keys();
  }

  topicsOf(brokerName: string): ReadonlySet<string> {
    return this.#topicsOfBroker.get(brokerName) ?? new Set();
  }

  /** By broker name; undefined for an unknown topic, never empty. */
  queuesOf(topic: string): ReadonlyMap<string, QueueData> | undefined {
    return this.#queues.get(topic);
  }

  mappingsOf(topic: string): ReadonlyMap<string, TopicQueueMapping> | undefined {
    return this.#mappings.get(topic);
  }

  has(topic: string, brokerName: string): boolean {
    return this.#queues.get(topic)?.has(brokerName) ?? false;
  }

  put(topic: string, queue: QueueData): void {
    if (!this.has(topic, queue.brokerName)) this.#size += 1;
    entry(this.#queues, topic, () => new Map<string, QueueData>()).set(queue.brokerName, queue);
    entry(this.#topicsOfBroker, queue.brokerName, () => new Set<string>()).add(topic);
  }

  putMapping(topic: string, mapping: TopicQueueMapping): void {
    const mappings = entry(this.#mappings, topic, () => new Map<string, TopicQueueMapping>());
    if (!mappings.has(mapping.brokerName)) this.#mappingCount += 1;
    mappings.set(mapping.brokerName, mapping);
  }

  deleteTopic(topic: string): void {
    for (const brokerName of this.#queues.get(topic)?.keys() ?? []) this.delete(topic, brokerName);
  }

  deleteBroker(brokerName: string): void {
    for (const topic of this.topicsOf(brokerName)) this.delete(topic, brokerName);
  }

  delete(topic: string, brokerName: string): void {
    if (deleteMember(this.#queues, topic, brokerName)) this.#size -= 1;
    if (deleteMember(this.#mappings, topic, brokerName)) this.#mappingCount -= 1;
    deleteMember(this.#topicsOfBroker, brokerName, topic);
  }

  /** How many topics that was. Holds until the broker registers with another data version. */
  changePerm(brokerName: string, change: (perm: number) => number): number {
    const topics = this.topicsOf(brokerName);
    for (const topic of topics) {
      const queue = this.#queues.get(topic)?.get(brokerName);
      if (queue !== undefined) queue.perm = change(queue.perm);
    }
    return topics.size;
  }
}

function entry<K, V>(map: Map<K, V>, key: K, create: () => V): V {
  let value = map.get(key);
  if (value === undefined) {
    value = create();
    map.set(key, value);
  }
  return value;
}

/** Deletes the outer entry with its last member. True when there was such a member. */
function deleteMember(
  table: Map<string, Map<string, unknown> | Set<string>>,
  key: string,
  member: string,
): boolean {
  const members = table.get(key);
  const deleted = members?.delete(member) === true;
  if (members?.size === 0) table.delete(key);
  return deleted;
}
