/** Delay levels: the setting `messageDelayLevel` and what follows from it. Levels count from 1. */

import { parseDelayLevels, UNKNOWN_LEVEL_DELAY_MS } from '../../store/dispatch/schedule-time.ts';

export class DelayLevels {
  readonly #delays: readonly number[];

  /** Parses `1s 5s 2h …`. Throws a RangeError for text that is no such list: wrong delays would be worse. */
  constructor(text: string) {
    this.#delays = parseDelayLevels(text);
  }

  get max(): number {
    return this.#delays.length;
  }

  /** Delay in ms. */
  delayOf(level: number): number {
    return this.#delays[level - 1] ?? UNKNOWN_LEVEL_DELAY_MS;
  }

  /** When a message of this level is due: what the ConsumeQueue of the schedule topic holds as tags code. */
  deliveryTime(level: number, storeTimestamp: number): number {
    return storeTimestamp + this.delayOf(level);
  }
}

/** Queue of the schedule topic that holds a level. */
export function queueOfLevel(level: number): number {
  return level - 1;
}

export function levelOfQueue(queueId: number): number {
  return queueId + 1;
}
