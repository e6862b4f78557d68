/** How long something of a broker stays behind its log after the sending, by asking again and again. */
const LOOK_MILLIS = 20;
const LAG_MAX_MILLIS = 120_000;

export interface Lag {
  /** As the first look found it, at the end of the sending. */
  bytes: number;
  /** From the end of the sending to the last look that found it behind; 0 = none did. */
  micros: number;
}

/**
 * Looks from its construction on, which is the end of the sending, until nothing is behind. What a look finds counts
 * only once `allAcknowledged`, since a log that has been caught up with may still grow while sends are under way.
 */
export class LagWatch {
  #acknowledged = false;
  readonly #look: () => Promise<number>;
  /** Rejects with the complaint when it stays behind. */
  readonly result: Promise<Lag>;

  /** `look` returns how many bytes are missing now; 0 = none. */
  constructor(look: () => Promise<number>, complaint: string, mostMillis = LAG_MAX_MILLIS) {
    this.#look = look;
    this.result = this.#watch(complaint, mostMillis);
    // it is awaited after the round, which may fail first
    this.result.catch(() => {});
  }

  allAcknowledged(): void {
    this.#acknowledged = true;
  }

  async #watch(complaint: string, mostMillis: number): Promise<Lag> {
    const from = performance.now();
    let lastBehind = from;
    let first: number | undefined;
    for (;;) {
      const final = this.#acknowledged;
      const behind = await this.#look();
      first ??= behind;
      if (behind !== 0) lastBehind = performance.now();
      else if (final) return { bytes: first, micros: (lastBehind - from) * 1000 };
      if (performance.now() - from > mostMillis) throw new Error(complaint);
      await new Promise((resolve) => setTimeout(resolve, LOOK_MILLIS));
    }
  }
}
