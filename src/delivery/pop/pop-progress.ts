/** What control writes to its files: offsets of groups, what ordered groups have out, how far all is revived. */
import { TIMER_TOPIC } from '../../lib/names.ts';
import { ORDER_JOURNAL_QUEUE, ORDER_JOURNAL_TOPIC } from './order-journal.ts';
import type { OrderedPops } from './ordered-pops.ts';
import type { PopContext } from './pop-context.ts';
import type { PopQueue, PopStates } from './pop-states.ts';
import type { Popper } from './popper.ts';
import type { ReviveLog } from './revive-log.ts';

/** Undefined offset or order: there is none. */
export type PopOffset = readonly [topic: string, group: string, queueId: number, offset: number];
export type PopOrder = readonly [topic: string, group: string, queueId: number, order: object | null];

export interface PopProgress {
  /** Deletions of topics and groups that the owner had heard of: what it says of those is of what there is now. */
  deletions: number;
  offsets: PopOffset[];
  orders: PopOrder[];
  /** Offset in the queue of the timer topic: what checkpoints before it say is in `offsets`, or was told before. */
  scanned: number;
  /** The same in the queue of the journal, of `orders`. */
  journaled: number;
  /** By revive queue: the last offset before which, with itself, all is done; -1: none is. */
  revive: number[];
}

/**
 * Revive offsets are told so late. The timer may bring once more what it brought shortly before the process has died;
 * that it was done then is read in the revive topic, from the offset that was told.
 */
const REVIVE_LAG_MS = 5_000;

export interface KeeperParts {
  context: Pick<PopContext, 'clock' | 'store'>;
  states: PopStates;
  ordered: OrderedPops;
  reviveLog: Pick<ReviveLog, 'done'>;
  /** Those that control had told of before. */
  deletions: number;
  popper: Pick<Popper, 'writtenTo'>;
}

export class PopProgressKeeper {
  readonly #parts: KeeperParts;
  readonly #revive: { at: number; done: number[] }[] = [];
  #told = '';
  /** Deletions that were heard of. */
  deletions: number;
  #scanned = -1;
  #journaled = 0;

  constructor(parts: KeeperParts) {
    this.#parts = parts;
    this.deletions = parts.deletions;
  }

  /** What has changed since it was asked last; undefined: nothing. */
  news(): PopProgress | undefined {
    const { states, ordered } = this.#parts;
    // Until control has said all that was asked for, what checkpoints said is not in the offsets yet.
    if (!states.waits) this.#look();
    const offsets = states.takeDirty().map(offsetOf);
    const orders = ordered.takeDirty().map(orderOf);
    const [scanned, journaled, revive] = [this.#scanned, this.#journaled, this.#lateRevive()];
    const mark = JSON.stringify([this.deletions, scanned, journaled, revive]);
    if (mark === this.#told && offsets.length === 0 && orders.length === 0) return undefined;
    this.#told = mark;
    const { deletions } = this;
    return { deletions, offsets, orders, scanned, journaled, revive };
  }

  #look(): void {
    const { context, popper } = this.#parts;
    const { store } = context;
    // Offsets by checkpoints that are on their way are not told yet.
    this.#scanned = Math.min(store.maxOffset(TIMER_TOPIC, 0), popper.writtenTo);
    this.#journaled = store.maxOffset(ORDER_JOURNAL_TOPIC, ORDER_JOURNAL_QUEUE);
  }

  /** All of it. */
  state(): PopProgress {
    const { states, reviveLog } = this.#parts;
    const queues = [...states.queues()];
    if (!states.waits) this.#look();
    return {
      deletions: this.deletions,
      offsets: queues.filter(({ offset }) => offset >= 0).map(offsetOf),
      orders: queues.filter(({ order }) => order !== undefined).map(orderOf),
      scanned: this.#scanned,
      journaled: this.#journaled,
      revive: reviveLog.done,
    };
  }

  #lateRevive(): number[] {
    const { context, reviveLog } = this.#parts;
    const now = context.clock.monotonic();
    this.#revive.push({ at: now, done: reviveLog.done });
    const isOldEnough = ({ at }: { at: number }) => now - at >= REVIVE_LAG_MS;
    while (this.#revive[1] !== undefined && isOldEnough(this.#revive[1])) this.#revive.shift();
    const [oldest] = this.#revive;
    return oldest !== undefined && isOldEnough(oldest) ? oldest.done : [];
  }
}

function offsetOf({ offsets: { topic, group }, queueId, offset }: PopQueue): PopOffset {
  return [topic, group, queueId, offset];
}

function orderOf({ offsets: { topic, group }, queueId, order }: PopQueue): PopOrder {
  return [topic, group, queueId, order?.toJson() ?? null];
}
