/** The ConsumeQueues as a follower of the log: a round's entries are staged, and each touched queue is written once. */
import { javaHashOfBytes } from '../../lib/java-hash.ts';
import type { PropertyScan } from '../../record/property-scan.ts';
import type { LogFollower } from '../follower.ts';
import type { ConsumeQueue } from '../queue/consume-queue.ts';
import type { QueueDirectory } from '../queue/queue-directory.ts';
import type { TopicQueues } from '../queue/queue-table.ts';
import { scheduledTagsCode } from './schedule-time.ts';

const TWO_32 = 4294967296;

export interface QueueFollowerParts {
  directory: QueueDirectory;
  /** messageDelayLevel as milliseconds per level, level 1 first. */
  delayMillis: readonly number[];
  /** A queue on whose next message network threads wait got some; `threads` has a bit for each. */
  onArrival: (queue: number, threads: number) => void;
  /**
   * A record whose number does not follow its queue's last entry, or is not 0 as the first of a queue that has none.
   * True when the queue has been brought to where the record belongs, which is entered then; false leaves it out.
   */
  onGap: (queue: ConsumeQueue, queueOffset: number, position: number) => boolean;
}

export class QueueFollower implements LogFollower {
  readonly #parts: QueueFollowerParts;
  readonly #touched: ConsumeQueue[] = [];

  constructor(parts: QueueFollowerParts) {
    this.#parts = parts;
  }

  /** Stages the entry of the record of `size` bytes at `position`, unless the queue has it. */
  enter(
    topic: TopicQueues,
    queue: ConsumeQueue,
    queueOffset: number,
    position: number,
    size: number,
    storeTimestamp: number,
    bytes: Uint8Array,
    properties: PropertyScan,
    propertiesAt: number,
  ): void {
    if (position < queue.lastPhysicalEnd) return;
    if (queueOffset !== queue.next && !this.#parts.onGap(queue, queueOffset, position)) return;
    const { tagsLength, delayLength } = properties;
    if (topic.scheduled && delayLength > 0) {
      const delayAt = propertiesAt + properties.delayOffset;
      const delivery = scheduledTagsCode(
        bytes,
        delayAt,
        delayLength,
        storeTimestamp,
        this.#parts.delayMillis,
      );
      const high = Math.floor(delivery / TWO_32);
      queue.stage(position, size, high, (delivery - high * TWO_32) | 0);
    } else {
      const tagsAt = propertiesAt + properties.tagsOffset;
      const hash = tagsLength === 0 ? 0 : javaHashOfBytes(bytes, tagsAt, tagsAt + tagsLength);
      queue.stage(position, size, hash < 0 ? -1 : 0, hash);
    }
    this.#parts.directory.addRecord(queue.id, size);
    if (!queue.touched) {
      queue.touched = true;
      this.#touched.push(queue);
    }
  }

  commit(): number {
    for (const queue of this.#touched) {
      const outcome = queue.write();
      if (outcome < 0) return outcome;
    }
    return 0;
  }

  publish(): void {
    const { directory } = this.#parts;
    for (const queue of this.#touched) directory.setMaximum(queue.id, queue.next);
  }

  /** After the dispatched position has moved: who hears of a message can read it. */
  tell(): void {
    const { directory, onArrival } = this.#parts;
    for (const queue of this.#touched) {
      queue.touched = false;
      const threads = directory.takeInterest(queue.id);
      if (threads !== 0) onArrival(queue.id, threads);
    }
    this.#touched.length = 0;
  }
}
