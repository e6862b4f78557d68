/**
 * What RocketMQ writes down of a pop, as messages of its revive topic: a checkpoint (tag `ck`) names messages of a
 * queue that were popped together, and acks (`ack` of one message, `bAck` of several) say which of them are done. JSON,
 * as RocketMQ 5.5.0 writes and reads it (PopCheckPoint, AckMsg, BatchAckMsg). Both wait in the timer topic: the
 * checkpoint until a second before its messages are visible again, acks until they are.
 */
import { asObject, integerFrom } from '../../protocol/json-fields.ts';
import type { RocketJson, RocketJsonObject } from '../../protocol/rocketmq-json.ts';
import { PROPERTY_TAGS, PROPERTY_UNIQUE_KEY } from '../../record/properties.ts';
import type { InternalMessage } from '../../store/put/put-message.ts';
import { TIMER_DELAY_MS, TIMER_DELIVER_MS } from '../timer/rewrite.ts';

export const CK_TAG = 'ck';
export const ACK_TAG = 'ack';
export const BATCH_ACK_TAG = 'bAck';

/** The checkpoint is in the revive topic so long before its messages are visible: acks of that time come after it. */
export const CK_AHEAD_MS = 1_000;

/** Which checkpoint; queue and topic are those that were read, so the topic may be a retry topic. */
export interface CheckpointKey {
  topic: string;
  group: string;
  queueId: number;
  startOffset: number;
  popTime: number;
}

export interface Checkpoint extends CheckpointKey {
  invisibleTime: number;
  /** Offset of each message minus `startOffset`. */
  diffs: number[];
  /** Bit of each message that is done. */
  done: number;
  /** The message given back does not count as a try. */
  suspend: boolean;
  /** How often it was put again, as its messages could not be. */
  rePuts: number;
  /**
   * Where the log ended then: what stands behind that in its queue is of another topic of the same name. RocketMQ's
   * checkpoints do not say.
   */
  logEnd?: number | undefined;
}

export interface Ack extends CheckpointKey {
  offsets: number[];
}

/** Unique among the checkpoints of a broker. */
export function keyOf({ topic, group, queueId, startOffset, popTime }: CheckpointKey): string {
  return `${topic}@${group}@${queueId}@${startOffset}@${popTime}`;
}

export function visibleAt({ popTime, invisibleTime }: Checkpoint): number {
  return popTime + invisibleTime;
}

export interface RevivePlace {
  reviveTopic: string;
  brokerName: string;
  bornHost: InternalMessage['bornHost'];
}

/** The checkpoint as a message to the revive topic, with the time at which it is to be there. */
export function checkpointMessage(
  ck: Checkpoint,
  reviveQueueId: number,
  place: RevivePlace,
  now: number,
): InternalMessage {
  const { topic, group, queueId, startOffset, popTime, invisibleTime, diffs, done, suspend, rePuts } = ck;
  const { logEnd } = ck;
  const { brokerName } = place;
  // In one literal: V8 takes most of a microsecond for each property that comes by way of another one.
  const json = {
    bm: done,
    bn: brokerName,
    c: group,
    d: diffs,
    it: invisibleTime,
    // RocketMQ passes over what it does not know; JSON leaves out what is undefined.
    le: logEnd,
    n: diffs.length,
    pt: popTime,
    q: queueId,
    reviveTime: popTime + invisibleTime,
    ro: 0,
    rp: rePuts > 0 ? String(rePuts) : undefined,
    so: startOffset,
    sp: suspend,
    t: topic,
  };
  const key = `${topic}@${queueId}@${startOffset}@${group}@${popTime}@${brokerName}@${CK_TAG}`;
  const due = popTime + invisibleTime - CK_AHEAD_MS;
  return messageOf(json, CK_TAG, key, reviveQueueId, place, due, now);
}

