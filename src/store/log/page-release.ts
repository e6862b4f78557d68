/**
 * Letting written pages go. A log that only grows takes fresh memory for every page, which the kernel must find and
 * zero (and on a virtual machine the host too: 5 to 13 µs a page, measured); a log that gives back what is durable gets
 * its own pages again. So what is durable, dispatched and further behind the tail than `cachedLogBytes` is released,
 * unless somebody reads there: while a consumer works through a backlog, and for a while after, everything stays.
 */
import { BACKLOG_READS, DISPATCHED, LOG_START, type Positions } from '../../ring/positions.ts';
import { Watermark } from '../../ring/watermark.ts';
import { SETTLED } from '../options.ts';
import type { Segments } from './segments.ts';

/** Released at once; a multiple of the page size. */
const CHUNK = 4 * 1024 * 1024;
/** How long after a read of the backlog nothing is released, ms. */
const QUIET_MS = 30_000;

export class PageRelease {
  readonly #segments: Segments;
  readonly #positions: Positions;
  readonly #settled: Watermark;
  readonly #keep: number;
  readonly #now: () => number;
  #released: number;
  #reads = 0;
  #quietFrom = 0;

  /** `keep`: bytes behind the tail that stay; 0 = everything stays. `now`: ms of a clock that never steps. */
  constructor(segments: Segments, positions: Positions, keep: number, now: () => number) {
    this.#segments = segments;
    this.#positions = positions;
    this.#settled = new Watermark(positions, SETTLED);
    this.#keep = keep;
    this.#now = now;
    const end = positions.get(DISPATCHED);
    this.#released = end - (end % CHUNK);
  }

  /** Releases at most one chunk; true when it did. */
  step(): boolean {
    if (this.#keep === 0) return false;
    if (this.#settled.position - this.#keep < this.#released + CHUNK) return false;
    const from = Math.max(this.#released, this.#positions.get(LOG_START));
    this.#released = from - (from % CHUNK) + CHUNK;
    if (this.#isRead()) return false;
    const mapping = this.#segments.at(from);
    const at = this.#segments.offsetOf(from);
    mapping?.release(at, Math.min(CHUNK, this.#segments.fileSize - at));
    return true;
  }

  /** Whether consumers read behind what is kept, now or a moment ago. */
  #isRead(): boolean {
    const now = this.#now();
    const reads = this.#positions.get(BACKLOG_READS);
    if (reads !== this.#reads) {
      this.#reads = reads;
      this.#quietFrom = now + QUIET_MS;
    }
    return now < this.#quietFrom;
  }
}
