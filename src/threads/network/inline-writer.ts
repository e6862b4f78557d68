/**
 * The writer inside the network thread (layout `merged`): asked at the end of every turn of the event loop instead of
 * having a thread and a sleep of its own.
 */
import { HALT_THREAD_DIED, type Positions } from '../../ring/positions.ts';
import type { WriterShape } from '../shapes.ts';
import { WriterAgent } from '../writer-agent.ts';

export class InlineWriter {
  readonly #agent: WriterAgent;
  readonly #positions: Positions;

  constructor(shape: WriterShape, positions: Positions) {
    this.#agent = new WriterAgent(shape);
    this.#positions = positions;
  }

  /** Appends everything that waits; true when there was something. */
  write(): boolean {
    if (this.#positions.halted || !this.#agent.hasWork()) return false;
    try {
      while (this.#agent.doWork() > 0 && !this.#positions.halted);
    } catch (error) {
      // As `runAgent` does: nothing more is acknowledged, then the thread dies.
      this.#positions.halt(HALT_THREAD_DIED, 0);
      throw error;
    }
    return true;
  }

  /** Appends the rest and ends. */
  close(): void {
    this.write();
    this.#agent.close();
  }
}
