/**
 * Which queues and index files there must be.
 *
 * Both are derived from the log, and recovery builds again what is damaged. But a queue file that is missing leaves no
 * trace: the queue would start at 0 again, or lack what the log still has. So each checkpoint notes how far every queue
 * reached at some moment (`ringmq.queues`, ours, which RocketMQ leaves alone), and recovery compares.
 *
 * A ledger speaks of the log before `end`, all of which is durable when the ledger is written. So whatever a crash
 * takes, the log still has those messages, or has had them deleted from its start, and the queues must hold them.
 */
import type { Disk } from './disk/disk.ts';
import type { StoreOptions } from './options.ts';
import { storePaths } from './paths.ts';
import { positionOf, readState, writeState } from './small-state.ts';

export interface QueueRow {
  topic: string;
  queueId: number;
  /** First offset whose message still existed. */
  minimum: number;
  /** One past the last offset. */
  next: number;
}

/** What is written: a ledger whose rows are plain numbers, three to a queue, by topic. */
export interface LedgerSample extends Omit<QueueLedger, 'queues'> {
  topics: Map<string, number[]>;
}

export interface QueueLedger {
  /** Every message that is counted here ends at or before this position. */
  end: number;
  /** Position of the first record that still existed. */
  logStart: number;
  queues: QueueRow[];
  /** Names of the index files, with the position of the last record in each. */
  index: Map<string, number>;
}

const NUMBERS = 3;

/** The ledger, or undefined when there is none (a store that RocketMQ wrote) or none that can be read. */
export function readLedger(
  disk: Disk,
  options: StoreOptions,
  warn: (line: string) => void,
): QueueLedger | undefined {
  const state = readState(disk, storePaths.queues(options.directory), warn);
  const end = positionOf(state?.['end']);
  if (state === undefined || end < 0) return undefined;
  const queues: QueueRow[] = [];
  for (const [topic, value] of Object.entries((state['queues'] ?? {}) as Record<string, unknown>)) {
    const numbers = Array.isArray(value) ? value.map(positionOf) : [];
    for (let i = 0; i + NUMBERS <= numbers.length; i += NUMBERS) {
      const [queueId = -1, minimum = -1, next = -1] = numbers.slice(i, i + NUMBERS);
      if (queueId >= 0 && minimum >= 0 && next >= 0) queues.push({ topic, queueId, minimum, next });
    }
  }
  const index = new Map<string, number>();
  for (const [name, value] of Object.entries((state['index'] ?? {}) as Record<string, unknown>)) {
    index.set(name, positionOf(value));
  }
  return { end, logStart: Math.max(positionOf(state['logStart']), 0), queues, index };
}

/** Throws when the disk refuses. */
export function writeLedger(disk: Disk, options: StoreOptions, sample: LedgerSample): void {
  writeState(disk, storePaths.queues(options.directory), {
    end: sample.end,
    logStart: sample.logStart,
    index: Object.fromEntries(sample.index),
    queues: Object.fromEntries(sample.topics),
  });
}
