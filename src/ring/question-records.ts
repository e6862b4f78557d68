/**
 * What network threads ask the delivery agent, and what it answers (payloads in machine byte order). The network thread
 * has read and checked the request's fields; what they mean is for the agent to say.
 *
 * Every question and every answer begins with whose it is:
 *
 *      0 slot, generation  i32 each, of the connection
 *      8 opaque       i32
 *     12 flags        i32  QUESTION_ONEWAY: nobody waits; QUESTION_BINARY: the header of the answer is a binary one;
 *                          QUESTION_PARKS: the answer may come much later; QUESTION_WAITED, of an answer: it has;
 *                          others by the kind of question; from QUESTION_CALL on: which request it was
 *     16 askedAt      f64  ms of the monotonic clock
 *
 * Question END, the end of a transaction:
 *
 *     12 flags        END_COMMITS (else it rolls back), END_ANSWERS_CHECK
 *     24 logOffset    f64  of the half message in the CommitLog
 *     32 queueOffset  f64  of the half message in its queue
 *     40 producer group, UTF-8
 *
 * Question GONE: the connection is closed, and nothing that it has asked is to be answered. No more than the head.
 *
 * Question POP_UNTAKEN: JSON of the answer POPPED that finds nobody any more.
 *
 * Questions POP… are JSON behind the head (delivery/pop/pop-questions.ts), but for POP_ACK:
 *
 *     24 offset, startOffset, popTime, invisibleTime  f64 each
 *     56 queueId, reviveQueueId  i32 each
 *     64 lengths of topic and group  u16 each, then topic and group, UTF-8
 *
 * Answer ANSWERED:
 *
 *     24 code         i32  response code
 *     28 remark, UTF-8; empty for none
 *
 * Answer LITE_NOTICE, which nobody has asked for, and questions POP_LITE and LITE_SUBSCRIBE: JSON behind the head
 * (delivery/lite/lite-questions.ts).
 *
 * Answer FIELDS: JSON of `AnsweredFields` behind the head. Answer POPPED: JSON of `Popped` (pop-questions.ts).
 */
export const END = 1;
export const GONE = 2;
export const POP = 3;
export const POP_ACK = 4;
export const POP_ACKS = 5;
export const POP_CHANGE = 6;
export const POP_NOTIFICATION = 7;
export const POP_PEEK = 8;
export const POP_POLLING = 9;
export const POP_UNTAKEN = 10;
export const POP_LITE = 11;
export const LITE_SUBSCRIBE = 12;

export const QUESTION_OPAQUE = 8;
export const QUESTION_FLAGS = 12;
const QUESTION_ASKED_AT = 16;
export const QUESTION_HEAD = 24;

export const QUESTION_ONEWAY = 1;
export const QUESTION_BINARY = 2;
export const QUESTION_PARKS = 16;
export const QUESTION_WAITED = 32;
/** The number of the request stands in the flags from this bit on; it fits into a byte. */
export const QUESTION_CALL = 8;
/** What answers repeat of them. */
export const ANSWER_FLAGS = QUESTION_BINARY | QUESTION_PARKS | (0xff << QUESTION_CALL);

export const END_COMMITS = 4;
export const END_ANSWERS_CHECK = 8;
export const END_LOG_OFFSET = 24;
export const END_QUEUE_OFFSET = 32;
export const END_HEAD = 40;

export const ACK_NAMES = 68;

export const ANSWERED = 1;
export const FIELDS = 2;
export const POPPED = 3;
export const LITE_NOTICE = 4;
export const ANSWERED_CODE = 24;
export const ANSWERED_HEAD = 28;

/** Whose it is: records are read into such objects, as one is made for none of the hundred thousand a second. */
export interface Asking {
  slot: number;
  generation: number;
  opaque: number;
  flags: number;
  askedAt: number;
}

export interface EndRecord extends Asking {
  logOffset: number;
  queueOffset: number;
}

export interface AnsweredRecord extends Asking {
  code: number;
}

export interface AckRecord {
  offset: number;
  startOffset: number;
  popTime: number;
  invisibleTime: number;
  queueId: number;
  reviveQueueId: number;
  /** Of the names, which stand at ACK_NAMES one behind the other. */
  topicLength: number;
  groupLength: number;
}

