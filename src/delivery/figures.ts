/**
 * What delivery counts by topic, for metrics: kept here until control is told, about once a second, and added up there.
 * Names come from messages and may be any text, so their number is bounded at both ends.
 */
import { Histogram, type HistogramState } from '../lib/histogram.ts';
import { MAX_DELIVERY_FIGURES } from '../lib/limits.ts';

/** Counted by topic; what is of a group or queue too, by `figureKey`. */
export type Figure =
  | 'commits'
  | 'rollbacks'
  | 'timersIn'
  | 'timersOut'
  /** That wait: by the hash of the topic, as the wheel has no more of it. */
  | 'timing'
  /** Half messages that have been open for a while. */
  | 'halves'
  | 'checkpointsIn'
  | 'acksIn'
  /** By topic, group and queue of the revive topic. */
  | 'checkpointsOut'
  | 'acksOut'
  | 'revived';

/** RocketMQ's bounds, s. */
export const OBSERVED = {
  /** From the birth of a half message to its commit. */
  committed: [5, 60, 600, 3_600, 43_200, 86_400],
  /** From the birth of a timed message to its time. */
  delays: [60, 600, 3_600, 43_200, 86_400, 259_200],
} as const;
export type Observed = keyof typeof OBSERVED;

/** Since the time before. */
export interface ToldFigures {
  counts: [figure: Figure, key: string, count: number][];
  observed: [observed: Observed, topic: string, state: HistogramState][];
}

/** No name has this character. */
const BETWEEN = '\n';

export function figureKey(topic: string, ...more: (string | number)[]): string {
  return [topic, ...more].join(BETWEEN);
}

/** Topic, group and queue of a key, as far as it has them. */
export function namesIn(key: string): string[] {
  return key.split(BETWEEN);
}

/** Delivery's end. */
export class DeliveryFigures {
  #counts = new Map<Figure, Map<string, number>>();
  #observed = new Map<Observed, Map<string, Histogram>>();
  #size = 0;

  /** What comes when MAX_DELIVERY_FIGURES wait to be told is not counted. */
  count(figure: Figure, key: string, count = 1): void {
    const counts = this.#counts.get(figure) ?? new Map<string, number>();
    this.#counts.set(figure, counts);
    const before = counts.get(key);
    if (before === undefined && !this.#mayBegin()) return;
    counts.set(key, (before ?? 0) + count);
  }

  observe(observed: Observed, topic: string, value: number): void {
    const all = this.#observed.get(observed) ?? new Map<string, Histogram>();
    this.#observed.set(observed, all);
    let histogram = all.get(topic);
    if (histogram === undefined) {
      if (!this.#mayBegin()) return;
      histogram = new Histogram(OBSERVED[observed]);
      all.set(topic, histogram);
    }
    histogram.add(Math.max(0, value));
  }

  #mayBegin(): boolean {
    if (this.#size >= MAX_DELIVERY_FIGURES) return false;
    this.#size += 1;
    return true;
  }

  /** What was counted since the last call; undefined when nothing was. */
  take(): ToldFigures | undefined {
    if (this.#size === 0) return undefined;
    const told: ToldFigures = { counts: [], observed: [] };
    for (const [figure, counts] of this.#counts)
      for (const [key, count] of counts) told.counts.push([figure, key, count]);
    for (const [observed, all] of this.#observed)
      for (const [topic, { state }] of all) told.observed.push([observed, topic, state]);
    this.#counts = new Map();
    this.#observed = new Map();
    this.#size = 0;
    return told;
  }
}

/** Control's end: what was told, added up. */
export class FigureTotals {
  readonly #counts = new Map<Figure, Map<string, number>>();
  readonly #observed = new Map<Observed, Map<string, Histogram>>();

  add({ counts, observed }: ToldFigures): void {
    for (const [figure, key, count] of counts) {
      const totals = this.#counts.get(figure) ?? new Map<string, number>();
      this.#counts.set(figure, totals);
      if (totals.has(key) || totals.size < MAX_DELIVERY_FIGURES)
        totals.set(key, (totals.get(key) ?? 0) + count);
    }
    for (const [kind, topic, { counts: buckets, sum }] of observed) {
      const all = this.#observed.get(kind) ?? new Map<string, Histogram>();
      this.#observed.set(kind, all);
      if (!all.has(topic) && all.size >= MAX_DELIVERY_FIGURES) continue;
      const total = all.get(topic) ?? new Histogram(OBSERVED[kind]);
      all.set(topic, total);
      for (const [i, count] of buckets.entries())
        total.state.counts[i] = (total.state.counts[i] as number) + count;
      total.state.sum += sum;
    }
  }

  totals(figure: Figure): ReadonlyMap<string, number> {
    return this.#counts.get(figure) ?? new Map();
  }

  observed(kind: Observed): ReadonlyMap<string, Histogram> {
    return this.#observed.get(kind) ?? new Map();
  }

  /** The topic is deleted: one of its name begins anew. */
  forget(topic: string): void {
    for (const totals of this.#counts.values())
      for (const key of totals.keys()) if (namesIn(key)[0] === topic) totals.delete(key);
    for (const all of this.#observed.values()) all.delete(topic);
  }
}
