/**
 * How far enough slaves have come. Owner of REPLICATED, which never goes back: that a slave has left does not take from
 * it what it had.
 *
 * A slave counts once. The protocol does not say who it is, so connections from one host count as one slave, which
 * matters only where two slaves or more are waited for: they must be on hosts of their own then.
 */
import { APPENDED, type Positions, REPLICATED, SLAVES_STATE } from '../../ring/positions.ts';
import { type ReplicationOptions, slavesNeeded, slavesState, waitsForSlaves } from '../options.ts';

/** What is asked of a connection. */
export interface Follower {
  readonly host: string;
  /** End of what it has for certain; below 0 = nothing is known of that. */
  readonly has: number;
  /** Whether it is near enough to the end to count. */
  readonly inSync: boolean;
}

/** The connections of a host together. */
interface Slave {
  end: number;
  inSync: boolean;
}

export class Replicas {
  readonly #positions: Positions;
  readonly #options: ReplicationOptions;
  readonly #news: () => void;
  /** Hosts that have caught up, and count since then: for who waits for all of them. */
  readonly #caughtUp = new Set<string>();
  /** Where the log ended at the tick before the last one, and at that. */
  #recentEnd: number;
  #tickEnd: number;

  /** `news`: wakes those who wait for REPLICATED. */
  constructor(positions: Positions, options: ReplicationOptions, news: () => void) {
    this.#positions = positions;
    this.#options = options;
    this.#news = news;
    positions.set(SLAVES_STATE, slavesState(options, 0));
    this.#tickEnd = positions.get(APPENDED);
    this.#recentEnd = this.#tickEnd;
  }

  /** A moment has passed. */
  tick(followers: Iterable<Follower>): void {
    this.#recentEnd = this.#tickEnd;
    this.#tickEnd = this.#positions.get(APPENDED);
    this.update(followers);
  }

  /** After a slave has come, gone or told how far it is. */
  update(followers: Iterable<Follower>): void {
    if (!waitsForSlaves(this.#options)) return;
    const slaves = new Map<string, Slave>();
    for (const { host, has, inSync } of followers) {
      const known = slaves.get(host);
      const end = Math.max(known?.end ?? 0, has);
      slaves.set(host, { end, inSync: inSync || known?.inSync === true });
    }
    if (this.#options.allAckInSyncStateSet) this.#keepThoseThatCatchUp(slaves);
    const ends = [...slaves.values()].map(({ end }) => end).sort((a, b) => b - a);
    const inSync = [...slaves.values()].filter((slave) => slave.inSync).length;
    const needed = slavesNeeded(this.#options, inSync);
    this.#publish(ends[needed - 1] ?? 0, slavesState(this.#options, inSync));
  }

  /**
   * Where all that count are waited for, one that is near counts only when it has come to where the log ended a moment
   * before: until then every message would wait for it.
   */
  #keepThoseThatCatchUp(slaves: Map<string, Slave>): void {
    for (const [host, { end, inSync }] of slaves) {
      if (!inSync) this.#caughtUp.delete(host);
      else if (end >= this.#recentEnd) this.#caughtUp.add(host);
      if (!this.#caughtUp.has(host)) slaves.delete(host);
    }
    for (const host of this.#caughtUp) if (!slaves.has(host)) this.#caughtUp.delete(host);
  }

  #publish(end: number, state: number): void {
    const positions = this.#positions;
    const moved = end > positions.get(REPLICATED);
    const changed = positions.differs(SLAVES_STATE, state);
    if (moved) positions.set(REPLICATED, end);
    if (changed) positions.set(SLAVES_STATE, state);
    if (moved || changed) this.#news();
  }
}
