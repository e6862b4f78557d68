// A state of play as a broker that has served for a while has it.
import type { Segment } from '../../../../src/cli/play/log-files.ts';
import { FLUSH_MS, SEGMENT_BYTES } from '../../../../src/cli/play/play-store.ts';
import type { PlayState } from '../../../../src/cli/play/state.ts';

/** A file of the log with records of 400 bytes. */
export function segment(start: number, records: number, more: Partial<Segment> = {}): Segment {
  return {
    start,
    size: SEGMENT_BYTES,
    allocated: SEGMENT_BYTES / 2,
    records: Array.from({ length: records }, (_, i) => ({
      position: start + i * 400,
      size: 400,
      bodyAt: start + i * 400 + 88,
      bodyLength: 200,
    })),
    end: start + records * 400,
    damaged: [],
    ...more,
  };
}

export function playState(more: Partial<PlayState> = {}): PlayState {
  return {
    process: { kind: 'running', pid: 4711, seconds: 12.7, isFull: false },
    flushType: 'ASYNC_FLUSH',
    flushMs: FLUSH_MS,
    nameServer: '127.0.0.1:9876',
    store: '/somewhere/store',
    live: {
      rings: [
        { ring: 'send', thread: 'control', fill: 0, peak: 0 },
        { ring: 'send', thread: 'network-0', fill: 0.25, peak: 0.5 },
        { ring: 'replies', thread: 'network-0', fill: 0, peak: 0.00001 },
        { ring: 'arrivals', thread: 'network-0', fill: 0, peak: 0 },
        { ring: 'link-up', thread: 'network-0', fill: 0, peak: 0.0012 },
      ],
      threads: [
        { name: 'control', busy: 0.001, wakeUpsPerSecond: 4, counters: '9 requests' },
        { name: 'writer', busy: 0.5, wakeUpsPerSecond: 1200, counters: '74,032 B' },
        { name: 'network-0', busy: 1, wakeUpsPerSecond: 20, counters: '185 acks' },
      ],
      positions: { start: 0, appended: 74_032, flushed: 69_632, dispatched: 74_032 },
    },
    disk: {
      segments: [segment(0, 174, { allocated: SEGMENT_BYTES }), segment(SEGMENT_BYTES, 11)],
      queueFiles: 2,
      index: { files: 1, entries: 185, capacity: 399 },
      checkpoint: 40_000,
      abort: true,
      setAside: 0,
    },
    queues: [
      { topic: 'play', queueId: 0, min: 0, max: 93, consumed: 90, files: 1 },
      { topic: 'play', queueId: 1, min: 0, max: 92, consumed: undefined, files: 1 },
    ],
    traffic: {
      flow: false,
      consuming: false,
      acknowledged: 185,
      refused: 0,
      unanswered: 0,
      consumed: 90,
      again: 0,
    },
    news: ['store opened', '> send 100', 'warn: something that needs attention'],
    ...more,
  };
}

/** Before its first broker serves. */
export function emptyState(): PlayState {
  const state = playState();
  const { traffic } = state;
  return {
    ...state,
    process: { kind: 'none' },
    live: undefined,
    disk: {
      segments: [],
      queueFiles: 0,
      index: { files: 0, entries: 0, capacity: 399 },
      checkpoint: 0,
      abort: false,
      setAside: 0,
    },
    queues: [],
    traffic: { ...traffic, acknowledged: 0, consumed: 0 },
    news: [],
  };
}
