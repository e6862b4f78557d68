/**
 * Messages that cannot be read: how long a consumer is told so, and when it is led past them.
 *
 * A client that gets an error pulls the same offset again some seconds later, for ever; a device that has failed for a
 * moment is well again by then. What cannot be read for longer is stepped over, by the answer that means "nothing here
 * that you want, go on there": the one for a moved offset would make clients throw away what they hold and have not
 * consumed yet.
 */

/** How long a pull of the same offset is refused before the consumer is led past it. */
const PATIENCE_MS = 30_000;
/** Queues remembered; with more of them in trouble at once, those noted first get their patience again. */
const REMEMBERED = 1024;

interface Trouble {
  offset: number;
  /** Ms of the monotonic clock: the first pull that failed there, and the last one. */
  since: number;
  seen: number;
}

export class UnreadableOffsets {
  readonly #now: () => number;
  /** By queue id, the one noted first at the head. */
  readonly #troubles = new Map<number, Trouble>();

  constructor(now: () => number) {
    this.#now = now;
  }

  /** The message at `offset` of a queue cannot be read. Ms for which pulls of it are still refused; 0 = go past it. */
  refusedFor(queue: number, offset: number): number {
    const now = this.#now();
    const known = this.#troubles.get(queue);
    // Who pulled there last long ago proves nothing: it may have been read well since.
    const since = known?.offset === offset && now - known.seen < PATIENCE_MS ? known.since : now;
    this.#note(queue, { offset, since, seen: now });
    return Math.max(0, since + PATIENCE_MS - now);
  }

  /** The consumer is led past; if `next` cannot be read either, it does not wait there again. */
  skipped(queue: number, next: number): void {
    const now = this.#now();
    this.#note(queue, { offset: next, since: now - PATIENCE_MS, seen: now });
  }

  #note(queue: number, trouble: Trouble): void {
    this.#troubles.delete(queue);
    const [first] = this.#troubles.keys();
    if (first !== undefined && this.#troubles.size >= REMEMBERED) this.#troubles.delete(first);
    this.#troubles.set(queue, trouble);
  }
}

/** News for the operator; one for each stretch of messages that is stepped over. */
export interface SkippedMessages {
  topic: string;
  queueId: number;
  /** Queue offsets [from, to) are left out. */
  from: number;
  to: number;
  group: string;
  errno: number;
}
