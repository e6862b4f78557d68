/** Reading queues: their ends, offsets by time, and messages by pulls that commit nothing. */

import { RequestCode, ResponseCode } from '../../protocol/codes.ts';
import type { RemotingCommand } from '../../protocol/command.ts';
import { integerFrom } from '../../protocol/json-fields.ts';
import { decodeRecord, type StoredMessage } from '../../record/decode.ts';
import type { Queue } from './routes.ts';
import type { Servers } from './servers.ts';

/** A group that each broker has from its first start on: reading under its name makes none and counts for none. */
const READER_GROUP = 'TOOLS_CONSUMER';
const SUSPEND = 2;
const SUBSCRIPTION = 4;
const LENGTH_BYTES = 4;
/** What the broker may take beyond the time for which it was asked to wait. */
const PATIENCE_MS = 15_000;

export interface Expression {
  text: string;
  type: 'TAG' | 'SQL92';
}

export const ALL: Expression = { text: '*', type: 'TAG' };

export interface PullOptions {
  offset: number;
  count: number;
  group?: string;
  expression?: Expression;
  /** How long the broker waits for a message; 0 = not at all. */
  waitMs?: number;
}

/** A message and the broker that has told of it: the places of queues repeat themselves from broker to broker. */
export interface LocatedMessage extends StoredMessage {
  broker: string;
}

export interface Pulled {
  /** Where to go on. */
  next: number;
  min: number;
  max: number;
  messages: LocatedMessage[];
}

export async function pull(servers: Servers, queue: Queue, options: PullOptions): Promise<Pulled> {
  const { offset, count, group = READER_GROUP, expression = ALL, waitMs = 0 } = options;
  const answer = await servers.ask(queue.address, {
    code: RequestCode.PULL_MESSAGE,
    fields: {
      consumerGroup: group,
      topic: queue.topic,
      queueId: queue.queueId,
      queueOffset: offset,
      maxMsgNums: count,
      sysFlag: waitMs > 0 ? SUSPEND | SUBSCRIPTION : SUBSCRIPTION,
      commitOffset: 0,
      suspendTimeoutMillis: waitMs,
      subscription: expression.text,
      subVersion: 0,
      expressionType: expression.type,
    },
    to: `read queue ${queue.queueId} of ${queue.topic}`,
    accept: [
      ResponseCode.PULL_NOT_FOUND,
      ResponseCode.PULL_RETRY_IMMEDIATELY,
      ResponseCode.PULL_OFFSET_MOVED,
    ],
    timeoutMs: waitMs + PATIENCE_MS,
  });
  return {
    next: numberIn(answer, 'nextBeginOffset', offset),
    min: numberIn(answer, 'minOffset', 0),
    max: numberIn(answer, 'maxOffset', 0),
    messages: answer.code === ResponseCode.SUCCESS ? messagesIn(answer.body, queue.broker) : [],
  };
}

/** Stored messages that lie one behind the other in a body; `broker`: whose answer it is. */
export function messagesIn(body: Uint8Array | undefined, broker: string): LocatedMessage[] {
  const messages: LocatedMessage[] = [];
  if (body === undefined) return messages;
  const view = new DataView(body.buffer, body.byteOffset, body.length);
  for (let at = 0; at + LENGTH_BYTES <= body.length; ) {
    const size = view.getInt32(at);
    if (size <= 0 || at + size > body.length) break;
    const message = decodeRecord(body.subarray(at, at + size));
    if (message !== undefined) messages.push({ ...message, broker });
    at += size;
  }
  return messages;
}

export interface Ends {
  min: number;
  /** Offset that the next message will have. */
  max: number;
}

export async function endsOf(servers: Servers, queue: Queue): Promise<Ends> {
  const { address, topic, queueId } = queue;
  const fields = { topic, queueId };
  const to = `tell the ends of queue ${queueId} of ${topic}`;
  const [min, max] = await Promise.all([
    servers.ask(address, { code: RequestCode.GET_MIN_OFFSET, fields, to }),
    servers.ask(address, { code: RequestCode.GET_MAX_OFFSET, fields, to }),
  ]);
  return { min: Math.max(0, numberIn(min, 'offset', 0)), max: Math.max(0, numberIn(max, 'offset', 0)) };
}

/** Offset of the first message that was stored then or later; the end when there is none. */
export async function offsetAt(
  servers: Servers,
  queue: Queue,
  timestamp: number,
  ends: Ends,
): Promise<number> {
  const { address, topic, queueId } = queue;
  const answer = await servers.ask(address, {
    code: RequestCode.SEARCH_OFFSET_BY_TIMESTAMP,
    fields: { topic, queueId, timestamp },
    to: `look for a time in queue ${queueId} of ${topic}`,
  });
  return Math.min(ends.max, Math.max(ends.min, numberIn(answer, 'offset', ends.max)));
}

export function numberIn(answer: RemotingCommand, name: string, otherwise: number): number {
  return integerFrom(answer.fields[name]) ?? otherwise;
}
