/**
 * What the answer to a timed send gives its producer to recall the message with (RocketMQ's RecallMessageHandle, v1):
 * `v1 topic broker time messageId` with blanks between them, as base64 for URLs with padding. The time is the end of
 * the message's slot but for a precision that is no part of it: TIMER_OUT_MS + 1.
 */
export interface RecallHandle {
  topic: string;
  brokerName: string;
  /** Ms since the epoch, as text: nobody has checked it. */
  time: string;
  /** Unique key of the message. */
  messageId: string;
}

const VERSION = 'v1';
const PARTS = 5;

export function encodeHandle({ topic, brokerName, time, messageId }: RecallHandle): string {
  const text = [VERSION, topic, brokerName, time, messageId].join(' ');
  return Buffer.from(text).toString('base64').replaceAll('+', '-').replaceAll('/', '_');
}

/** Undefined for what is no handle. Padding may be missing, and more parts may follow. */
export function decodeHandle(handle: string): RecallHandle | undefined {
  if (!/^[A-Za-z0-9_-]+={0,2}$/.test(handle)) return undefined;
  const parts = Buffer.from(handle, 'base64url').toString().split(' ');
  const [version, topic = '', brokerName = '', time = '', messageId = ''] = parts;
  if (version !== VERSION || parts.length < PARTS) return undefined;
  return { topic, brokerName, time, messageId };
}
