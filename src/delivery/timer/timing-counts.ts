/**
 * How many messages wait in the wheel, by the hash of their topic, which is all that the wheel knows of it. What was
 * there before is counted by going through the wheel, the next slots first; what comes and goes meanwhile is counted as
 * it does.
 */
import type { DeliveryFigures } from '../figures.ts';
import type { DeliveredBefore } from './begun.ts';
import { isRecall, NONE, type TimerUnit } from './timer-layout.ts';
import type { Steps, TimerStore } from './timer-store.ts';

/** Units that one step looks at. */
const STEP_UNITS = 256;

export class TimingCounts {
  readonly #figures: DeliveryFigures;
  readonly #counts = new Map<number, number>();

  constructor(figures: DeliveryFigures) {
    this.#figures = figures;
  }

  add(topicHash: number, count: number): void {
    this.#counts.set(topicHash, (this.#counts.get(topicHash) ?? 0) + count);
    this.#figures.count('timing', String(topicHash), count);
  }

  /** The wheel is another one now: nothing of it is counted. */
  reset(): void {
    for (const [topicHash, count] of this.#counts) this.#figures.count('timing', String(topicHash), -count);
    this.#counts.clear();
  }

  /** Counts what stands in the wheel and before `end` in the log, less what was delivered before. */
  *addAll(timers: TimerStore, before: DeliveredBefore, end: number): Steps {
    const reader = timers.reader();
    const { wheel, clock } = timers;
    let looked = 0;
    for (let slot = wheel.nextFilled(timers.firstSlot); slot < Infinity; slot = wheel.nextFilled(slot + 1)) {
      if (timers.finishedSlots.has(slot)) continue;
      for (let at = wheel.get(slot).last; at !== NONE && reader.at(at); at = reader.unit.previous) {
        const unit: Readonly<TimerUnit> = reader.unit;
        const isOver = isRecall(unit) || clock.hasMoved(at, unit) || before.has(at, unit, slot);
        if (at < end && !isOver) this.add(unit.topicHash, 1);
        looked += 1;
        if (looked % STEP_UNITS === 0) yield;
      }
    }
  }
}
