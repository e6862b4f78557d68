/**
 * All slaves of a master: takes their connections, feeds them when the log has grown, and publishes how far enough of
 * them have come. Works in turns of its thread's event loop and knows no sockets but by `FeedSocket`.
 */
import { MAX_SLAVES } from '../../lib/limits.ts';
import type { ControlLog } from '../../lib/log.ts';
import type { Positions } from '../../ring/positions.ts';
import { type ReplicationOptions, slavesNeeded } from '../options.ts';
import type { SlaveState } from '../status.ts';
import { type Follower, Replicas } from './replicas.ts';
import { type FeedSocket, type ServedLog, SlaveFeed } from './slave-feed.ts';

export interface FeedsParts {
  log: ServedLog;
  positions: Positions;
  options: ReplicationOptions;
  /** Ms of the monotonic clock. */
  now: () => number;
  lines: ControlLog;
  /** Wakes those who wait for slaves. */
  news: () => void;
}

/** A connection from `host`. */
class Entry implements Follower {
  readonly host: string;
  readonly feed: SlaveFeed;

  constructor(host: string, feed: SlaveFeed) {
    this.host = host;
    this.feed = feed;
  }

  get acknowledged(): number {
    return this.feed.acknowledged;
  }

  get inSync(): boolean {
    return this.feed.inSync;
  }
}

export class Feeds {
  readonly #parts: FeedsParts;
  readonly #entries = new Map<SlaveFeed, Entry>();
  readonly #replicas: Replicas;

  constructor(parts: FeedsParts) {
    this.#parts = parts;
    this.#replicas = new Replicas(parts.positions, slavesNeeded(parts.options), parts.news);
  }

  get size(): number {
    return this.#entries.size;
  }

  /** A new connection; undefined when there are too many. */
  open(host: string, port: number, socket: FeedSocket): SlaveFeed | undefined {
    const address = `${host}:${port}`;
    const { lines, log, options, now } = this.#parts;
    if (this.#entries.size >= MAX_SLAVES) {
      const fields = { address, limit: MAX_SLAVES, name: 'MAX_SLAVES' };
      lines.warn(fields, 'a connection to the replication port was refused: there are as many as are taken');
      return undefined;
    }
    const acknowledged = () => this.#replicas.update(this.#entries.values());
    const ended = (gone: SlaveFeed, why: string) => this.#ended(gone, why);
    const feed = new SlaveFeed({ log, socket, options, address, now, acknowledged, ended });
    this.#entries.set(feed, new Entry(host, feed));
    return feed;
  }

  /** The socket is closed. `why`: the system's reason, if any. */
  closed(feed: SlaveFeed, why = ''): void {
    if (!this.#forget(feed)) return;
    const { acknowledged, behind, address } = feed;
    const fields = { address, acknowledged, behind, ...(why === '' ? {} : { reason: why }) };
    this.#parts.lines.info(fields, 'a slave has gone');
  }

  /** The log has grown, or sockets may have room. */
  pump(): void {
    for (const { feed } of this.#entries.values()) feed.pump();
  }

  /** By the clock. */
  tick(): void {
    for (const { feed } of this.#entries.values()) feed.tick();
    this.#replicas.update(this.#entries.values());
  }

  /** Whether bytes of the file that starts at `start` are on their way to a slave. */
  isPinned(start: number): boolean {
    const end = start + this.#parts.log.fileSize;
    for (const { feed } of this.#entries.values())
      if (feed.taken < feed.next && feed.taken < end && feed.next > start) return true;
    return false;
  }

  states(): SlaveState[] {
    const now = this.#parts.now();
    return [...this.#entries.values()].map(({ feed }) => ({
      address: feed.address,
      acknowledged: feed.acknowledged,
      next: feed.next,
      behind: feed.behind,
      inSync: feed.inSync,
      rate: feed.pace.lastSecond(now),
    }));
  }

  #ended(feed: SlaveFeed, why: string): void {
    if (!this.#forget(feed)) return;
    this.#parts.lines.warn({ address: feed.address, reason: why }, 'a slave is no longer fed');
  }

  #forget(feed: SlaveFeed): boolean {
    feed.close();
    const known = this.#entries.delete(feed);
    if (known) this.#replicas.update(this.#entries.values());
    return known;
  }
}
