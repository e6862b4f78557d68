/**
 * Agents of the engine inside the network thread (layouts `merged` and `inline`): asked at the end of every turn of the
 * event loop instead of having threads and sleeps of their own.
 */

import type { Agent } from '../../ring/agent.ts';
import { HALT_THREAD_DIED, type Positions } from '../../ring/positions.ts';
import { engineAgent } from '../engine-agents.ts';
import type { EngineParts } from '../shapes.ts';

/** The network thread looks by itself at least this often. */
const TURN_MS = 250;

export class InlineEngine {
  readonly #agent: Agent;
  readonly #positions: Positions;
  readonly #goOn: () => void;
  #timer: NodeJS.Timeout | undefined;

  /** `goOn` is called when something becomes due that no turn of the event loop comes for otherwise. */
  constructor(parts: EngineParts, positions: Positions, goOn: () => void) {
    this.#agent = engineAgent(parts);
    this.#positions = positions;
    this.#goOn = goOn;
  }

  get hasWork(): boolean {
    return this.#agent.hasWork();
  }

  /** Does all there is to do; true when there was something. Throws when the store has halted. */
  work(): boolean {
    let worked = false;
    try {
      while (!this.#positions.halted && this.#agent.doWork() > 0) worked = true;
    } catch (error) {
      // As `runAgent` does: nothing more is acknowledged, then the thread dies.
      this.#positions.halt(HALT_THREAD_DIED, 0);
      throw error;
    }
    // Nobody else would notice: there may be no other thread that works on the store.
    if (this.#positions.halted) throw new Error('the store has halted');
    this.#comeBack();
    return worked;
  }

  #comeBack(): void {
    const ms = this.#agent.maxSleepMs;
    if (this.#timer !== undefined || ms >= TURN_MS) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#goOn();
    }, ms);
  }

  /** Does the rest and ends. */
  close(): void {
    clearTimeout(this.#timer);
    if (!this.#positions.halted) while (!this.#agent.drained) this.work();
    this.#agent.close();
  }
}
