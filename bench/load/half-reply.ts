/**
 * What the answer to a half message says of its place, read where it lies: the offset of its record is the second half
 * of `msgId`, its offset in the half queue is `queueOffset`. Decoding the header as a whole would cost more than all
 * else that the generator does for a message.
 */
const ID_DIGITS_V4 = 32;
const ID_DIGITS_V6 = 56;
const OFFSET_DIGITS = 16;

/** How a name is written before its value, and how a value ends, in the two header formats. */
interface Names {
  messageId: string;
  queueOffset: string;
  /** Bytes between a name and its value: `":"`, or the value's length. */
  gap: number;
}

const JSON_NAMES: Names = { messageId: '"msgId', queueOffset: '"queueOffset', gap: 3 };
const BINARY_NAMES: Names = { messageId: '\x00\x05msgId', queueOffset: '\x00\x0bqueueOffset', gap: 4 };

export interface HalfPlace {
  /** Offset in the log. */
  logOffset: number;
  /** Offset in the queue of half messages. */
  queueOffset: number;
}

/** Throws when the answer, a frame at bytes[start, end) with its length field, does not say where the message lies. */
export function readHalfPlace(bytes: Uint8Array, start: number, end: number): HalfPlace {
  const frame = Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start);
  const names = frame[4] === 0 ? JSON_NAMES : BINARY_NAMES;
  const id = valueBehind(frame, names.messageId, names.gap, /^[\da-fA-F]*/);
  const queueOffset = valueBehind(frame, names.queueOffset, names.gap, /^\d*/);
  if ((id.length !== ID_DIGITS_V4 && id.length !== ID_DIGITS_V6) || queueOffset === '')
    throw new Error(`the answer to a half message says no place: ${frame.toString('latin1', 8)}`);
  return { logOffset: Number.parseInt(id.slice(-OFFSET_DIGITS), 16), queueOffset: Number(queueOffset) };
}

/** Longer than any of the values. */
const LOOK_BYTES = 64;

function valueBehind(frame: Buffer, name: string, gap: number, form: RegExp): string {
  const at = frame.indexOf(name, 8, 'latin1');
  if (at < 0) return '';
  const from = at + name.length + gap;
  const value = form.exec(frame.toString('latin1', from, from + LOOK_BYTES))?.[0] ?? '';
  // a binary value is as long as its length field says: the next name may begin with the same characters
  return gap === JSON_NAMES.gap ? value : value.slice(0, frame.readInt32BE(from - gap));
}
