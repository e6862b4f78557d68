/**
 * What one group has popped of a backlog: every message once, or which are missing. Pops hand out the messages of a queue
 * in their order, so a place that is passed over and never comes is a lost message, also when the pass is cut short.
 */
import type { QueueSpan } from './pull-lane.ts';

interface QueueCount {
  from: number;
  /** Exclusive: behind the furthest message that has come. */
  to: number;
  distinct: number;
}

export class PopPass {
  readonly #queues: QueueCount[] = [];
  readonly #total: number;
  #distinct = 0;

  constructor(spans: readonly QueueSpan[]) {
    for (const { queueId, minOffset } of spans)
      this.#queues[queueId] = { from: minOffset, to: minOffset, distinct: 0 };
    this.#total = spans.reduce((sum, { minOffset, maxOffset }) => sum + maxOffset - minOffset, 0);
  }

  /** A message has come for the first time. */
  see(queueId: number, queueOffset: number): void {
    const queue = this.#queues[queueId];
    if (queue === undefined) return;
    queue.to = Math.max(queue.to, queueOffset + 1);
    queue.distinct++;
    this.#distinct++;
  }

  get isOver(): boolean {
    return this.#distinct >= this.#total;
  }

  get total(): number {
    return this.#total;
  }

  /** Of the messages up to the furthest of each queue, so many have not come. */
  get missing(): number {
    return this.#queues.reduce((sum, { from, to, distinct }) => sum + Math.max(0, to - from - distinct), 0);
  }
}
