/** The lite topics in which a group is farthest behind: a few of many. */
export interface LiteLag {
  liteTopic: string;
  lagCount: number;
  earliestUnconsumedTimestamp: number;
}

const ORDERS = {
  /** The most messages first. */
  count: (a: LiteLag, b: LiteLag) => b.lagCount - a.lagCount,
  /** The oldest first. */
  time: (a: LiteLag, b: LiteLag) => a.earliestUnconsumedTimestamp - b.earliestUnconsumedTimestamp,
};

export class TopLags {
  readonly #most: number;
  readonly #order: (a: LiteLag, b: LiteLag) => number;
  #kept: LiteLag[] = [];

  constructor(most: number, by: keyof typeof ORDERS) {
    this.#most = most;
    this.#order = ORDERS[by];
  }

  add(lag: LiteLag): void {
    this.#kept.push(lag);
    // Sorted once for as many as are kept, not for each.
    if (this.#kept.length >= 2 * this.#most + 1) this.#cut();
  }

  list(): LiteLag[] {
    this.#cut();
    return this.#kept;
  }

  #cut(): void {
    this.#kept = this.#kept.sort(this.#order).slice(0, this.#most);
  }
}
