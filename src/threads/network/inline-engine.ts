/**
 * Agents of the engine inside the network thread (layouts `merged` and `inline`): asked at the end of every turn of the
 * event loop instead of having threads and sleeps of their own.
 */

import type { Agent } from '../../ring/agent.ts';
import { HALT_THREAD_DIED, type Positions } from '../../ring/positions.ts';
import type { EngineParts } from '../../store/engine-shapes.ts';
import { engineAgent } from '../engine-agents.ts';

export class InlineEngine {
  readonly #agent: Agent;
  readonly #positions: Positions;

  constructor(parts: EngineParts, positions: Positions) {
    this.#agent = engineAgent(parts);
    this.#positions = positions;
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
    return worked;
  }

  /** Does the rest and ends. */
  close(): void {
    if (!this.#positions.halted) while (!this.#agent.drained) this.work();
    this.#agent.close();
  }
}
