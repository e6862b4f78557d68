/**
 * Whether a slave acts for its master (`enableSlaveActingMaster`): when name servers have no master of its name, it is
 * the first of those that they have, and it does not hear its master itself.
 */
import { ActingDelays, type ActingDelaysParts } from '../../broker/follow/acting-delays.ts';
import { Escape, type EscapeParts } from '../../broker/follow/escape.ts';

/** Name servers are asked every second. A master that restarts is away for less. */
const ROUNDS = 3;

export interface ActingParts extends Omit<ActingDelaysParts, 'escape'>, EscapeParts {
  brokerId: number;
  hearsMaster: () => boolean;
}

export class Acting {
  readonly #parts: ActingParts;
  /** Rounds in which it was to act. */
  #rounds = 0;
  #delays: ActingDelays | undefined;
  #escape: Escape | undefined;

  constructor(parts: ActingParts) {
    this.#parts = parts;
  }

  get acts(): boolean {
    return this.#delays !== undefined;
  }

  /** The ids that are registered under the broker's name. */
  members(ids: readonly number[]): void {
    const { brokerId, hearsMaster, log } = this.#parts;
    if (Math.min(...ids) !== brokerId || hearsMaster()) {
      this.stop('its master is back, or another slave is in front of it');
      return;
    }
    this.#rounds += 1;
    if (this.acts || this.#rounds < ROUNDS) return;
    log.info(
      { brokerId },
      'this slave acts for its master, which is away: delayed messages go to other masters when they are due',
    );
    this.#escape = new Escape(this.#parts);
    this.#delays = new ActingDelays({ ...this.#parts, escape: this.#escape });
    this.#delays.start();
  }

  stop(reason: string): void {
    this.#rounds = 0;
    if (this.#delays === undefined) return;
    this.#delays.stop();
    this.#escape?.close();
    this.#delays = undefined;
    this.#parts.log.info({ reason }, 'this slave acts for its master no more');
  }
}
