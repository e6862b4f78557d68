/**
 * Whether a slave acts for its master (`enableSlaveActingMaster`): when name servers have no master of its name, it is
 * the first of those that they have, and it does not hear its master itself.
 */
import type { ControlLog } from '../../lib/log.ts';
import type { ActingDelivery } from './acting-delivery.ts';

/** Name servers are asked every second. A master that restarts is away for less. */
const ROUNDS = 3;

export interface ActingParts {
  brokerId: number;
  hearsMaster: () => boolean;
  delivery: Pick<ActingDelivery, 'begin' | 'end'>;
  log: ControlLog;
}

export class Acting {
  readonly #parts: ActingParts;
  /** Rounds in which it was to act. */
  #rounds = 0;
  #acts = false;
  /** A line of the log has said so. */
  #isTold = false;
  /** What it has begun is being ended. */
  #ends = false;

  constructor(parts: ActingParts) {
    this.#parts = parts;
  }

  get acts(): boolean {
    return this.#acts;
  }

  /** The ids that are registered under the broker's name. */
  members(ids: readonly number[]): void {
    const { brokerId, hearsMaster, delivery, log } = this.#parts;
    if (Math.min(...ids) !== brokerId || hearsMaster()) {
      this.stop('its master is back, or another slave is in front of it');
      return;
    }
    this.#rounds += 1;
    if (this.#acts || this.#ends || this.#rounds < ROUNDS) return;
    try {
      delivery.begin(() => this.#begun());
    } catch (error) {
      const reason = (error as Error).message;
      log.error({ reason }, 'this slave cannot act for its master, tried again');
      return;
    }
    this.#acts = true;
  }

  #begun(): void {
    if (!this.#acts) return;
    const { brokerId, log } = this.#parts;
    this.#isTold = true;
    log.info(
      { brokerId },
      'this slave acts for its master, which is away: it serves pops, and what becomes due goes to other masters',
    );
  }

  stop(reason: string): void {
    this.#rounds = 0;
    if (!this.#acts) return;
    const { delivery, log } = this.#parts;
    this.#acts = false;
    this.#ends = true;
    void delivery.end().finally(() => {
      this.#ends = false;
    });
    if (this.#isTold) log.info({ reason }, 'this slave acts for its master no more');
    this.#isTold = false;
  }
}
