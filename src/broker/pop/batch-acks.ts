/** The body of BATCH_ACK_MESSAGE (200151): JSON of RocketMQ's BatchAckMessageRequestBody. */
import type { AckGroup } from '../../delivery/pop/pop-questions.ts';
import { limitRemark, MAX_ACKED_TOGETHER } from '../../lib/limits.ts';
import { ProtocolError } from '../../protocol/errors.ts';
import { asArray, asObject, integerFrom, parseBody, textIn } from '../../protocol/json-fields.ts';
import type { RocketJsonObject } from '../../protocol/rocketmq-json.ts';

/** Offsets are bits of a Java BitSet, counted from `startOffset`. */
export interface BatchAck extends AckGroup {
  retry: boolean;
}

/** Each member by its short name, or its long one. */
const LONG_NAMES = {
  ...{ c: 'consumerGroup', t: 'topic', r: 'retry', so: 'startOffset', q: 'queueId' },
  ...{ rq: 'reviveQueueId', pt: 'popTime', it: 'invisibleTime', b: 'bitSet' },
} as const;

/** A string says why there is nothing in it. */
export function parseBatchAcks(body: Uint8Array): BatchAck[] | string {
  try {
    const acks = asArray(asObject(parseBody(body))?.['acks']);
    if (acks.length === 0) return 'the body holds no acks';
    const parsed = acks.flatMap((ack) => ackOf(asObject(ack)) ?? []);
    if (parsed.every(({ offsets }) => offsets.length <= MAX_ACKED_TOGETHER)) return parsed;
    return limitRemark('messages of one pop and queue', MAX_ACKED_TOGETHER, 'MAX_ACKED_TOGETHER');
  } catch (error) {
    if (error instanceof ProtocolError) return `the body cannot be read: ${error.message}`;
    throw error;
  }
}

function ackOf(json: RocketJsonObject | undefined): BatchAck | undefined {
  if (json === undefined) return undefined;
  const text = (name: keyof typeof LONG_NAMES) => textIn(json, name) ?? textIn(json, LONG_NAMES[name]) ?? '';
  const integer = (name: keyof typeof LONG_NAMES) => integerFrom(json[name] ?? json[LONG_NAMES[name]]) ?? -1;
  const numbers = (['so', 'q', 'rq', 'pt', 'it'] as const).map(integer);
  const [startOffset = -1, queueId = -1, reviveQueueId = -1, popTime = -1, invisibleTime = -1] = numbers;
  const [group, topic] = [text('c'), text('t')];
  if (group === '' || topic === '' || numbers.some((n) => n < 0)) return undefined;
  const offsets = bitsOf(Buffer.from(text('b'), 'base64')).map((bit) => startOffset + bit);
  const retry = text('r') === '1';
  return { group, topic, retry, startOffset, queueId, reviveQueueId, popTime, invisibleTime, offsets };
}

/** Bit i of a Java BitSet is bit i % 8 of byte i / 8. */
function bitsOf(bytes: Uint8Array): number[] {
  const bits: number[] = [];
  for (const [i, byte] of bytes.entries())
    for (let bit = 0; bit < 8; bit++) if ((byte & (1 << bit)) !== 0) bits.push(8 * i + bit);
  return bits;
}
