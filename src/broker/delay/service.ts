/** Delivery of delayed messages: one LevelDelivery per level. Offsets must be loaded before `start`. */
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

  /** Resolves when the puts under way have ended and the offsets are on disk. */
  async stop(): Promise<void> {
    await Promise.all(this.#levels.map((level) => level.stop()));
    this.#levels = [];
    const { offsets, times } = this.#context;
    offsets.persist();
    times.persist();
    await Promise.all([offsets.saved(), times.saved()]);
  }

  /** Offsets from before a crash may point behind what the store could recover, or at deleted entries. */
  #correctOffsets(): void {
    const { store, offsets, levels, log } = this.#context;
    for (const [level, offset] of [...offsets.entries()]) {
      if (level < 1 || level > levels.max) continue;
      const min = store.minOffset(SCHEDULE_TOPIC, queueOfLevel(level));
      const max = store.maxOffset(SCHEDULE_TOPIC, queueOfLevel(level));
      const corrected = Math.min(Math.max(offset, min), max);
      if (corrected === offset) continue;
      log.warn({ delayLevel: level, offset, corrected }, 'delay offset was outside of its queue');
      offsets.set(level, corrected);
    }
  }
}
