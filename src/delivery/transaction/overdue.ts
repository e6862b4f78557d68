/**
 * Which open half messages cannot stay where they are, whoever may be asked about them: more are open than are kept in
 * mind, or one lies too far from the end of its queue, or in a file that is deleted before long. In a round, from the
 * first on: so it is the oldest that leave.
 */
import { HALF_TOPIC } from '../../lib/names.ts';
import type { TransactionContext } from './context.ts';
import type { OpenHalves } from './open-halves.ts';

/** It stays, is moved to the end of the queue, or is given up. */
export const STAYS = 0;
export const MOVES = 1;
export const LEAVES = 2;

const HOUR_MS = 3_600_000;
/** What has waited for this share of the time for which files are kept is moved. */
const MOVED_AT = 1 / 4;

type OverdueContext = Pick<TransactionContext, 'clock' | 'settings' | 'store' | 'log' | 'limits'>;

export class Overdue {
  /** Given up, but open until the log says so. */
  leaving = 0;
  readonly #context: OverdueContext;
  readonly #halves: OpenHalves;
  /** In this round none was met that is young; behind it no older ones are looked for. */
  #onlyOld = true;

  constructor(context: OverdueContext, halves: OpenHalves) {
    this.#context = context;
    this.#halves = halves;
  }

  beginRound(): void {
    this.#onlyOld = true;
  }

  /** Whether some cannot stay because they are too many. */
  get crowded(): boolean {
    const { maxOpenHalves, maxHalvesSpan } = this.#context.limits;
    const { size, end, first } = this.#halves;
    return size - this.leaving > maxOpenHalves || end - first > maxHalvesSpan;
  }

  of(offset: number): number {
    const { maxOpenHalves, maxHalvesSpan } = this.#context.limits;
    if (this.#halves.size - this.leaving > maxOpenHalves) return LEAVES;
    if (this.#halves.end - offset > maxHalvesSpan) return MOVES;
    if (!this.#onlyOld) return STAYS;
    this.#onlyOld = this.#isOld(offset);
    return this.#onlyOld ? MOVES : STAYS;
  }

  #isOld(offset: number): boolean {
    const { clock, settings, store, log } = this.#context;
    const position = this.#halves.position(offset);
    try {
      const stored = store.storeTimeOf(position);
      // What is gone from the log has waited too long.
      return stored < 0 || clock.now() - stored > settings().fileReservedTime * HOUR_MS * MOVED_AT;
    } catch (error) {
      const reason = (error as Error).message;
      log.error({ topic: HALF_TOPIC, offset, position, reason }, 'the age of a half message cannot be read');
      return false;
    }
  }
}
