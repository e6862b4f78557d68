/**
 * Makes topics known to the threads that serve them. A queue is named to the dispatcher before any network thread may
 * let messages to it through; a deleted topic's queues are retired by the writer, and a topic created again under the
 * same name waits until nothing of the old one can be mistaken for its own, not even by a recovery.
 */
import type { Delta } from '../../broker/view/deltas.ts';
import type { TopicConfig } from '../../control/topic-config.ts';
import { FULL, type RingProducer } from '../../ring/spsc-ring.ts';
import { QUEUE_ADDED, type QueueAdded, TOPIC_FORGOTTEN } from '../dispatcher-records.ts';
import type { QueueIds } from './queue-ids.ts';

export interface TopicPublisherParts {
  ids: QueueIds;
  commands: RingProducer;
  publish: (delta: Delta) => void;
  /** Resolves with the log position behind the queues' last message. */
  retireQueues: (ids: readonly number[]) => Promise<number>;
  /** Resolves when it is durable that no record of the topic before the position counts, for any recovery. */
  ended: (topic: string, position: number) => Promise<void>;
  /** Resolves when the log up to the position is durable, dispatched and covered by the checkpoint. */
  settled: (position: number) => Promise<void>;
  forgetFiles: (ids: readonly number[]) => void;
  /** Sends what was said in this turn to the network threads. */
  endOfTurn: () => void;
}

export class TopicPublisher {
  readonly #parts: TopicPublisherParts;
  /** Deleted topics whose old messages are not settled yet, with what was made under their name meanwhile. */
  readonly #retiring = new Map<string, TopicConfig | undefined>();
  readonly #retirement = new Map<string, Promise<void>>();
  /** From where on the log belongs to the topic of this name. */
  readonly #bornAt = new Map<string, number>();
  readonly #known = new Set<number>();
  readonly #late: { type: number; payload: Uint8Array }[] = [];

  constructor(parts: TopicPublisherParts) {
    this.#parts = parts;
  }

  /** Queues that the dispatcher was started with. */
  knows(id: number): void {
    this.#known.add(id);
  }

  changed(config: TopicConfig): void {
    if (this.#retiring.has(config.topicName)) {
      this.#retiring.set(config.topicName, config);
      return;
    }
    const { ids, publish } = this.#parts;
    const count = Math.max(config.readQueueNums, config.writeQueueNums);
    const queues: number[] = [];
    for (let queueId = 0; queueId < count; queueId++) {
      const id = ids.idOf(config.topicName, queueId);
      queues.push(id);
      if (!this.#known.has(id)) this.#addQueue(config.topicName, queueId, id);
    }
    this.flush();
    publish({
      kind: 'topic',
      name: config.topicName,
      perm: config.perm,
      order: config.order,
      readQueueNums: config.readQueueNums,
      writeQueueNums: config.writeQueueNums,
      queues,
    });
  }

  deleted(topic: string): void {
    const { ids, publish, retireQueues, ended, settled, forgetFiles } = this.#parts;
    const queues = ids.of(topic);
    ids.forget(topic);
    for (const id of queues) this.#known.delete(id);
    publish({ kind: 'topicDeleted', name: topic });
    forgetFiles(queues);
    this.#retiring.set(topic, undefined);
    const retirement = retireQueues(queues)
      .then(async (end) => {
        this.#bornAt.set(topic, end);
        // Before anything is removed: a kill in the middle of it must not bring half of a deleted topic back.
        await ended(topic, end);
        await settled(end);
        this.#command(TOPIC_FORGOTTEN, Buffer.from(topic));
        this.flush();
      })
      .finally(() => this.#retired(topic));
    this.#retirement.set(topic, retirement);
  }

  /**
   * Resolves when nothing of a deleted topic of this name is left to wait for, and what was made since is announced.
   */
  async settled(topic: string): Promise<void> {
    while (this.#retiring.has(topic)) await this.#retirement.get(topic);
  }

  /** Resolves when no deletion is under way. */
  async allSettled(): Promise<void> {
    await Promise.all([...this.#retirement.values()]);
  }

  /** Sends what found the ring full before. */
  flush(): void {
    while (this.#late.length > 0 && this.#put(this.#late[0] as { type: number; payload: Uint8Array })) {
      this.#late.shift();
    }
    this.#parts.commands.publish();
  }

  #retired(topic: string): void {
    const next = this.#retiring.get(topic);
    this.#retiring.delete(topic);
    this.#retirement.delete(topic);
    if (next !== undefined) this.changed(next);
    this.#parts.endOfTurn();
  }

  #addQueue(topic: string, queueId: number, id: number): void {
    this.#known.add(id);
    const added: QueueAdded = { topic, queueId, id, bornAt: this.#bornAt.get(topic) ?? 0 };
    this.#command(QUEUE_ADDED, Buffer.from(JSON.stringify(added)));
  }

  #command(type: number, payload: Uint8Array): void {
    const command = { type, payload };
    if (this.#late.length > 0 || !this.#put(command)) this.#late.push(command);
  }

  #put({ type, payload }: { type: number; payload: Uint8Array }): boolean {
    const { commands } = this.#parts;
    const at = commands.claimOrAwait(type, payload.length);
    if (at === FULL) return false;
    commands.bytes.set(payload, at);
    return true;
  }
}
