/** What was observed, by upper bounds. Plain numbers: what is made of them can be posted. */
export interface HistogramState {
  /** Observations up to each bound and above the one before; the last one has those above all bounds. */
  counts: number[];
  sum: number;
}

export class Histogram {
  readonly bounds: readonly number[];
  readonly state: HistogramState;

  /** `bounds`: ascending. */
  constructor(bounds: readonly number[], state?: HistogramState) {
    this.bounds = bounds;
    this.state = state ?? { counts: new Array<number>(bounds.length + 1).fill(0), sum: 0 };
  }

  add(value: number): void {
    let bucket = 0;
    while (bucket < this.bounds.length && value > (this.bounds[bucket] as number)) bucket++;
    this.state.counts[bucket] = (this.state.counts[bucket] as number) + 1;
    this.state.sum += value;
  }
}
