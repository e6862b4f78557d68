/** A group that pops a topic: its offsets there and in its retry topic, and its requests that wait for messages. */
import type { ParsedFilter } from '../../clients/parsed-filters.ts';
import type { LiteClient } from '../lite/lite-client.ts';
import type { LiteQuestion } from '../lite/lite-questions.ts';
import type { Asked } from '../question-server.ts';
import type { LookQuestion, PopQuestion } from './pop-questions.ts';
import type { PopOffsets } from './pop-states.ts';
import { Waiters } from './waiters.ts';

/** A pop, or a notification, which takes nothing. */
export type Wanting =
  | { readonly kind: 'pop'; readonly question: PopQuestion }
  | { readonly kind: 'look' | 'peek'; readonly question: LookQuestion };

interface Waiting {
  readonly asked: Asked;
  readonly filter: Exclude<ParsedFilter, string>;
  /** Ends the wait's timer. */
  cancel: () => void;
}

/** Of a group in a topic. */
export interface PairParked extends Waiting {
  readonly wanting: Wanting;
  readonly among: PopPair;
}

/** Of a client in its lite topics. */
export interface LiteParked extends Waiting {
  readonly wanting: { readonly kind: 'lite'; readonly question: LiteQuestion };
  readonly among: LiteClient;
}

export type Parked = PairParked | LiteParked;

export function isLite(parked: Parked): parked is LiteParked {
  return parked.wanting.kind === 'lite';
}

export class PopPair extends Waiters {
  readonly main: PopOffsets;
  readonly retry: PopOffsets;
  /** When it was last asked for, ms of the monotonic clock. */
  usedAt: number;

  constructor(main: PopOffsets, retry: PopOffsets, usedAt: number) {
    super();
    this.main = main;
    this.retry = retry;
    this.usedAt = usedAt;
  }

  get ready(): boolean {
    return this.main.known && this.retry.known;
  }
}
