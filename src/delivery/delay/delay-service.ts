/** Delivery of delayed messages: one LevelDelivery per level. */
import { SCHEDULE_TOPIC } from '../../lib/names.ts';
import { type DeliveryContext, LevelDelivery } from './level-delivery.ts';
import { queueOfLevel } from './levels.ts';

export class DelayService {
  readonly #context: DeliveryContext;
  #levels: LevelDelivery[] = [];

  constructor(context: DeliveryContext) {
    this.#context = context;
  }

  start(): void {
    this.#correctOffsets();
    this.#levels = Array.from(
      { length: this.#context.levels.max },
      (_, index) => new LevelDelivery(this.#context, index + 1),
    );
    for (const level of this.#levels) level.start();
  }

  /** Call when entries were dispatched to the level's queue of the schedule topic. Unknown levels are ignored. */
  poke(level: number): void {
    this.#levels[level - 1]?.poke();
  }

  /** Call when nobody knows to which queues entries were dispatched. */
  pokeAll(): void {
    for (const level of this.#levels) level.poke();
  }

  /** Issues nothing more; `idle` tells when the puts under way have ended. */
  stop(): void {
    for (const level of this.#levels) level.stop();
  }

  get idle(): boolean {
    return this.#levels.every((level) => level.idle);
  }

  /** Offsets from before a crash may point behind what the store could recover, or at deleted entries. */
  #correctOffsets(): void {
    const { store, progress, levels, log, endAtStart } = this.#context;
    for (const [level, offset] of [...progress.entries()]) {
      if (level < 1 || level > levels.max) continue;
      const min = store.minOffset(SCHEDULE_TOPIC, queueOfLevel(level));
      const corrected = Math.max(Math.min(offset, endAtStart(level)), min);
      if (corrected === offset) continue;
      log.warn({ delayLevel: level, offset, corrected }, 'delay offset was outside of its queue');
      progress.set(level, corrected);
    }
  }
}
