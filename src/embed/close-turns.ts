/**
 * Brokers of one process that end one after the other. In Node 20 threads that end at the same time can wait for
 * each other for ever: a thread that leaves its event loop waits for the compile jobs of all threads, and such a job
 * may wait for a garbage collection by a thread that waits already. Node 22 and later do not; brokers end together
 * there.
 */
import { clearTimeout, setTimeout } from 'node:timers';

/** Longer than a close in order takes; a broker that hangs does not keep the others from being told. */
const LONGEST_TURN_MS = 10_000;
const FIRST_SOUND_NODE = 22;

/** Taken before a test of the host can put fake timers in its place. */
const startTimer = setTimeout;
const stopTimer = clearTimeout;

/** Whether threads of this Node may end together. */
export function endsTogether(nodeVersion: string): boolean {
  return Number.parseInt(nodeVersion, 10) >= FIRST_SOUND_NODE;
}

export class CloseTurns {
  readonly #longestMs: number;
  #last: Promise<void> | undefined;

  constructor(longestMs = LONGEST_TURN_MS) {
    this.#longestMs = longestMs;
  }

  /**
   * Calls `begin` when the turn before is over, at once when there is none. A turn is over when `ended` is resolved, or
   * after a time.
   */
  take(begin: () => void, ended: Promise<void>): void {
    const before = this.#last;
    const turn =
      before === undefined ? this.#turn(begin, ended) : before.then(() => this.#turn(begin, ended));
    this.#last = turn;
    void turn.then(() => {
      if (this.#last === turn) this.#last = undefined;
    });
  }

  #turn(begin: () => void, ended: Promise<void>): Promise<void> {
    begin();
    return new Promise((resolve) => {
      // Who waits for a close keeps the process alive, not this.
      const timer = startTimer(resolve, this.#longestMs).unref();
      void ended.then(() => {
        stopTimer(timer);
        resolve();
      });
    });
  }
}
