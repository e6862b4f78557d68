/**
 * Agents of the engine inside the network thread (layouts `merged` and `inline`): asked at the end of every turn of the
 * event loop instead of having threads and sleeps of their own.
 */

import type { Agent } from '../../ring/agent.ts';
import { HALT_THREAD_DIED, type Positions } from '../../ring/positions.ts';

/** The network thread looks by itself at least this often. */
const TURN_MS = 250;
/** A round takes 256 sends of each ring, or delivers 64 messages that are due: some ms for all of them. */
const MAX_ROUNDS = 16;

export class InlineEngine {
  readonly #agent: Agent;
  readonly #positions: Positions;
  readonly #goOn: () => void;
  #timer: NodeJS.Timeout | undefined;
  /** When the timer comes, ms of `performance.now()`. */
  #backAt = Number.POSITIVE_INFINITY;
  #closed = false;

  /** `goOn` is called when something becomes due that no turn of the event loop comes for otherwise. */
  constructor(agent: Agent, positions: Positions, goOn: () => void) {
    this.#agent = agent;
    this.#positions = positions;
    this.#goOn = goOn;
  }

  get hasWork(): boolean {
    return this.#agent.hasWork();
  }

  /**
   * Does what there is to do, so many rounds of it: what is due at once may be very much, and sockets wait for this
   * turn to end. True when there was something. Throws when the store has halted.
   */
  work(): boolean {
    let rounds = 0;
    try {
      while (rounds < MAX_ROUNDS && !this.#positions.halted && this.#agent.doWork() > 0) rounds++;
    } catch (error) {
      // As `runAgent` does: nothing more is acknowledged, then the thread dies.
      this.#positions.halt(HALT_THREAD_DIED, 0);
      throw error;
    }
    // Nobody else would notice: there may be no other thread that works on the store.
    if (this.#positions.halted) throw new Error('the store has halted');
    this.#comeBack(rounds === MAX_ROUNDS ? 0 : this.#agent.maxSleepMs);
    return rounds > 0;
  }

  #comeBack(ms: number): void {
    const at = performance.now() + ms;
    if (this.#closed || ms >= TURN_MS || at >= this.#backAt) return;
    clearTimeout(this.#timer);
    this.#backAt = at;
    this.#timer = setTimeout(() => {
      this.#backAt = Number.POSITIVE_INFINITY;
      this.#goOn();
    }, ms);
  }

  /** Does the rest and ends. */
  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    if (!this.#positions.halted) while (!this.#agent.drained) this.work();
    this.#agent.close();
  }
}
