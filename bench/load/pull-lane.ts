/** A part of a queue that is pulled in order: one pull in flight, the next one where the last one ended. */
import { PullFrame, type PullShape } from './pull-frame.ts';

export interface LaneRange {
  from: number;
  /** Exclusive; Infinity = as long as messages come. */
  to: number;
}

export class PullLane {
  readonly range: LaneRange;
  readonly shape: PullShape;
  readonly frame: PullFrame;
  /** Queue offset that comes next. */
  next: number;
  /** Passes from start to end that are over. */
  passes = 0;
  /** Opaque that it waits for; 0 when no pull is in flight. */
  awaited = 0;
  /** When that pull was sent, in microseconds. */
  since = 0;
  /** Pulls so far. */
  pulls = 0;

  constructor(shape: PullShape, range: LaneRange) {
    this.shape = shape;
    this.range = range;
    this.frame = new PullFrame(shape);
    this.next = range.from;
  }

  get pass(): number {
    return this.passes + 1;
  }
}

export interface QueueSpan {
  topic: string;
  topicIndex: number;
  queueId: number;
  minOffset: number;
  maxOffset: number;
}

/**
 * Cuts queues into lanes, so that each of `connections` has at least one: whole queues while there are enough of them,
 * else parts of equal length. Empty queues have none.
 */
export function cutIntoRanges(span: QueueSpan, parts: number, fromFraction: number): LaneRange[] {
  const first = span.minOffset + Math.floor((span.maxOffset - span.minOffset) * fromFraction);
  const ranges: LaneRange[] = [];
  for (let part = 0; part < parts; part++) {
    const from = first + Math.floor(((span.maxOffset - first) * part) / parts);
    const to = first + Math.floor(((span.maxOffset - first) * (part + 1)) / parts);
    if (to > from) ranges.push({ from, to });
  }
  return ranges;
}
