/** Messages that the broker itself puts. An interface, so that whoever puts them is tested without a writer. */
import { ResponseCode } from '../../protocol/codes.ts';

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
}

/** Of a message that is not in the log. */
export function refused(status: number, remark: string): PutResult {
  return { status, remark, queueOffset: -1, physicalOffset: -1 };
}

const STORED: ReadonlySet<number> = new Set([
  ResponseCode.SUCCESS,
  ResponseCode.FLUSH_DISK_TIMEOUT,
  ResponseCode.FLUSH_SLAVE_TIMEOUT,
  ResponseCode.SLAVE_NOT_AVAILABLE,
]);

/** Whether a message is in the log, as durable as was promised or not yet: to put it again would make a second one. */
export function isStored(status: number): boolean {
  return STORED.has(status);
}

/**
 * Puts a message through the writer's ring, exactly as given: whoever wants a delay applies `rewriteForDelay` first
 * (a delivered message still carries its DELAY property and must not be delayed again). The topic's queue must exist
 * in the topic table. `done` is called once, at once when the message is refused; failures are statuses.
 */
export type BeginPut = (message: InternalMessage, done: (result: PutResult) => void) => void;

/** The same for who has an event loop. Never rejects. */
export type PutMessage = (message: InternalMessage) => Promise<PutResult>;
