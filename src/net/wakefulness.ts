/**
 * Keeps the event loop of a network thread awake for a moment after it has done something (`Patience` says when).
 * While it is awake the loop asks its sockets without waiting, `look` asks the rings, and nobody rings the doorbell.
 */
import { addon } from '../native/addon.ts';
import type { Patience } from '../ring/patience.ts';

export interface WakefulnessParts {
  patience: Patience;
  /** Does what is to be done, if anything; calls `worked` then. */
  look: () => void;
  /** Hears every bell again, and does what came while it did not. */
  fallAsleep: () => void;
  /** From now on `look` is called all the time: no bell is needed. */
  stayAwake: () => void;
  /** Ms of the monotonic clock. */
  now: () => number;
}

export class Wakefulness {
  readonly #parts: WakefulnessParts;
  #awake = false;
  #closed = false;
  #until = 0;

  constructor(parts: WakefulnessParts) {
    this.#parts = parts;
  }

  /** Something was done: more may follow soon. */
  worked(): void {
    const { patience } = this.#parts;
    if (this.#awake) {
      patience.rewarded();
    } else {
      if (!patience.worthwhile()) return;
      this.#awake = true;
      this.#parts.stayAwake();
      setImmediate(this.#step);
    }
    this.#until = this.#parts.now() + patience.millis;
  }

  /** For good. */
  close(): void {
    this.#closed = true;
  }

  readonly #step = (): void => {
    if (this.#closed) return;
    this.#parts.look();
    if (this.#parts.now() < this.#until) {
      addon.yieldProcessor();
      setImmediate(this.#step);
      return;
    }
    this.#awake = false;
    this.#parts.patience.disappointed();
    this.#parts.fallAsleep();
  };
}
