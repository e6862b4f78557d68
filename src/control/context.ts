/**
 * What the control path's request handlers work with. Everything here runs on the control thread; the store and the
 * writer are reached through the two interfaces below, so handlers are tested without threads.
 */
export type { ClientConnection, ControlHandler, Reply } from '../remoting/connection.ts';

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

export interface IndexQueryResult {
  /** Whole stored records, each a copy, by ascending physical offset. */
  records: Uint8Array[];
  indexLastUpdateTimestamp: number;
  indexLastUpdatePhyoffset: number;
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
  /** Times in ms; indexType: K key, U unique key, T tag. Colliding hashes are told apart here. */
  query(
    topic: string,
    key: string,
    maxCount: number,
    begin: number,
    end: number,
    indexType: string,
  ): IndexQueryResult;
  /** First and one-past-last position of the CommitLog. */
  readonly minPhysicalOffset: number;
  readonly maxPhysicalOffset: number;
}

/** A message that the broker itself puts (retry, dead letter, delayed delivery, reply). */
export interface InternalMessage {
  topic: string;
  queueId: number;
  body: Uint8Array;
  /** Properties in order; encoded as `name \x01 value \x02`. */
  properties: Map<string, string>;
  flag: number;
  sysFlag: number;
  bornTimestamp: number;
  /** Raw address bytes (4 or 16) and port of the producer. */
  bornHost: { address: Uint8Array; port: number };
  reconsumeTimes: number;
  preparedTransactionOffset: number;
}

/** Outcome of a put; `status` is a RocketMQ response code (0 = stored and as durable as the flush mode promises). */
export interface PutResult {
  status: number;
  remark: string | undefined;
  queueOffset: number;
  physicalOffset: number;
  /** Offset message id: store host and physical offset in hex. */
  messageId: string;
}

/**
 * Puts a message through the writer's ring, exactly as given: whoever wants a delay applies `rewriteForDelay` first
 * (a delivered message still carries its DELAY property and must not be delayed again). The topic's queue must exist
 * in the topic table. Never rejects; failures are statuses.
 */
export type PutMessage = (message: InternalMessage) => Promise<PutResult>;
