/**
 * All ConsumeQueues of a dispatcher, found by the topic bytes and queue id of a record. Control names a queue and its
 * directory id before the first message for it may be sent, so a record always finds its queue.
 */
import { BytesMap } from '../../lib/bytes-map.ts';
import { javaHashCode } from '../../lib/java-hash.ts';
import type { Disk } from '../disk/disk.ts';
import { ConsumeQueue, queueDirectoryPath } from './consume-queue.ts';
import { EntryStages } from './entry-stages.ts';
import type { QueueDirectory } from './queue-directory.ts';

export interface TopicQueues {
  readonly topic: string;
  /** Java hash of `topic#`, the start of every index key of the topic. */
  readonly indexSeed: number;
  /** SCHEDULE_TOPIC_XXXX: its entries hold delivery times instead of tag hashes. */
  readonly scheduled: boolean;
  readonly queues: (ConsumeQueue | undefined)[];
}

const SCHEDULE_TOPIC = 'SCHEDULE_TOPIC_XXXX';

export class QueueTable {
  readonly #topics = new BytesMap<TopicQueues>();
  readonly #stages = new EntryStages();
  readonly #disk: Disk;
  readonly #root: string;
  readonly #fileSize: number;
  readonly #directory: QueueDirectory;

  constructor(disk: Disk, root: string, fileSize: number, directory: QueueDirectory) {
    this.#disk = disk;
    this.#root = root;
    this.#fileSize = fileSize;
    this.#directory = directory;
  }

  /** Adds a queue whose entries [0, maximum) exist; `lastPhysicalEnd` is the log end of the last one, or -1. */
  add(topic: string, queueId: number, id: number, lastPhysicalEnd = -1): ConsumeQueue {
    let topicQueues = this.#topics.getByName(topic);
    if (topicQueues === undefined) {
      topicQueues = {
        topic,
        indexSeed: javaHashCode(`${topic}#`),
        scheduled: topic === SCHEDULE_TOPIC,
        queues: [],
      };
      this.#topics.set(topic, topicQueues);
    }
    const queue = new ConsumeQueue(
      this.#disk,
      queueDirectoryPath(this.#root, topic, queueId),
      this.#fileSize,
      { topic, queueId, id },
      { next: this.#directory.maximum(id), lastPhysicalEnd },
      this.#stages,
    );
    topicQueues.queues[queueId]?.close();
    topicQueues.queues[queueId] = queue;
    return queue;
  }

  topicOf(bytes: Uint8Array, offset: number, length: number): TopicQueues | undefined {
    return this.#topics.get(bytes, offset, length);
  }

  byName(topic: string): TopicQueues | undefined {
    return this.#topics.getByName(topic);
  }

  /** Forgets a topic; its files are the caller's. */
  delete(topic: string): void {
    const topicQueues = this.#topics.getByName(topic);
    if (topicQueues === undefined) return;
    for (const queue of present(topicQueues)) queue.close();
    this.#topics.delete(topic);
  }

  *all(): IterableIterator<ConsumeQueue> {
    for (const topicQueues of this.#topics.values()) yield* present(topicQueues);
  }

  close(): void {
    for (const queue of this.all()) queue.close();
  }
}

/** A damaged record may name queue 1,000,000,000: the places between are not walked. */
function present({ queues }: TopicQueues): ConsumeQueue[] {
  return Object.values(queues).filter((queue) => queue !== undefined);
}
