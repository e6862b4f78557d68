/**
 * Makes topics known to the threads that serve them. A queue is named to dispatcher and delivery before any network
 * thread may let messages to it through; a deleted topic's queues are retired by the writer, and a topic created again
 * under the same name waits until nothing of the old one can be mistaken for its own, not even by a recovery.
 */

import type { Timers } from '../../lib/timers.ts';
import { MESSAGE_TYPE_ATTRIBUTE } from '../../metadata/attributes.ts';
import type { TopicConfig } from '../../metadata/topic-config.ts';
import type { ChannelSender } from '../../ring/channel.ts';
import { QUEUE_ADDED, type QueueAdded, TOPIC_FORGOTTEN } from '../../store/dispatch/dispatcher-records.ts';
import type { QueueIds } from '../../store/queue/queue-ids.ts';
import type { Delta } from '../view/deltas.ts';

export interface TopicPublisherParts {
  ids: QueueIds;
  /** To those who must know a queue before its first message; who comes later is given all that there are. */
  commands: () => readonly ChannelSender[];
  publish: (delta: Delta) => void;
  /** Resolves with the log position behind the queues' last message. */
  retireQueues: (ids: readonly number[]) => Promise<number>;
  /**
   * Resolves when it is durable that no record of the topic before the position counts, for any recovery. Rejects when
   * the broker ends before.
   */
  ended: (topic: string, position: number) => Promise<void>;
  /**
   * Resolves when the log up to the position is durable, dispatched and covered by the checkpoint; `what` waits for it,
   * for the operator. Rejects when the broker ends before.
   */
  settled: (position: number, what: string) => Promise<void>;
  forgetFiles: (ids: readonly number[]) => void;
  /** Sends what was said in this turn to the network threads. */
  endOfTurn: () => void;
  timers: Timers;
  /** What keeps the deletion of a topic waiting, for the client who asked for it. */
  whyLate: (topic: string) => string;
}

/** Shorter than the 5 s that mqadmin waits for an answer. */
const ANSWER_MS = 4_000;

export class TopicPublisher {
  readonly #parts: TopicPublisherParts;
  /** Deleted topics whose old messages are not settled yet, with what was made under their name meanwhile. */
  readonly #retiring = new Map<string, TopicConfig | undefined>();
  readonly #retirement = new Map<string, Promise<void>>();
  /** Topics that nobody may hear of yet: for how many reasons, and what they have become meanwhile. */
  readonly #heldBack = new Map<string, { reasons: number; config: TopicConfig | undefined }>();
  /** From where on the log belongs to the topic of this name. */
  readonly #bornAt = new Map<string, number>();
  readonly #known = new Set<number>();

  constructor(parts: TopicPublisherParts) {
    this.#parts = parts;
  }

  /** Queues that they were started with. */
  knows(id: number): void {
    this.#known.add(id);
  }

  /**
   * Keeps changes of a topic from the other threads until the result is called: a topic that a crash would forget must
   * not take messages in any of them.
   */
  holdBack(topic: string): () => void {
    const held = this.#heldBack.get(topic) ?? { reasons: 0, config: undefined };
    held.reasons++;
    this.#heldBack.set(topic, held);
    return () => {
      held.reasons--;
      if (held.reasons > 0) return;
      this.#heldBack.delete(topic);
      if (held.config !== undefined) this.changed(held.config);
    };
  }

  changed(config: TopicConfig): void {
    const held = this.#heldBack.get(config.topicName);
    if (held !== undefined) {
      held.config = config;
      return;
    }
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
      priority: config.attributes.get(MESSAGE_TYPE_ATTRIBUTE) === 'PRIORITY',
      lite: config.attributes.get(MESSAGE_TYPE_ATTRIBUTE) === 'LITE',
      queues,
    });
  }

  /**
   * A slave's log tells of a queue before its topic's configuration has come. Only the dispatcher is to know it, and
   * not before it has forgotten what an earlier topic of this name has left. False when there is no room for another
   * queue.
   */
  async nameQueue(topic: string, queueId: number): Promise<boolean> {
    while (this.#retirement.has(topic)) await this.#retirement.get(topic);
    const { ids } = this.#parts;
    if (ids.find(topic, queueId) === undefined && ids.left <= 0) return false;
    const id = ids.idOf(topic, queueId);
    if (!this.#known.has(id)) this.#addQueue(topic, queueId, id);
    this.flush();
    return true;
  }

  deleted(topic: string): void {
    const { ids, publish, retireQueues, ended, settled, forgetFiles } = this.#parts;
    const held = this.#heldBack.get(topic);
    if (held !== undefined) held.config = undefined;
    const queues = ids.of(topic);
    ids.forget(topic);
    for (const id of queues) this.#known.delete(id);
    publish({ kind: 'topicDeleted', name: topic });
    forgetFiles(queues);
    this.#retiring.set(topic, undefined);
    const retirement = retireQueues(queues).then(async (end) => {
      this.#bornAt.set(topic, end);
      // Before anything is removed: a kill in the middle of it must not bring half of a deleted topic back.
      await ended(topic, end);
      await settled(end, `the deletion of topic ${topic}`);
      // Deleted again meanwhile, after it had been made again: the last deletion ends it for all, as the dispatcher
      // forgets by name, and what is made after the last one must not be forgotten with the ones before.
      if (this.#retirement.get(topic) !== retirement) return;
      this.#command(TOPIC_FORGOTTEN, Buffer.from(topic));
      this.flush();
      this.#retired(topic);
    });
    // Who waits for it hears of a failure, which is the broker's end; the topic's files then stay until it is deleted
    // again.
    retirement.catch(() => {});
    this.#retirement.set(topic, retirement);
  }

  /**
   * Resolves when nothing of a deleted topic of this name is left to wait for, and what was made since is announced.
   * Rejects when that takes longer than an operator's command waits.
   */
  async settled(topic: string): Promise<void> {
    if (!this.#retiring.has(topic)) return;
    let cancel = () => {};
    const late = new Promise<never>((_, reject) => {
      cancel = this.#parts.timers.after(ANSWER_MS, () => reject(new Error(this.#parts.whyLate(topic))));
    });
    try {
      while (this.#retiring.has(topic)) await Promise.race([this.#retirement.get(topic), late]);
    } finally {
      cancel();
    }
  }

  /** Resolves when no deletion is under way any more, whether they ended well or not. */
  async allSettled(): Promise<void> {
    await Promise.allSettled([...this.#retirement.values()]);
  }

  /** Too many commands wait: no more topics are to be made now. */
  get overfull(): boolean {
    return this.#parts.commands().some(({ overfull }) => overfull);
  }

  /** Sends what found the ring full before. */
  flush(): void {
    for (const commands of this.#parts.commands()) commands.publish();
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
    for (const commands of this.#parts.commands())
      commands.post(type, payload.length, (bytes, _, at) => bytes.set(payload, at));
  }
}