/** Answer FIELDS. */
export interface AnsweredFields {
  code: number;
  remark?: string | undefined;
  fields: Record<string, string>;
}

export function emptyAsking(): Asking {
  return { slot: 0, generation: 0, opaque: 0, flags: 0, askedAt: 0 };
}

export function emptyEnd(): EndRecord {
  return { ...emptyAsking(), logOffset: 0, queueOffset: 0 };
}

export function emptyAnswered(): AnsweredRecord {
  return { ...emptyAsking(), code: 0 };
}

export function emptyAck(): AckRecord {
  return {
    offset: 0,
    startOffset: 0,
    popTime: 0,
    invisibleTime: 0,
    queueId: 0,
    reviveQueueId: 0,
    topicLength: 0,
    groupLength: 0,
  };
}

/** Writes all but the producer group, which follows at END_HEAD. */
export function writeEnd(view: DataView, at: number, end: EndRecord): void {
  writeAsking(view, at, end);
  view.setFloat64(at + END_LOG_OFFSET, end.logOffset, true);
  view.setFloat64(at + END_QUEUE_OFFSET, end.queueOffset, true);
}

/** Reads all but the producer group into `end`. */
export function readEnd(view: DataView, at: number, end: EndRecord): void {
  readAsking(view, at, end);
  end.logOffset = view.getFloat64(at + END_LOG_OFFSET, true);
  end.queueOffset = view.getFloat64(at + END_QUEUE_OFFSET, true);
}

/** Writes what stands between the head and the names. */
export function writeAck(view: DataView, at: number, ack: AckRecord): void {
  view.setFloat64(at + 24, ack.offset, true);
  view.setFloat64(at + 32, ack.startOffset, true);
  view.setFloat64(at + 40, ack.popTime, true);
  view.setFloat64(at + 48, ack.invisibleTime, true);
  view.setInt32(at + 56, ack.queueId, true);
  view.setInt32(at + 60, ack.reviveQueueId, true);
  view.setUint16(at + 64, ack.topicLength, true);
  view.setUint16(at + 66, ack.groupLength, true);
}

/** Reads the same into `ack`. */
export function readAck(view: DataView, at: number, ack: AckRecord): void {
  ack.offset = view.getFloat64(at + 24, true);
  ack.startOffset = view.getFloat64(at + 32, true);
  ack.popTime = view.getFloat64(at + 40, true);
  ack.invisibleTime = view.getFloat64(at + 48, true);
  ack.queueId = view.getInt32(at + 56, true);
  ack.reviveQueueId = view.getInt32(at + 60, true);
  ack.topicLength = view.getUint16(at + 64, true);
  ack.groupLength = view.getUint16(at + 66, true);
}

/** Writes all but the remark, which follows at ANSWERED_HEAD. */
export function writeAnswered(view: DataView, at: number, answered: AnsweredRecord): void {
  writeAsking(view, at, answered);
  view.setInt32(at + ANSWERED_CODE, answered.code, true);
}

/** Reads all but the remark into `answered`. */
export function readAnswered(view: DataView, at: number, answered: AnsweredRecord): void {
  readAsking(view, at, answered);
  answered.code = view.getInt32(at + ANSWERED_CODE, true);
}

export function writeAsking(view: DataView, at: number, from: Asking): void {
  view.setInt32(at, from.slot, true);
  view.setInt32(at + 4, from.generation, true);
  view.setInt32(at + QUESTION_OPAQUE, from.opaque, true);
  view.setInt32(at + QUESTION_FLAGS, from.flags, true);
  view.setFloat64(at + QUESTION_ASKED_AT, from.askedAt, true);
}

export function readAsking(view: DataView, at: number, into: Asking): void {
  into.slot = view.getInt32(at, true);
  into.generation = view.getInt32(at + 4, true);
  into.opaque = view.getInt32(at + QUESTION_OPAQUE, true);
  into.flags = view.getInt32(at + QUESTION_FLAGS, true);
  into.askedAt = view.getFloat64(at + QUESTION_ASKED_AT, true);
}
