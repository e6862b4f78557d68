/** Delay levels: the setting `messageDelayLevel` and what follows from it. Levels count from 1. */

const UNIT_MS: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** How late a message of an unknown level is delivered. */
const UNKNOWN_LEVEL_MS = 1_000;

export class DelayLevels {
  readonly #delays: readonly number[];

  /** Parses `1s 5s 2h …`. Throws a RangeError for text that is no such list: wrong delays would be worse. */
  constructor(text: string) {
    this.#delays = text
      .trim()
      .split(/\s+/)
      .map((word) => {
        const match = /^(\d+)([smhd])$/.exec(word);
        const unit = UNIT_MS[match?.[2] ?? ''];
        if (match === null || unit === undefined) {
          throw new RangeError(`messageDelayLevel: "${word}" is no number with unit s, m, h or d`);
        }
        return Number(match[1]) * unit;
      });
  }

  get max(): number {
    return this.#delays.length;
  }

  /** Delay in ms. */
  delayOf(level: number): number {
    return this.#delays[level - 1] ?? UNKNOWN_LEVEL_MS;
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
