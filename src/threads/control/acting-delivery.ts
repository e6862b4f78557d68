/**
 * Delivery on a slave while it acts for its master: the same thread as a master's, begun and ended while the broker
 * runs. What becomes due goes to other masters, and pops are served from what the slave has.
 */
import { Escape, type EscapeParts } from '../../broker/follow/escape.ts';
import type { EscapeReport } from '../../delivery/acting/acting-puts.ts';
import type { DeliveryLink } from '../../delivery/delivery-link.ts';
import type { DeliveryShape } from '../../delivery/delivery-shape.ts';
import { systemClock } from '../../lib/clock.ts';
import { type ControlLog, whyFailed } from '../../lib/log.ts';
import type { Engine } from '../engine.ts';

export interface ActingDeliveryParts extends EscapeParts {
  /** Undefined while the broker starts. */
  engine: () => Pick<Engine, 'deliver' | 'retireDelivery'> | undefined;
  link: Pick<DeliveryLink, 'beginActing' | 'endActing' | 'escaped' | 'stop'>;
  /** What delivery begins with, as the queues stand now. */
  shape: (begins: ReturnType<DeliveryLink['beginActing']>) => DeliveryShape;
  /** Tells the network threads whether pops are served; resolves when all know. */
  announce: (acts: boolean) => Promise<void>;
  log: ControlLog;
}

export class ActingDelivery {
  readonly #parts: ActingDeliveryParts;
  #escape: Escape | undefined;

  constructor(parts: ActingDeliveryParts) {
    this.#parts = parts;
  }

  /** `begun` is called when pops are served. Throws when the disk refuses the files that it needs. */
  begin(begun: () => void): void {
    const { engine, link, shape, announce } = this.#parts;
    const running = engine();
    if (running === undefined) throw new Error('the broker is not up yet');
    const begins = link.beginActing(systemClock);
    this.#escape = new Escape(this.#parts);
    running.deliver(() => {
      // Not before: nobody would answer what is asked. It is rejected when the broker ends before.
      void announce(true).then(begun, () => {});
      return shape(begins);
    });
  }

  /** Resolves when nothing is under way any more. */
  async end(): Promise<void> {
    const { engine, link, announce, log } = this.#parts;
    try {
      await announce(false).catch(() => {});
      await engine()?.retireDelivery(() => link.stop());
      link.endActing();
    } catch (error) {
      log.error(whyFailed(error), 'what this slave did for its master cannot be ended');
    } finally {
      this.#escape?.close();
      this.#escape = undefined;
    }
  }

  /** A message for another master. */
  readonly escapes = ({ id, message }: EscapeReport): void => {
    const { link } = this.#parts;
    this.#escape?.put(message, ({ status, remark }) => link.escaped({ id, status, remark }));
  };
}
