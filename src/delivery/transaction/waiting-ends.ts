/**
 * Ends of transactions that cannot be judged yet: their half message is not dispatched, is just being copied, or
 * another end is under way. They are looked at together, and one that still has to wait costs a comparison.
 */
import { ResponseCode } from '../../protocol/codes.ts';
import type { TransactionContext } from './context.ts';
import type { End } from './ends.ts';

interface Waiting {
  readonly end: End;
  readonly mayBeJudged: () => boolean;
}

/** For those that nobody calls: most wait for half messages, and are looked at when these come. */
const LOOK_AGAIN_MS = 2;
const STOPS = 'the broker stops: end the transaction again, or say so when you are asked about it';

export class WaitingEnds {
  readonly #context: Pick<TransactionContext, 'timers' | 'busy'>;
  readonly #take: (end: End) => void;
  #waiting: Waiting[] = [];
  #isAwaited = false;
  #stopping = false;

  /** `take`: judges an end, which may have to wait once more. */
  constructor(context: Pick<TransactionContext, 'timers' | 'busy'>, take: (end: End) => void) {
    this.#context = context;
    this.#take = take;
  }

  get size(): number {
    return this.#waiting.length;
  }

  add(end: End, mayBeJudged: () => boolean): void {
    this.#waiting.push({ end, mayBeJudged });
    this.#lookSoon();
  }

  /** Nobody is to wait for what may not happen any more: those that cannot be judged yet are refused. */
  stop(): void {
    this.#stopping = true;
  }

  #lookSoon(): void {
    if (this.#isAwaited || this.#waiting.length === 0) return;
    this.#isAwaited = true;
    this.#context.timers.after(LOOK_AGAIN_MS, () => {
      this.#isAwaited = false;
      this.look();
      this.#lookSoon();
    });
  }

  /** What they wait for may have come. */
  look(): void {
    if (this.#waiting.length === 0) return;
    const looked = this.#waiting;
    this.#waiting = [];
    for (const waiting of looked) {
      if (waiting.mayBeJudged() && !this.#context.busy()) this.#take(waiting.end);
      else if (this.#stopping) waiting.end.answer(ResponseCode.SYSTEM_BUSY, STOPS);
      else this.#waiting.push(waiting);
    }
  }
}
