/**
 * All slaves of a master: takes their connections, feeds them when the log has grown, and publishes how far enough of
 * them have come. Works in turns of its thread's event loop and knows no sockets but by `FeedSocket`.
 */
import { MAX_SLAVES, MAX_SLAVES_OF_HOST } from '../../lib/limits.ts';
import type { ControlLog } from '../../lib/log.ts';
import type { Positions } from '../../ring/positions.ts';
import type { ReplicationOptions } from '../options.ts';
import type { SlaveState } from '../status.ts';
import { Replicas } from './replicas.ts';
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

export class Feeds {
  readonly #parts: FeedsParts;
  readonly #feeds = new Set<SlaveFeed>();
  readonly #replicas: Replicas;
  /** Those that count, and those that have and do not now. */
  readonly #counted = new Set<SlaveFeed>();
  readonly #late = new Set<SlaveFeed>();

  constructor(parts: FeedsParts) {
    this.#parts = parts;
    this.#replicas = new Replicas(parts.positions, parts.options, parts.news);
  }

  get size(): number {
    return this.#feeds.size;
  }

  /** A new connection; undefined when there are too many. */
  open(host: string, port: number, socket: FeedSocket): SlaveFeed | undefined {
    const { lines, log, options, now } = this.#parts;
    const limit = this.#limitReached(host);
    if (limit !== undefined) {
      const fields = { address: `${host}:${port}`, ...limit };
      lines.warn(fields, 'a connection to the replication port was refused: there are as many as are taken');
      return undefined;
    }
    const acknowledged = () => this.#replicas.update(this.#feeds);
    const ended = (gone: SlaveFeed, why: string) => this.#ended(gone, why);
    const feed = new SlaveFeed({ log, socket, options, host, port, now, acknowledged, ended });
    this.#feeds.add(feed);
    return feed;
  }

  #limitReached(host: string): { limit: number; name: string } | undefined {
    if (this.#feeds.size >= MAX_SLAVES) return { limit: MAX_SLAVES, name: 'MAX_SLAVES' };
    const ofHost = [...this.#feeds].filter((feed) => feed.host === host).length;
    return ofHost < MAX_SLAVES_OF_HOST
      ? undefined
      : { limit: MAX_SLAVES_OF_HOST, name: 'MAX_SLAVES_OF_HOST' };
  }

  /** The socket is closed. `why`: the system's reason, if any. */
  closed(feed: SlaveFeed, why = ''): void {
    if (!this.#forget(feed)) return;
    const fields = {
      acknowledged: feed.acknowledged,
      ...lagOf(feed),
      ...(why === '' ? {} : { reason: why }),
    };
    this.#parts.lines.info(fields, 'a slave has gone');
  }

  /** The log has grown, or sockets may have room. */
  pump(): void {
    for (const feed of this.#feeds) feed.pump();
  }

  /** By the clock. */
  tick(): void {
    for (const feed of this.#feeds) {
      feed.tick();
      this.#watch(feed);
    }
    this.#replicas.tick(this.#feeds);
  }

  /** Whether bytes of the file that starts at `start` are on their way to a slave. */
  isPinned(start: number): boolean {
    const end = start + this.#parts.log.fileSize;
    for (const feed of this.#feeds)
      if (feed.taken < feed.next && feed.taken < end && feed.next > start) return true;
    return false;
  }

  states(): SlaveState[] {
    const now = this.#parts.now();
    return [...this.#feeds].map((feed) => ({
      address: feed.address,
      acknowledged: feed.acknowledged,
      next: feed.next,
      behind: feed.behind,
      behindMs: feed.behindMs,
      inSync: feed.inSync,
      rate: feed.pace.lastSecond(now),
    }));
  }

  /** One line when a slave that counts is too far behind to count, and one when it counts again. */
  #watch(feed: SlaveFeed): void {
    if (feed.inSync) {
      if (this.#late.delete(feed))
        this.#parts.lines.info(lagOf(feed), 'a slave is near enough to the end again to count');
      this.#counted.add(feed);
    } else if (this.#counted.delete(feed)) {
      this.#late.add(feed);
      const fields = { ...lagOf(feed), haMaxGapNotInSync: this.#parts.options.haMaxGapNotInSync };
      this.#parts.lines.warn(fields, 'a slave is too far behind to count');
    }
  }

  #ended(feed: SlaveFeed, why: string): void {
    if (!this.#forget(feed)) return;
    this.#parts.lines.warn({ address: feed.address, reason: why }, 'a slave is no longer fed');
  }

  #forget(feed: SlaveFeed): boolean {
    feed.close();
    const known = this.#feeds.delete(feed);
    this.#counted.delete(feed);
    this.#late.delete(feed);
    if (known) this.#replicas.update(this.#feeds);
    return known;
  }
}

/** How far a slave is behind, for the log. */
function lagOf({ address, behind, behindMs }: SlaveFeed) {
  return {
    address,
    behind,
    ...(behindMs === undefined ? {} : { behindSeconds: Math.round(behindMs / 1_000) }),
  };
}
