/**
 * Pulls that wait for messages. Each completes exactly once: by an arrival in its queue, by its deadline, or with its
 * connection. A parked pull remembers how far it has scanned, so messages that its filter refuses are looked at once.
 */
import type { ReaderQueue, TagFilter } from '../../store/read/pull-reader.ts';

export interface ParkedPull {
  slot: number;
  generation: number;
  opaque: number;
  serializeType: number;
  group: string;
  topic: string;
  queueId: number;
  queue: ReaderQueue | undefined;
  /** As asked for. */
  offset: number;
  /** Everything before it was looked at and does not match. */
  scanFrom: number;
  maxCount: number;
  filter: TagFilter | undefined;
  suggestedBrokerId: number;
  /** Ms of the monotonic clock. */
  deadline: number;
}

export class PullHold {
  /** By queue id in the directory; 0 holds pulls of queues that do not exist yet. */
  readonly #byQueue = new Map<number, ParkedPull[]>();
  #size = 0;

  get size(): number {
    return this.#size;
  }

  park(pull: ParkedPull): void {
    const id = pull.queue?.id ?? 0;
    const parked = this.#byQueue.get(id);
    if (parked === undefined) this.#byQueue.set(id, [pull]);
    else parked.push(pull);
    this.#size++;
  }

  /** Takes all pulls of a queue out of the hold. */
  take(queue: number): ParkedPull[] {
    const parked = this.#byQueue.get(queue);
    if (parked === undefined) return [];
    this.#byQueue.delete(queue);
    this.#size -= parked.length;
    return parked;
  }

  /** Takes the pulls whose deadline has passed. */
  takeExpired(now: number): ParkedPull[] {
    return this.#takeWhere((pull) => pull.deadline <= now);
  }

  /** Forgets the pulls of a closed connection. */
  drop(slot: number, generation: number): void {
    this.#takeWhere((pull) => pull.slot === slot && pull.generation === generation);
  }

  /** Takes every pull: after news was lost because a ring was full. */
  takeAll(): ParkedPull[] {
    return this.#takeWhere(() => true);
  }

  #takeWhere(wanted: (pull: ParkedPull) => boolean): ParkedPull[] {
    const taken: ParkedPull[] = [];
    for (const [queue, parked] of this.#byQueue) {
      const kept = parked.filter((pull) => {
        const takes = wanted(pull);
        if (takes) taken.push(pull);
        return !takes;
      });
      if (kept.length === parked.length) continue;
      if (kept.length === 0) this.#byQueue.delete(queue);
      else this.#byQueue.set(queue, kept);
    }
    this.#size -= taken.length;
    return taken;
  }
}