/** Acks of messages that were popped together, as one message that is to be in the revive topic at `due`. */
export function ackMessage(
  { topic, group, queueId, startOffset, popTime, offsets }: Ack,
  reviveQueueId: number,
  place: RevivePlace,
  due: number,
  now: number,
): InternalMessage {
  const { brokerName } = place;
  const [only] = offsets;
  const ackOffset = offsets.length === 1 ? (only as number) : -1;
  const isBatch = ackOffset < 0;
  const json = {
    ao: ackOffset,
    aol: isBatch ? offsets : undefined,
    bn: brokerName,
    c: group,
    pt: popTime,
    q: queueId,
    so: startOffset,
    t: topic,
  };
  const tag = isBatch ? BATCH_ACK_TAG : ACK_TAG;
  const key = `${topic}@${queueId}@${ackOffset}@${group}@${popTime}@${brokerName}@${ACK_TAG}`;
  return messageOf(json, tag, key, reviveQueueId, place, due, now);
}

function messageOf(
  json: object,
  tag: string,
  key: string,
  queueId: number,
  { reviveTopic, bornHost }: RevivePlace,
  due: number,
  now: number,
): InternalMessage {
  // RocketMQ reads the time of delivery in the revive topic; the delay goes by elapsed time when the clock is set.
  const properties = new Map([
    [PROPERTY_TAGS, tag],
    [PROPERTY_UNIQUE_KEY, key],
    [TIMER_DELIVER_MS, String(due)],
  ]);
  if (due > now) properties.set(TIMER_DELAY_MS, String(due - now));
  const rest = { flag: 0, sysFlag: 0, reconsumeTimes: 0, preparedTransactionOffset: 0 };
  const body = Buffer.from(JSON.stringify(json));
  return { topic: reviveTopic, queueId, body, properties, bornTimestamp: now, bornHost, ...rest };
}

/** Undefined when the text is no checkpoint that could be followed. */
export function parseCheckpoint(body: Uint8Array): Checkpoint | undefined {
  const json = jsonOf(body);
  const key = json === undefined ? undefined : keyIn(json);
  if (json === undefined || key === undefined) return undefined;
  const count = integerFrom(json['n']) ?? 0;
  const listed = Array.isArray(json['d']) ? json['d'].map((diff) => integerFrom(diff) ?? -1) : [];
  // Old ones count on from the first.
  const diffs = listed.length > 0 ? listed : Array.from({ length: Math.max(0, count) }, (_, i) => i);
  const invisibleTime = integerFrom(json['it']) ?? -1;
  if (diffs.length > MAX_MESSAGES || diffs.some((diff) => diff < 0) || invisibleTime < 0) return undefined;
  return {
    ...key,
    invisibleTime,
    diffs,
    done: integerFrom(json['bm']) ?? 0,
    suspend: json['sp'] === true,
    rePuts: Number(json['rp'] ?? 0) || 0,
    logEnd: integerFrom(json['le']),
  };
}

/** Undefined when the text is no ack. */
export function parseAck(body: Uint8Array): Ack | undefined {
  const json = jsonOf(body);
  const key = json === undefined ? undefined : keyIn(json);
  if (json === undefined || key === undefined) return undefined;
  const all = Array.isArray(json['aol']) ? json['aol'] : [json['ao']];
  return { ...key, offsets: all.map((offset) => integerFrom(offset) ?? -1) };
}

/** Bits of a 32-bit integer: as many messages as one pop brings. */
const MAX_MESSAGES = 32;

function jsonOf(body: Uint8Array): RocketJsonObject | undefined {
  try {
    return asObject(JSON.parse(Buffer.from(body).toString()) as RocketJson);
  } catch {
    return undefined;
  }
}

function keyIn(json: RocketJsonObject): CheckpointKey | undefined {
  const { t: topic, c: group } = json;
  const [queueId, startOffset, popTime] = [json['q'], json['so'], json['pt']].map(
    (n) => integerFrom(n) ?? -1,
  );
  if (typeof topic !== 'string' || typeof group !== 'string') return undefined;
  if (queueId === undefined || startOffset === undefined || popTime === undefined) return undefined;
  return queueId < 0 || startOffset < 0 ? undefined : { topic, group, queueId, startOffset, popTime };
}

/** Index of the message at `offset` among those of the checkpoint, or -1. */
export function indexIn({ startOffset, diffs }: Checkpoint, offset: number): number {
  return diffs.indexOf(offset - startOffset);
}
