/** A group that pops a topic: its offsets there and in its retry topic, and its requests that wait for messages. */
import type { ParsedFilter } from '../../clients/parsed-filters.ts';
import type { Asked } from '../question-server.ts';
import type { LookQuestion, PopQuestion } from './pop-questions.ts';
import type { PopOffsets } from './pop-states.ts';

/** A pop, or a notification, which takes nothing. */
export type Wanting =
  | { readonly kind: 'pop'; readonly question: PopQuestion }
  | { readonly kind: 'look' | 'peek'; readonly question: LookQuestion };

export interface Parked {
  readonly asked: Asked;
  readonly wanting: Wanting;
  readonly filter: Exclude<ParsedFilter, string>;
  readonly pair: PopPair;
  /** Ends the wait's timer. */
  cancel: () => void;
}

export class PopPair {
  readonly main: PopOffsets;
  readonly retry: PopOffsets;
  /** By the queue id that is asked for, in the order in which they came. */
  readonly waiting = new Map<number, Set<Parked>>();

  /** When it was last asked for, ms of the monotonic clock. */
  usedAt: number;

  constructor(main: PopOffsets, retry: PopOffsets, usedAt: number) {
    this.main = main;
    this.retry = retry;
    this.usedAt = usedAt;
  }

  get ready(): boolean {
    return this.main.known && this.retry.known;
  }

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
