/**
 * Ordered pops: of each queue one batch is out at a time, until all of it is done or visible again. The offset of the
 * group moves by acknowledgements only, so what is not done comes again before anything behind it.
 */
import { ResponseCode } from '../../protocol/codes.ts';
import { OrderInfo } from './order-info.ts';
import { type JournalParts, OrderJournal, type Written } from './order-journal.ts';
import type { PopContext } from './pop-context.ts';
import type { PopQuestion } from './pop-questions.ts';
import type { PopQueue, PopStates } from './pop-states.ts';

/** In receipts of ordered pops, in place of a queue of the revive topic. */
export const ORDER_REVIVE_QUEUE = 999;

export interface OrderedParts {
  context: Pick<PopContext, 'acts' | 'clock' | 'timers' | 'put' | 'place'>;
  states: PopStates;
  queues: JournalParts['queues'];
  needsTopic: JournalParts['needsTopic'];
  /** The queue can be popped again. */
  freed: (queue: PopQueue) => void;
}

export interface Outcome {
  code: number;
  remark: string;
}

const DONE: Outcome = { code: ResponseCode.SUCCESS, remark: '' };
/** Done when it is written. */
export const WRITING: Outcome = { code: ResponseCode.SUCCESS, remark: '' };

export class OrderedPops {
  readonly #parts: OrderedParts;
  readonly journal: OrderJournal;
  /** Queues whose state has changed since it was last asked. */
  readonly #dirty = new Set<PopQueue>();

  constructor(parts: OrderedParts) {
    this.#parts = parts;
    this.journal = new OrderJournal(parts);
  }

  /**
   * Whether something of the queue is out, and the pop is not the one that took it, said again. What lies before the
   * queue's `minimum` does not come again, so nothing has to wait for it: no ack of it is taken any more.
   */
  isBlocked({ order }: PopQueue, attemptId: string | undefined, minimum: number): boolean {
    if (order === undefined || order.offsets.every((offset) => offset < minimum)) return false;
    if (order.attemptId !== undefined && order.attemptId === attemptId) return false;
    return order.blockedUntil > this.now(order);
  }

  /** The time by which it is seen when its messages are visible again: one that no setting of the clock changes. */
  now({ skew }: OrderInfo): number {
    return Math.round(this.#parts.context.clock.monotonic() + skew);
  }

  /** The messages are out when that is written; returns what RocketMQ tells of how often they have been. */
  popped(
    queue: PopQueue,
    question: PopQuestion,
    popTime: number,
    offsets: readonly number[],
    written: Written,
  ): string[] {
    const order = new OrderInfo(popTime, question.invisibleTime, question.attemptId, offsets);
    order.skew = this.#skewFrom(popTime);
    order.countFrom(queue.order);
    const before = queue.order;
    queue.order = order;
    this.#changed(queue);
    this.journal.write(queue, (isWritten, remark) => {
      // Then nobody gets them.
      if (!isWritten && queue.order === order) queue.order = before;
      written(isWritten, remark);
    });
    const { queueId } = queue;
    const counts = [...order.counts].map(([offset, count]) => `0 qo${queueId}%${offset} ${count}`);
    const all = order.counts.size === offsets.length ? Math.min(...order.counts.values()) : 0;
    return [...counts, `0 ${queueId} ${all}`];
  }

  /** Where nothing is out, or something else, the message has been done before, or comes again. */
  acknowledge(queue: PopQueue, offset: number, popTime: number, written: Written): Outcome {
    const { order } = queue;
    if (order === undefined || offset < queue.offset || order.popTime !== popTime)
      return this.#doneBefore(queue, written);
    if (!order.has(offset)) {
      const { topic } = queue.offsets;
      const remark = `offset is illegal, key:${topic}@${queue.queueId}, old:${queue.offset}, commit:${offset}`;
      return { code: ResponseCode.MESSAGE_ILLEGAL, remark: `${remark}: it was not popped` };
    }
    const next = order.acknowledge(offset);
    if (next > queue.offset) this.#parts.states.move(queue, next);
    if (order.isDone) queue.order = undefined;
    this.#changed(queue);
    this.journal.write(queue, written);
    return WRITING;
  }

  /** The first ack of it may still be on its way to the log, or have failed. */
  #doneBefore(queue: PopQueue, written: Written): Outcome {
    if (this.journal.isStored(queue)) return DONE;
    this.journal.write(queue, written);
    return WRITING;
  }

  /**
   * The message is visible again after `ms`; returns when that is, ms since the epoch. Undefined when it is not out by
   * that pop.
   */
  show(queue: PopQueue, offset: number, popTime: number, ms: number, written: Written): number | undefined {
    const { order } = queue;
    if (order === undefined || order.popTime !== popTime || !order.has(offset)) return undefined;
    const time = this.now(order) + ms;
    order.visible.set(offset, time);
    this.#changed(queue);
    this.journal.write(queue, written);
    return time;
  }

  /**
   * All that is out of the queue is visible again after `ms`, and this was no try; when that is, ms since the epoch.
   * Undefined when the message is not out by that pop.
   */
  suspend(
    queue: PopQueue,
    offset: number,
    popTime: number,
    ms: number,
    written: Written,
  ): number | undefined {
    const { order } = queue;
    if (order === undefined || order.popTime !== popTime || !order.has(offset)) return undefined;
    const time = this.now(order) + ms;
    for (const each of order.offsets) order.visible.set(each, time);
    order.untaken = true;
    this.#changed(queue);
    this.journal.write(queue, written);
    return time;
  }

  #skewFrom(popTime: number): number {
    return popTime - this.#parts.context.clock.monotonic();
  }

  /** Nobody has got what was popped then: it comes again at once. */
  giveBack(queue: PopQueue, popTime: number): void {
    const { order } = queue;
    if (order?.popTime !== popTime) return;
    order.untaken = true;
    for (const offset of order.offsets) order.visible.set(offset, popTime);
    this.#changed(queue);
    this.journal.write(queue, () => {});
  }

  /** As the process before has left it. */
  restore(queue: PopQueue, order: OrderInfo | undefined): void {
    // A clock that was set back meanwhile leaves it out for no longer than it was to be.
    if (order !== undefined)
      order.skew = this.#skewFrom(Math.max(order.popTime, this.#parts.context.clock.now()));
    queue.order = order;
    queue.journaled = true;
    this.#wakeWhenFree(queue);
  }

  takeDirty(): PopQueue[] {
    const dirty = [...this.#dirty].filter(({ offsets }) => !offsets.gone);
    this.#dirty.clear();
    return dirty;
  }

  /** Somebody has set where the group goes on: a process that follows must not find where it stood before. */
  set(queue: PopQueue): void {
    this.#changed(queue);
    if (queue.journaled) this.journal.write(queue, () => {});
  }

  #changed(queue: PopQueue): void {
    if (!queue.offsets.gone) this.#dirty.add(queue);
    this.#wakeWhenFree(queue);
  }

  #wakeWhenFree(queue: PopQueue): void {
    const { timers } = this.#parts.context;
    const { order } = queue;
    queue.cancelWake();
    if (order === undefined) {
      this.#parts.freed(queue);
      return;
    }
    const wait = order.blockedUntil - this.now(order);
    if (wait <= 0) this.#parts.freed(queue);
    else queue.cancelWake = timers.after(wait, () => this.#parts.freed(queue));
  }
}
