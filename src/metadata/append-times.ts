/**
 * When the entries of a delay level's queue came, on the monotonic clock: what a wait is counted from. An entry itself
 * only holds when it is due by the clock of the machine, which may have been set since, and the store time that it was
 * reckoned from may be ahead of that clock (`store/log/commit-log.ts`).
 *
 * Entries are noted in spans, oldest first. A span says by when its entries were there, and by how much the machine's
 * clock was ahead of the monotonic one (`skew`): an entry is due at its own time less the skew, but never later than
 * its level's delay after it was seen. Entries that came while the clock was being set may carry a time from before
 * or after it: those wait the whole delay from when they were seen.
 */
import type { Clock } from '../lib/clock.ts';

/** Corrections of the clock up to this are not worth a span of their own, ms. */
const SKEW_TOLERANCE_MS = 100;
/** So long after a step of the clock an entry may turn up that was stamped before it, ms. */
const STEP_LASTS_MS = 1_000;
/** A span's entries came within this share of the level's delay, but at least the shortest span. */
const SPANS_PER_DELAY = 128;
const SHORTEST_SPAN_MS = 100;
/** Past this the oldest two become one. Only a level that has been stuck for hours has so many. */
const MAX_SPANS = 512;

/** Entries from where the previous span ends up to `end`. Times in ms. */
export interface AppendSpan {
  /** Queue offset behind its last entry. */
  end: number;
  /** Monotonic time at which its first entries were seen. */
  since: number;
  /** Monotonic time at which all of them were there. */
  seen: number;
  /** `now` less `monotonic` when they were seen. */
  skew: number;
  /** The clock was set about then: the entries' own times say nothing. */
  stepped: boolean;
}

/** What is kept of a level across a restart. */
export interface AppendTimesState {
  /** `now` less `monotonic` when it was last looked at. */
  skew: number;
  /** The clock had been set shortly before: entries may turn up that were stamped before that. */
  stepped: boolean;
  spans: readonly AppendSpan[];
}

/** By how much the machine's clock is ahead of the monotonic one, ms. */
export function skewOf(clock: Clock): number {
  return clock.now() - clock.monotonic();
}

/** Whether the clock was set between two looks at its skew. */
export function isStep(before: number, after: number): boolean {
  return Math.abs(after - before) > SKEW_TOLERANCE_MS;
}

export class AppendTimes {
  readonly #clock: Clock;
  readonly #delayMs: number;
  #spans: AppendSpan[] = [];
  #skew: number;
  #steppedAt = Number.NEGATIVE_INFINITY;
  #lookedAt: number;

  /**
   * `before`: the state that an earlier process of the same boot left; entries from `end` on are gone since. `skew`: as
   * it was when the log was opened, which is before what has come since.
   */
  constructor(clock: Clock, delayMs: number, before?: AppendTimesState, end = 0, skew = skewOf(clock)) {
    this.#clock = clock;
    this.#delayMs = delayMs;
    this.#skew = before?.skew ?? skew;
    this.#lookedAt = clock.monotonic();
    if (before?.stepped) this.#steppedAt = this.#lookedAt;
    for (const span of before?.spans ?? []) {
      if (span.end > this.end) this.#spans.push({ ...span, end: Math.min(span.end, end) });
      if (span.end >= end) break;
    }
  }

  /** Queue offset behind the last entry noted. */
  get end(): number {
    return this.#spans.at(-1)?.end ?? 0;
  }

  /** The queue now reaches up to `end`. To be called when entries have come, and now and then, to notice steps. */
  note(end: number): void {
    const now = this.#clock.monotonic();
    const skew = skewOf(this.#clock);
    if (isStep(this.#skew, skew)) this.#steppedAt = now;
    this.#skew = skew;
    this.#lookedAt = now;
    const last = this.#spans.at(-1);
    if (end <= (last?.end ?? 0)) return;
    const stepped = this.#hasStepped;
    const width = Math.max(SHORTEST_SPAN_MS, this.#delayMs / SPANS_PER_DELAY);
    const fits =
      last !== undefined &&
      last.stepped === stepped &&
      Math.abs(last.skew - skew) <= SKEW_TOLERANCE_MS &&
      now - last.since <= width;
    if (fits) {
      last.end = end;
      last.seen = now;
      return;
    }
    this.#spans.push({ end, since: now, seen: now, skew, stepped });
    if (this.#spans.length > MAX_SPANS) this.#joinOldest();
  }

  /**
   * Monotonic time at which an entry is due that says it is due at `time` by the clock, and waits for `delayMs` at
   * most. Offsets must ascend from call to call: what lies before is forgotten.
   */
  dueAt(offset: number, time: number, delayMs = this.#delayMs): number {
    if (offset >= this.end) this.note(offset + 1);
    const passed = this.#spans.findIndex((span) => span.end > offset);
    if (passed > 0) this.#spans.splice(0, passed);
    const span = this.#spans[0] as AppendSpan;
    const latest = span.seen + delayMs;
    return span.stepped ? latest : Math.min(time - span.skew, latest);
  }

  state(): AppendTimesState {
    return { skew: this.#skew, stepped: this.#hasStepped, spans: this.#spans };
  }

  /** The clock was set shortly before it was last looked at. */
  get #hasStepped(): boolean {
    return this.#lookedAt - this.#steppedAt < STEP_LASTS_MS;
  }

  #joinOldest(): void {
    const [first, second] = this.#spans as [AppendSpan, AppendSpan];
    this.#spans.shift();
    second.since = first.since;
    second.stepped ||= first.stepped || Math.abs(first.skew - second.skew) > SKEW_TOLERANCE_MS;
  }
}
