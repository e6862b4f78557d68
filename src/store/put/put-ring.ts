/**
 * The broker's own messages on their way to the writer: retries, dead letters, what has become due. A put is done when
 * the message is as durable as the flush mode promises to clients: a consumer that gave a message back must not lose it
 * to a power cut.
 *
 * What is under way is bounded in number (the reply ring has room for that many answers) and in bytes.
 */

import { Fifo } from '../../lib/fifo.ts';
import { limitRemark, MAX_PUT_BYTES, MAX_PUTS } from '../../lib/limits.ts';
import { ResponseCode } from '../../protocol/codes.ts';
import { encodeRecord } from '../../record/encode.ts';
import { MAX_PROPERTIES } from '../../record/layout.ts';
import type { HostAddress } from '../../record/message-id.ts';
import { encodeProperties } from '../../record/properties.ts';
import {
  APPEND,
  APPEND_HEADER,
  REPLY_END,
  REPLY_PHYSICAL_OFFSET,
  REPLY_QUEUE_OFFSET,
  REPLY_STATUS,
  RETIRE_QUEUES,
  writeAppendHead,
} from '../../ring/append-records.ts';
import type { ChannelSender } from '../../ring/channel.ts';
import type { Positions } from '../../ring/positions.ts';
import type { RingConsumer } from '../../ring/spsc-ring.ts';
import type { Watermark } from '../../ring/watermark.ts';
import { APPENDED_OK } from '../log/commit-log.ts';
import { appendFailure } from './append-failure.ts';
import {
  type BeginPut,
  type InternalMessage,
  type PutMessage,
  type PutResult,
  refused,
} from './put-message.ts';

/** A record that retires queues takes no more topics from so many queues on. */
const RETIRED_TOGETHER = 16 * 1024;

export interface PutRingParts {
  writer: ChannelSender;
  replies: RingConsumer;
  positions: Positions;
  /** Slot of `positions` for the position that is awaited. */
  awaited: number;
  /** What may be acknowledged. */
  confirmed: Watermark;
  storeHost: HostAddress;
  /**
   * When the writer is shown what was put: `turn` = by `publish`, at the end of a turn; `soon` = all of one turn of the
   * event loop together, for a wake-up costs as much as a put; default: at once.
   */
  shown?: 'turn' | 'soon';
  /** Largest record in bytes. */
  maxRecord: number;
  queueIdOf: (topic: string, queueId: number) => number | undefined;
}

type Done = (result: PutResult, end: number) => void;

/** On its way to the writer. */
interface Sent {
  bytes: number;
  done: Done;
}

interface Retirement {
  queues: readonly number[];
  resolve: (end: number) => void;
  reject: (error: Error) => void;
}

interface Answered {
  end: number;
  result: PutResult;
  done: Done;
}

export class PutRing {
  readonly #parts: PutRingParts;
  /** In the order in which the writer answers. */
  readonly #sent = new Fifo<Sent>();
  readonly #answered = new Fifo<Answered>();
  readonly #retiring = new Fifo<Retirement>();
  /** A record that retires queues is under way. */
  #retires = false;
  #bytesUnderWay = 0;
  /** End of the last message that the writer has appended; a put that it refused has none. */
  #lastEnd = 0;
  #sequence = 0;
  /** What was put is shown at the end of this turn of the event loop. */
  #isSoon = false;

  constructor(parts: PutRingParts) {
    this.#parts = parts;
  }

  /** Whether no more is taken now. */
  get full(): boolean {
    return this.#bytesUnderWay > MAX_PUT_BYTES || this.underWay >= MAX_PUTS;
  }

  /** Why no more is taken now; undefined while there is room. */
  get busy(): string | undefined {
    if (!this.full) return undefined;
    if (this.#bytesUnderWay > MAX_PUT_BYTES) {
      const what = 'bytes of retries and delayed messages on their way to the log';
      return limitRemark(what, MAX_PUT_BYTES, 'MAX_PUT_BYTES');
    }
    return limitRemark('retries and delayed messages on their way to the log', MAX_PUTS, 'MAX_PUTS');
  }

  /** `begin` for who has an event loop. */
  readonly put: PutMessage = (message) => new Promise((resolve) => this.begin(message, resolve));

  readonly begin: BeginPut = (message, done) => {
    const { queueIdOf, maxRecord, positions } = this.#parts;
    const { busy } = this;
    if (positions.halted) return done(HALTED_STORE);
    if (busy !== undefined) return done(refused(ResponseCode.SYSTEM_BUSY, busy));
    const queue = queueIdOf(message.topic, message.queueId);
    if (queue === undefined) {
      return done(refused(ResponseCode.TOPIC_NOT_EXIST, `no queue ${message.queueId} in ${message.topic}`));
    }
    const properties = Buffer.from(encodeProperties(message.properties));
    if (properties.length > MAX_PROPERTIES) {
      return done(refused(ResponseCode.MESSAGE_ILLEGAL, 'the properties are longer than 32767 bytes'));
    }
    const record = this.#encode(message, properties);
    if (record.length > maxRecord) {
      return done(refused(ResponseCode.MESSAGE_ILLEGAL, `the message has ${record.length} bytes`));
    }
    this.#send(APPEND, queue, 1, record, done);
  };

