/** Requests that wait for messages of the same: of a group in a topic, or of a client's lite topics. */
import type { Parked } from './pop-pair.ts';

export class Waiters {
  /** By the queue id that is asked for, in the order in which they came. */
  readonly waiting = new Map<number, Set<Parked>>();

  /** Requests that wait for messages of this queue id. */
  count(queueId: number): number {
    return this.waiting.get(queueId)?.size ?? 0;
  }

  add(parked: Parked): void {
    const { queueId } = parked.wanting.question;
    let waiting = this.waiting.get(queueId);
    if (waiting === undefined) {
      waiting = new Set();
      this.waiting.set(queueId, waiting);
    }
    waiting.add(parked);
  }

  remove(parked: Parked): void {
    const { queueId } = parked.wanting.question;
    const waiting = this.waiting.get(queueId);
    waiting?.delete(parked);
    if (waiting?.size === 0) this.waiting.delete(queueId);
  }
}
