/**
 * What travels between a producer of messages (network threads, control) and the writer.
 *
 * Request, type APPEND (payload, machine byte order):
 *
 *      0 sequence     i32  the producer's number of the request; comes back in the answer
 *      4 queue        i32  id in the queue directory
 *      8 bytes        i32  of all records together
 *     12 count        i32  records, one behind the other; more than one is a batch
 *     16 records
 *
 * Request, type APPEND_TWICE: one record for two queues; as APPEND, but the record follows at TWICE_HEADER, and before
 * it stand
 *
 *     16 second queue   i32
 *     20 digits         i32  where in the record the message's number in that queue goes (record/second-queue.ts)
 *
 * Request, type RETIRE_QUEUES: the `count` queues whose ids (i32 each) stand from byte 16 on take no more messages;
 * their topic was deleted. The answer's end says from which position on the log holds no message of theirs.
 *
 * Request, type APPEND_RAW: whole records as a master has written them, all in one file; they keep every byte. Of the
 * head only sequence, bytes and count count; before the records, which follow at RAW_HEADER, stand
 *
 *     16 position        f64  where they belong: the log's end
 *     24 storeTimestamp  f64  of the last message; 0 = there is none, the bytes are the unused rest of a file
 *
 * Answer, type APPENDED_REPLY, in the order of the requests:
 *
 *      0 sequence i32
 *      4 status   i32  APPENDED_OK or a negative status of the CommitLog
 *      8 queueOffset     f64  of the first record
 *     16 physicalOffset  f64  of the first record
 *     24 end             f64  position behind the last record: the acknowledgement waits for it
 *     32 storeTimestamp  f64
 */
export const APPEND = 1;
export const RETIRE_QUEUES = 2;
export const APPEND_TWICE = 3;
export const APPEND_RAW = 4;
export const APPEND_SEQUENCE = 0;
export const APPEND_QUEUE = 4;
export const APPEND_BYTES = 8;
export const APPEND_COUNT = 12;
export const APPEND_HEADER = 16;
export const TWICE_QUEUE = 16;
export const TWICE_DIGITS = 20;
export const TWICE_HEADER = 24;
export const RAW_POSITION = 16;
export const RAW_STORE_TIMESTAMP = 24;
export const RAW_HEADER = 32;

export const APPENDED_REPLY = 1;
export const REPLY_SEQUENCE = 0;
export const REPLY_STATUS = 4;
export const REPLY_QUEUE_OFFSET = 8;
export const REPLY_PHYSICAL_OFFSET = 16;
export const REPLY_END = 24;
export const REPLY_STORE_TIMESTAMP = 32;
export const REPLY_BYTES = 40;
/** Ring bytes of one answer: bounds the requests that a producer may have under way. */
export const REPLY_RING_BYTES = REPLY_BYTES + 8;

/** Completes the head of a request APPEND_TWICE: id of the second queue, and where in the record its number goes. */
export function writeSecondQueue(view: DataView, at: number, queue: number, digits: number): void {
  view.setInt32(at + TWICE_QUEUE, queue, true);
  view.setInt32(at + TWICE_DIGITS, digits, true);
}

/** Writes the request's head at payload offset `at`; the records follow at APPEND_HEADER. */
export function writeAppendHead(
  view: DataView,
  at: number,
  sequence: number,
  queue: number,
  bytes: number,
  count: number,
): void {
  view.setInt32(at + APPEND_SEQUENCE, sequence, true);
  view.setInt32(at + APPEND_QUEUE, queue, true);
  view.setInt32(at + APPEND_BYTES, bytes, true);
  view.setInt32(at + APPEND_COUNT, count, true);
}
