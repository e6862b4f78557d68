/** The few statistics of the tables. */

export interface Spread {
  median: number;
  min: number;
  max: number;
}

export function median(values: readonly number[]): number {
  if (values.length === 0) return Number.NaN;
  const sorted = [...values].sort((left, right) => left - right);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] as number;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] as number) + upper) / 2;
}

export function spread(values: readonly number[]): Spread {
  return { median: median(values), min: Math.min(...values), max: Math.max(...values) };
}

/** Ratio of two medians; NaN when one of them is missing or the reference is 0. */
export function ratio(ours: Spread | undefined, reference: Spread | undefined): number {
  if (ours === undefined || reference === undefined || reference.median === 0) return Number.NaN;
  return ours.median / reference.median;
}
