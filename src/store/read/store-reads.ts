/** What the control path reads of the store. An interface, so that request handlers are tested without threads. */

import type { StoredMessage } from '../../record/decode.ts';

/** A ConsumeQueue entry (20 bytes on disk). */
export interface QueueEntry {
  /** Index of the entry in its queue. */
  queueOffset: number;
  /** Position of the record in the CommitLog. */
  physicalOffset: number;
  /** Size of the record in bytes. */
  size: number;
  /** Tag hash, sign-extended; for SCHEDULE_TOPIC_XXXX the time of delivery in ms. */
  tagsCode: bigint;
}

/** Reads of the store that the control path needs. Unknown queues answer as RocketMQ does: offsets 0, times -1. */
export interface StoreReads {
  minOffset(topic: string, queueId: number): number;
  maxOffset(topic: string, queueId: number): number;
  /** First offset with store time >= timestamp (LOWER), or last with store time <= timestamp (UPPER). */
  offsetByTime(topic: string, queueId: number, timestamp: number, boundary: 'LOWER' | 'UPPER'): number;
  /** Store time in ms of the message at a queue offset, or -1. */
  storeTimeAt(topic: string, queueId: number, queueOffset: number): number;
  /** Entries from `queueOffset` on, at most `count`, fewer at the end. */
  readQueue(topic: string, queueId: number, queueOffset: number, count: number): QueueEntry[];
  /** Size of the record that starts at this CommitLog position, in bytes; 0 when none does. */
  recordSize(physicalOffset: number): number;
  /** A copy of the whole record that starts at this CommitLog position, or undefined when none does. */
  recordAt(physicalOffset: number): Uint8Array | undefined;
  /** First and one-past-last position of the CommitLog. */
  readonly minPhysicalOffset: number;
  readonly maxPhysicalOffset: number;
  /** Store time of the newest message, ms since the epoch. */
  readonly newestStoreTime: number;
}

/**
 * Whether a queue knows the record that was read at `position`: bytes in the body of some message that look like a
 * record do not count.
 */
export function standsInQueue(
  reads: Pick<StoreReads, 'readQueue'>,
  { topic, queueId, queueOffset }: StoredMessage,
  position: number,
): boolean {
  const [entry] = reads.readQueue(topic, queueId, queueOffset, 1);
  return entry?.queueOffset === queueOffset && entry.physicalOffset === position;
}
