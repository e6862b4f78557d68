/** What the picture of play shows: one moment of the broker, its files, and what is done with it. */
import type { Segment } from './log-files.ts';
import type { FlushType } from './play-store.ts';

export interface RingState {
  /** `send`, `replies`, as the metrics name them. */
  readonly ring: string;
  readonly thread: string;
  /** 0 to 1, now and at the most so far. */
  readonly fill: number;
  readonly peak: number;
}

export interface ThreadState {
  readonly name: string;
  /** Of the time since the last look, 0 to 1. */
  readonly busy: number;
  readonly wakeUpsPerSecond: number;
  /** What it has counted, in words. */
  readonly counters: string;
}

/** Positions in the log. */
export interface PositionState {
  readonly start: number;
  readonly appended: number;
  readonly flushed: number;
  readonly dispatched: number;
}

export interface QueueState {
  readonly topic: string;
  readonly queueId: number;
  readonly min: number;
  readonly max: number;
  /** Of play's own group; undefined where it has committed nothing. */
  readonly consumed: number | undefined;
  readonly files: number;
}

export interface IndexState {
  readonly files: number;
  /** Of the newest file. */
  readonly entries: number;
  readonly capacity: number;
}

/** What only a running broker can tell; of one that has ended, what it told last. */
export interface LiveState {
  readonly rings: readonly RingState[];
  readonly threads: readonly ThreadState[];
  readonly positions: PositionState;
}

export interface DiskState {
  readonly segments: readonly Segment[];
  readonly queueFiles: number;
  readonly index: IndexState;
  /** From where a recovery would begin to look: the position in the checkpoint. */
  readonly checkpoint: number;
  readonly abort: boolean;
  /** Files that recovery has put aside. */
  readonly setAside: number;
}

export interface TrafficState {
  readonly flow: boolean;
  readonly consuming: boolean;
  readonly acknowledged: number;
  readonly refused: number;
  readonly unanswered: number;
  readonly consumed: number;
  /** Of these, those that had been consumed before. */
  readonly again: number;
}

export type ProcessState =
  | { readonly kind: 'none' }
  | { readonly kind: 'starting' }
  | { readonly kind: 'running'; readonly pid: number; readonly seconds: number; readonly isFull: boolean }
  | { readonly kind: 'ended'; readonly how: string };

export interface PlayState {
  readonly process: ProcessState;
  readonly flushType: FlushType;
  readonly flushMs: number;
  readonly nameServer: string;
  readonly store: string;
  readonly live: LiveState | undefined;
  readonly disk: DiskState;
  readonly queues: readonly QueueState[];
  readonly traffic: TrafficState;
  /** What has happened, the newest last. */
  readonly news: readonly string[];
}
