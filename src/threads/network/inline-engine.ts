/**
 * Agents of the engine inside the network thread (layouts `merged` and `inline`): asked at the end of every turn of the
 * event loop instead of having threads and sleeps of their own.
 */
import { HALT_THREAD_DIED, type Positions } from '../../ring/positions.ts';
import { type Agent, compose } from '../agent.ts';
import { DispatcherAgent } from '../dispatcher-agent.ts';
import { FlusherAgent } from '../flusher-agent.ts';
import type { InlineShape } from '../shapes.ts';
import { WriterAgent } from '../writer-agent.ts';

export class InlineEngine {
  readonly #agent: Agent;
  readonly #positions: Positions;

  constructor({ writer, flusher, dispatcher }: InlineShape, positions: Positions) {
    const agents: Agent[] = [new WriterAgent(writer)];
    if (flusher !== undefined) agents.push(new FlusherAgent(flusher));
    if (dispatcher !== undefined) agents.push(new DispatcherAgent(dispatcher));
    this.#agent = compose(agents);
    this.#positions = positions;
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
