/** What a store must hold, kept as plainly as can be: the log as a list of messages. */
import { crc32 } from 'node:zlib';
import { encodeRecord, type RecordHead } from '../../src/record/encode.ts';
import { STORE_TIME_LEAD_MS } from '../../src/store/log/commit-log.ts';

export interface ModelMessage {
  readonly topic: string;
  readonly queueId: number;
  readonly queueOffset: number;
  readonly position: number;
  /** Every byte that the log must hold at `position`. */
  readonly record: Uint8Array;
  readonly storeTimestamp: number;
  readonly uniqueKey: string;
  readonly keys: readonly string[];
  readonly tag: string;
  /** Its body was damaged on the disk: it keeps its place and its number, and that is all. */
  damaged: boolean;
}

export interface ModelQueue {
  readonly topic: string;
  readonly queueId: number;
  /** By queue offset, from 0 on; what was expired stays listed. */
  messages: ModelMessage[];
  /** Messages before this offset were compared since the store was opened. */
  checked: number;
}

export interface Draft {
  readonly head: RecordHead;
  readonly body: Uint8Array;
  readonly properties: string;
  readonly uniqueKey: string;
  readonly keys: readonly string[];
  readonly tag: string;
}

export const queueName = (topic: string, queueId: number) => `${topic}/${queueId}`;

export class StoreModel {
  /** In the order of the log; what was expired stays listed, before `logStart`, and so do deleted topics. */
  messages: ModelMessage[] = [];
  /** Everything before it was promised to survive a power cut. */
  flushed = 0;
  logStart = 0;
  /** Store time of the last message, which no later one may fall behind unless the clock was wrong. */
  lastTimestamp = 0;
  readonly queues = new Map<string, ModelQueue>();
  /** Where the messages of today's topic of a name begin. */
  readonly #born = new Map<string, number>();
  /** Before these positions the messages of a topic were purged. */
  readonly purges = new Map<string, number>();

  /** Next offset of a queue. */
  next(topic: string, queueId: number): number {
    return this.queues.get(queueName(topic, queueId))?.messages.length ?? 0;
  }

  /** Notes a message that the store has placed at `position`, when the clock said `now`. */
  append(topic: string, queueId: number, draft: Draft, position: number, now: number): ModelMessage {
    const queueOffset = this.next(topic, queueId);
    const ahead = this.lastTimestamp - now;
    if (ahead < 0 || ahead > STORE_TIME_LEAD_MS) this.lastTimestamp = now;
    const storeTimestamp = this.lastTimestamp;
    const record = placed(topic, draft, queueOffset, position, storeTimestamp);
    const { uniqueKey, keys, tag } = draft;
    const placing = { topic, queueId, queueOffset, position, record, storeTimestamp };
    const message = { ...placing, uniqueKey, keys, tag, damaged: false };
    this.messages.push(message);
    const name = queueName(topic, queueId);
    const queue = this.queues.get(name) ?? { topic, queueId, messages: [], checked: 0 };
    queue.messages.push(message);
    this.queues.set(name, queue);
    return message;
  }

  /** The topic is deleted: its messages lie in the log, but nobody may see them. */
  deleteTopic(topic: string): void {
    this.#born.set(topic, this.messages.length === 0 ? 0 : this.end);
    for (const [name, queue] of this.queues) if (queue.topic === topic) this.queues.delete(name);
  }

  /** The topic's messages before the position are let go of: they keep their numbers, and nobody may see them. */
  purge(topic: string, position: number): void {
    this.purges.set(topic, position);
  }

  /** Whether the message is one of today's topic, and not purged. */
  isAlive({ topic, position }: ModelMessage): boolean {
    return position >= (this.#born.get(topic) ?? 0) && position >= (this.purges.get(topic) ?? 0);
  }

  /** Whether it can be read: the log has it, and its topic has not let go of it. */
  isThere(message: ModelMessage): boolean {
    return message.position >= this.logStart && this.isAlive(message);
  }

  /** End of the last message. */
  get end(): number {
    const last = this.messages.at(-1);
    return last === undefined ? 0 : endOf(last);
  }

  /** Forgets what a crash took: the messages that do not end before `end`. Returns how many. */
  cut(end: number): number {
    const kept = this.messages.filter((message) => endOf(message) <= end);
    const lost = this.messages.length - kept.length;
    for (const queue of this.queues.values()) {
      queue.messages = queue.messages.filter((message) => endOf(message) <= end);
      queue.checked = 0;
    }
    this.messages = kept;
    this.lastTimestamp = kept.at(-1)?.storeTimestamp ?? 0;
    // What comes next is a message of today's topic again.
    for (const starts of [this.#born, this.purges])
      for (const [topic, start] of starts) if (start > end) starts.set(topic, end);
    return lost;
  }
}

export function endOf(message: ModelMessage): number {
  return message.position + message.record.length;
}

/** The record with what the writer adds, at offsets worked out here once more. */
function placed(
  topic: string,
  draft: Draft,
  queueOffset: number,
  position: number,
  time: number,
): Uint8Array {
  const { head, body, properties } = draft;
  const record = encodeRecord(head, Buffer.from(topic), body, Buffer.from(properties));
  const bytes = Buffer.from(record.buffer, record.byteOffset, record.length);
  bytes.writeInt32BE(body.length === 0 ? 0 : crc32(body) & 0x7fffffff, 8);
  bytes.writeBigInt64BE(BigInt(queueOffset), 20);
  bytes.writeBigInt64BE(BigInt(position), 28);
  bytes.writeBigInt64BE(BigInt(time), head.bornHost.address.length === 16 ? 68 : 56);
  return record;
}
