/**
 * Ends of transactions that cannot be judged yet: their half message is not dispatched, is just being copied, or
 * another end is under way. They are looked at together, and one that still has to wait costs a comparison.
 */
import type { TransactionContext } from './context.ts';
import type { End } from './ends.ts';

interface Waiting {
  readonly end: End;
  readonly mayBeJudged: () => boolean;
}

const LOOK_AGAIN_MS = 2;

export class WaitingEnds {
  readonly #context: Pick<TransactionContext, 'timers' | 'busy'>;
  readonly #take: (end: End) => void;
  #waiting: Waiting[] = [];
  #isAwaited = false;

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

  #lookSoon(): void {
    if (this.#isAwaited || this.#waiting.length === 0) return;
    this.#isAwaited = true;
    this.#context.timers.after(LOOK_AGAIN_MS, () => {
      this.#isAwaited = false;
      this.#look();
      this.#lookSoon();
    });
  }

  #look(): void {
    const looked = this.#waiting;
    this.#waiting = [];
    for (const waiting of looked) {
      if (this.#context.busy() || !waiting.mayBeJudged()) this.#waiting.push(waiting);
      else this.#take(waiting.end);
    }
  }
}
