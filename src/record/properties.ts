/**
 * The properties text of a record: `name \x01 value \x02` repeated; the last \x02 may be missing (4.x writers).
 * Entries without name or value are skipped, as RocketMQ's own reader does.
 */

export const PROPERTY_KEYS = 'KEYS';
export const PROPERTY_TAGS = 'TAGS';
export const PROPERTY_WAIT = 'WAIT';
export const PROPERTY_DELAY = 'DELAY';
export const PROPERTY_RETRY_TOPIC = 'RETRY_TOPIC';
export const PROPERTY_REAL_TOPIC = 'REAL_TOPIC';
export const PROPERTY_REAL_QUEUE_ID = 'REAL_QID';
export const PROPERTY_TRANSACTION = 'TRAN_MSG';
/** Group of the producer of a transactional message: whom to ask about it. */
export const PROPERTY_PRODUCER_GROUP = 'PGROUP';
export const PROPERTY_TRANSACTION_ID = '__transactionId__';
/** How often a half message was checked. */
export const PROPERTY_CHECK_TIMES = 'TRANSACTION_CHECK_TIMES';
/** Seconds from its sending on in which it is not checked. */
export const PROPERTY_CHECK_IMMUNITY = 'CHECK_IMMUNITY_TIME_IN_SECONDS';
/** In a copy of a half message: where the first one lies in the half queue. */
export const PROPERTY_PREPARED_OFFSET = 'TRAN_PREPARED_QUEUE_OFFSET';
/** This broker's own, in what names ended half messages: those that were given up, which may still be ended. */
export const PROPERTY_GIVEN_UP = 'RINGMQ_GIVEN_UP';
export const PROPERTY_UNIQUE_KEY = 'UNIQ_KEY';
export const PROPERTY_ORIGIN_MESSAGE_ID = 'ORIGIN_MESSAGE_ID';
export const PROPERTY_DLQ_ORIGIN_TOPIC = 'DLQ_ORIGIN_TOPIC';
export const PROPERTY_DLQ_ORIGIN_MESSAGE_ID = 'DLQ_ORIGIN_MESSAGE_ID';
/** Of dead letters, this broker's own: the group that did not consume the message, and why it gets it no more. */
export const PROPERTY_DEAD_LETTER_GROUP = 'RINGMQ_DLQ_GROUP';
export const PROPERTY_DEAD_LETTER_REASON = 'RINGMQ_DLQ_REASON';
export const PROPERTY_MSG_REGION = 'MSG_REGION';
export const PROPERTY_TRACE_ON = 'TRACE_ON';
export const PROPERTY_CLUSTER = 'CLUSTER';
/** Number of a message's priority; it is stored in the queue of that number. */
export const PROPERTY_PRIORITY = '_SYS_MSG_PRIORITY_';
/** By what the messages of an ordered topic are dealt out to its queues. */
export const PROPERTY_SHARDING_KEY = '__SHARDINGKEY';
/** The lite topic, below the message's topic, to whose queue it goes too. */
export const PROPERTY_LITE_TOPIC = '__LITE_TOPIC';
/** The second queue of a message (`%LMQ%$topic$liteTopic`), and its number there. A broker sets both. */
export const PROPERTY_MULTI_DISPATCH = 'INNER_MULTI_DISPATCH';
export const PROPERTY_MULTI_QUEUE_OFFSET = 'INNER_MULTI_QUEUE_OFFSET';
/** Client id of who waits for a reply. */
export const PROPERTY_REPLY_TO_CLIENT = 'REPLY_TO_CLIENT';
/** When the broker has passed a reply on, ms since the epoch. */
export const PROPERTY_PUSH_REPLY_TIME = 'PUSH_REPLY_TIME';

const NAME_END = '\x01';
const VALUE_END = '\x02';

export function parseProperties(text: string): Map<string, string> {
  const properties = new Map<string, string>();
  // It is looked for anew only behind the one that was found: a text of many ends and no names stays linear.
  let separator = text.indexOf(NAME_END);
  for (let from = 0; separator >= 0; ) {
    const found = text.indexOf(VALUE_END, from);
    const end = found < 0 ? text.length : found;
    if (separator > from && separator < end - 1)
      properties.set(text.slice(from, separator), text.slice(separator + 1, end));
    if (found < 0) break;
    from = end + 1;
    if (separator < from) separator = text.indexOf(NAME_END, from);
  }
  return properties;
}

/**
 * Why a message is refused: in a stored record a NUL outside the body means that its page was lost, and recovery would
 * take it for the end of the log.
 */
export const NUL_REMARK = 'the message is illegal, its properties hold a NUL character.';

/**
 * A NUL becomes U+FFFD: messages that were stored before NULs were refused, or by RocketMQ, must go on to retry and
 * delay queues without putting one into the log again.
 */
export function encodeProperties(properties: Iterable<[string, string]>): string {
  let text = '';
  for (const [name, value] of properties) text += name + NAME_END + value + VALUE_END;
  return text.includes('\0') ? text.replaceAll('\0', '\ufffd') : text;
}

/**
 * Whether one of the bytes in view[from, to) is NUL. This runs for every message: four words at a time, the last four
 * overlapping those before.
 */
export function hasNul(view: DataView, from: number, to: number): boolean {
  const last = to - 16;
  if (last < from) {
    for (let at = from; at < to; at++) if (view.getInt8(at) === 0) return true;
    return false;
  }
  let bits = nulBits(view, last);
  for (let at = from; at < last; at += 16) bits |= nulBits(view, at);
  return (bits & HIGHEST_BITS) !== 0;
}

const HIGHEST_BITS = 0x80808080;

/**
 * The highest bits of the result: set where one of the 16 bytes at `at` is NUL. Taking 1 from each byte of a word sets
 * the highest bit of those that are 0; of the others only in those that had it.
 */
function nulBits(view: DataView, at: number): number {
  const a = view.getInt32(at, true);
  const b = view.getInt32(at + 4, true);
  const c = view.getInt32(at + 8, true);
  const d = view.getInt32(at + 12, true);
  return ((a - ONES) & ~a) | ((b - ONES) & ~b) | ((c - ONES) & ~c) | ((d - ONES) & ~d);
}

const ONES = 0x01010101;