  /**
   * The queues of a deleted topic take no more messages. Resolves with the position from which on the log holds none of
   * theirs. Rejects when the store halts before.
   */
  retireQueues(queues: readonly number[]): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#retiring.push({ queues, resolve, reject });
      if (!this.#retires) this.#retire();
    });
  }

  /** One record under way at a time, of many topics when many wait: the reply ring has room for one more answer. */
  #retire(): void {
    const ids: number[] = [];
    const waiting: Retirement[] = [];
    while (ids.length < RETIRED_TOGETHER) {
      const next = this.#retiring.shift();
      if (next === undefined) break;
      for (const id of next.queues) ids.push(id);
      waiting.push(next);
    }
    this.#retires = waiting.length > 0;
    if (!this.#retires) return;
    const payload = new Uint8Array(Int32Array.from(ids).buffer);
    this.#send(RETIRE_QUEUES, 0, ids.length, payload, ({ status, remark }, end) => {
      for (const { resolve, reject } of waiting) {
        if (status === ResponseCode.SUCCESS) resolve(end);
        else reject(new Error(remark));
      }
      this.#retire();
    });
  }

  /**
   * The store has halted: the writer answers nothing any more, and what is under way fails, so that nobody waits for
   * it. Whether it was stored, nobody knows.
   */
  abandon(): number {
    let done = 0;
    // A retirement that fails sends the next one, which fails too.
    for (let next = this.#sent.shift(); next !== undefined; next = this.#sent.shift()) {
      this.#bytesUnderWay -= next.bytes;
      next.done(HALTED_STORE, 0);
      done++;
    }
    for (let next = this.#answered.shift(); next !== undefined; next = this.#answered.shift()) {
      next.done(HALTED_STORE, 0);
      done++;
    }
    return done;
  }

  /** Whether `drain` would find something now. */
  get pending(): boolean {
    return this.#parts.replies.pending || this.#isConfirmed(this.#answered.peek());
  }

  /** Takes the writer's answers and ends the puts that are durable; returns how many. For when the bell rings. */
  drain(): number {
    const { replies, positions } = this.#parts;
    if (positions.halted) {
      return this.abandon();
    }
    while (replies.next()) this.#take(replies.view, replies.offset);
    replies.release();
    // It may have halted in between: then nothing of this is vouched for.
    if (positions.halted) return 0;
    let done = this.#release();
    if (this.#answered.size > 0) {
      // First say what is awaited, then look once more: a sync in between is not missed.
      positions.set(this.#parts.awaited, this.#lastEnd);
      done += this.#release();
    }
    this.#parts.writer.publish();
    return done;
  }

  /** Ends what is as durable as promised. */
  #release(): number {
    let done = 0;
    for (let first = this.#answered.peek(); this.#isConfirmed(first); first = this.#answered.peek()) {
      this.#answered.shift();
      first.done(first.result, first.end);
      done++;
    }
    return done;
  }

  #isConfirmed(answered: Answered | undefined): answered is Answered {
    return answered !== undefined && answered.end <= this.#parts.confirmed.position;
  }

  /** Puts that have not ended. */
  get underWay(): number {
    return this.#sent.size + this.#answered.size + this.#retiring.size;
  }

  #encode(message: InternalMessage, properties: Uint8Array): Uint8Array {
    return encodeRecord(
      {
        queueId: message.queueId,
        flag: message.flag,
        sysFlag: message.sysFlag,
        bornTimestamp: message.bornTimestamp,
        bornHost: message.bornHost,
        storeHost: this.#parts.storeHost,
        reconsumeTimes: message.reconsumeTimes,
        preparedTransactionOffset: message.preparedTransactionOffset,
      },
      Buffer.from(message.topic),
      message.body,
      properties,
    );
  }

  #send(type: number, queue: number, count: number, payload: Uint8Array, done: Done): void {
    const { writer } = this.#parts;
    const sequence = this.#sequence;
    this.#sequence = (sequence + 1) | 0;
    const bytes = payload.length;
    this.#sent.push({ bytes, done });
    this.#bytesUnderWay += bytes;
    writer.post(type, APPEND_HEADER + bytes, (target, view, at) => {
      target.set(payload, at + APPEND_HEADER);
      writeAppendHead(view, at, sequence, queue, bytes, count);
    });
    const { shown } = this.#parts;
    if (shown === 'soon') this.#publishSoon();
    else if (shown === undefined) writer.publish();
  }

  #publishSoon(): void {
    if (this.#isSoon) return;
    this.#isSoon = true;
    queueMicrotask(() => {
      this.#isSoon = false;
      this.#parts.writer.publish();
    });
  }

  /** Shows the writer what was put since. */
  publish(): void {
    this.#parts.writer.publish();
  }

  #take(view: DataView, at: number): void {
    const { bytes, done } = this.#sent.shift() as Sent;
    this.#bytesUnderWay -= bytes;
    const status = view.getInt32(at + REPLY_STATUS, true);
    const physicalOffset = view.getFloat64(at + REPLY_PHYSICAL_OFFSET, true);
    const result: PutResult =
      status === APPENDED_OK
        ? {
            status: ResponseCode.SUCCESS,
            remark: undefined,
            queueOffset: view.getFloat64(at + REPLY_QUEUE_OFFSET, true),
            physicalOffset,
          }
        : refused(...appendFailure(status));
    const end = status === APPENDED_OK ? view.getFloat64(at + REPLY_END, true) : 0;
    this.#lastEnd = Math.max(this.#lastEnd, end);
    this.#answered.push({ end, result, done });
  }
}

const HALTED_STORE = refused(ResponseCode.SYSTEM_ERROR, 'the store has halted');
