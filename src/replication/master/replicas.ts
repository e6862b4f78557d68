/**
 * How far enough slaves have come. Owner of REPLICATED, which never goes back: that a slave has left does not take from
 * it what it had.
 *
 * A slave counts once. The protocol does not say who it is, so connections from one host count as one slave, which
 * matters only where two slaves or more are waited for: they must be on hosts of their own then.
 */
import { type Positions, REPLICATED, SLAVES_LACKING } from '../../ring/positions.ts';

/** What is asked of a connection. */
export interface Follower {
  readonly host: string;
  /** End of what it has for certain; below 0 = nothing is known of that. */
  readonly has: number;
  /** Whether it is near enough to the end to count. */
  readonly inSync: boolean;
}

export class Replicas {
  readonly #positions: Positions;
  readonly #needed: number;
  readonly #news: () => void;

  /** `needed`: slaves; 0 = nobody waits. `news`: wakes those who wait for REPLICATED. */
  constructor(positions: Positions, needed: number, news: () => void) {
    this.#positions = positions;
    this.#needed = needed;
    this.#news = news;
    if (needed > 0) positions.set(SLAVES_LACKING, 1);
  }

  /** After a slave has come, gone or told how far it is. */
  update(followers: Iterable<Follower>): void {
    if (this.#needed === 0) return;
    const slaves = new Map<string, { end: number; inSync: boolean }>();
    for (const { host, has, inSync } of followers) {
      const known = slaves.get(host);
      const end = Math.max(known?.end ?? 0, has);
      slaves.set(host, { end, inSync: inSync || known?.inSync === true });
    }
    const ends = [...slaves.values()].map(({ end }) => end).sort((a, b) => b - a);
    const inSync = [...slaves.values()].filter((slave) => slave.inSync).length;
    this.#publish(ends[this.#needed - 1] ?? 0, inSync < this.#needed);
  }

  #publish(end: number, lacking: boolean): void {
    const positions = this.#positions;
    const moved = end > positions.get(REPLICATED);
    const changed = positions.differs(SLAVES_LACKING, lacking ? 1 : 0);
    if (moved) positions.set(REPLICATED, end);
    if (changed) positions.set(SLAVES_LACKING, lacking ? 1 : 0);
    if (moved || changed) this.#news();
  }
}
