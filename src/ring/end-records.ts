/**
 * Ends of transactions on their way from a network thread to the delivery agent, and the answers (payloads in machine
 * byte order). The network thread has read and checked the request's fields; what they mean is for the agent to say.
 *
 * Request, type END:
 *
 *      0 slot, generation  i32 each, of the connection
 *      8 opaque       i32
 *     12 flags        i32  END_ONEWAY, END_BINARY, END_COMMITS (else it rolls back), END_ANSWERS_CHECK
 *     16 logOffset    f64  of the half message in the CommitLog
 *     24 queueOffset  f64  of the half message in its queue
 *     32 producer group, UTF-8
 *
 * Answer, type ENDED:
 *
 *      0 slot, generation  i32 each
 *      8 opaque       i32
 *     12 flags        i32  END_BINARY
 *     16 code         i32  response code
 *     20 remark, UTF-8; empty for none
 */
export const END = 1;
export const END_OPAQUE = 8;
export const END_FLAGS = 12;
export const END_LOG_OFFSET = 16;
export const END_QUEUE_OFFSET = 24;
export const END_HEAD = 32;

export const END_ONEWAY = 1;
export const END_BINARY = 2;
export const END_COMMITS = 4;
export const END_ANSWERS_CHECK = 8;

export const ENDED = 1;
export const ENDED_CODE = 16;
export const ENDED_HEAD = 20;

/** Whose end it is: records are read into such objects, as one is made for none of the hundred thousand a second. */
interface Asking {
  slot: number;
  generation: number;
  opaque: number;
  flags: number;
}

export interface EndRecord extends Asking {
  logOffset: number;
  queueOffset: number;
}

export interface EndedRecord extends Asking {
  code: number;
}

export function emptyEnd(): EndRecord {
  return { slot: 0, generation: 0, opaque: 0, flags: 0, logOffset: 0, queueOffset: 0 };
}

export function emptyEnded(): EndedRecord {
  return { slot: 0, generation: 0, opaque: 0, flags: 0, code: 0 };
}

/** Writes all but the producer group, which follows at END_HEAD. */
export function writeEnd(view: DataView, at: number, end: EndRecord): void {
  writeConnection(view, at, end);
  view.setFloat64(at + END_LOG_OFFSET, end.logOffset, true);
  view.setFloat64(at + END_QUEUE_OFFSET, end.queueOffset, true);
}

/** Reads all but the producer group into `end`. */
export function readEnd(view: DataView, at: number, end: EndRecord): void {
  readConnection(view, at, end);
  end.logOffset = view.getFloat64(at + END_LOG_OFFSET, true);
  end.queueOffset = view.getFloat64(at + END_QUEUE_OFFSET, true);
}

/** Writes all but the remark, which follows at ENDED_HEAD. */
export function writeEnded(view: DataView, at: number, ended: EndedRecord): void {
  writeConnection(view, at, ended);
  view.setInt32(at + ENDED_CODE, ended.code, true);
}

/** Reads all but the remark into `ended`. */
export function readEnded(view: DataView, at: number, ended: EndedRecord): void {
  readConnection(view, at, ended);
  ended.code = view.getInt32(at + ENDED_CODE, true);
}

function writeConnection(view: DataView, at: number, from: Asking): void {
  view.setInt32(at, from.slot, true);
  view.setInt32(at + 4, from.generation, true);
  view.setInt32(at + END_OPAQUE, from.opaque, true);
  view.setInt32(at + END_FLAGS, from.flags, true);
}

function readConnection(view: DataView, at: number, into: Asking): void {
  into.slot = view.getInt32(at, true);
  into.generation = view.getInt32(at + 4, true);
  into.opaque = view.getInt32(at + END_OPAQUE, true);
  into.flags = view.getInt32(at + END_FLAGS, true);
}
