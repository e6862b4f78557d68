/**
 * The broker's own messages on their way to the writer: retries, dead letters, delayed deliveries. Control is a
 * producer like any network thread, with a ring of its own. A put resolves when the message is as durable as the flush
 * mode promises to clients: a consumer that gave a message back must not lose it to a power cut.
 */

import { appendFailure } from '../../broker/send/append-failure.ts';
import type { InternalMessage, PutMessage, PutResult } from '../../control/context.ts';
import { ResponseCode } from '../../protocol/codes.ts';
import { encodeRecord } from '../../record/encode.ts';
import { MAX_PROPERTIES } from '../../record/layout.ts';
import { encodeMessageId, type HostAddress } from '../../record/message-id.ts';
import { encodeProperties } from '../../record/properties.ts';
import {
  APPEND,
  APPEND_HEADER,
  MAX_RING_RECORD,
  REPLY_END,
  REPLY_PHYSICAL_OFFSET,
  REPLY_QUEUE_OFFSET,
  REPLY_STATUS,
  RETIRE_QUEUES,
  writeAppendHead,
} from '../../ring/append-records.ts';
import { FLUSHED, type Positions, PUTS_AWAITED } from '../../ring/positions.ts';
import { NO_SLAB, type Slabs } from '../../ring/slabs.ts';
import { FULL, type RingConsumer, type RingProducer } from '../../ring/spsc-ring.ts';
import { APPENDED_OK } from '../../store/log/commit-log.ts';

/** Puts on their way to the writer at a time: bounds the reply ring. */
export const MAX_PUTS = 4096;
/** Queues retired by one record: it has to fit into the ring. */
const MAX_RETIRED = 16 * 1024;

export interface PutRingParts {
  send: RingProducer;
  replies: RingConsumer;
  slabs: Slabs;
  positions: Positions;
  syncFlush: boolean;
  storeHost: HostAddress;
  /** Largest record in bytes. */
  maxRecord: number;
  queueIdOf: (topic: string, queueId: number) => number | undefined;
}

interface Put {
  /** APPEND or RETIRE_QUEUES. */
  type: number;
  queue: number;
  count: number;
  payload: Uint8Array;
  resolve: (result: PutResult, end: number) => void;
}

interface Answered {
  end: number;
  result: PutResult;
  resolve: (result: PutResult, end: number) => void;
}

export class PutRing {
  readonly #parts: PutRingParts;
  readonly #waiting: Put[] = [];
  readonly #sent: Put[] = [];
  #answered: Answered[] = [];
  /** End of the last message that the writer has appended; a put that it refused has none. */
  #lastEnd = 0;
  #sequence = 0;

  constructor(parts: PutRingParts) {
    this.#parts = parts;
  }

  readonly put: PutMessage = (message) => {
    const { queueIdOf, maxRecord } = this.#parts;
    const queue = queueIdOf(message.topic, message.queueId);
    if (queue === undefined) {
      return Promise.resolve(
        refused(ResponseCode.TOPIC_NOT_EXIST, `no queue ${message.queueId} in ${message.topic}`),
      );
    }
    const properties = Buffer.from(encodeProperties(message.properties));
    if (properties.length > MAX_PROPERTIES) {
      return Promise.resolve(
        refused(ResponseCode.MESSAGE_ILLEGAL, 'the properties are longer than 32767 bytes'),
      );
    }
    const record = this.#encode(message, properties);
    if (record.length > maxRecord) {
      return Promise.resolve(refused(ResponseCode.MESSAGE_ILLEGAL, `the message has ${record.length} bytes`));
    }
    return new Promise((resolve) => {
      this.#waiting.push({ type: APPEND, queue, count: 1, payload: record, resolve });
      this.#send();
    });
  };

  /**
   * The queues of a deleted topic take no more messages. Resolves with the position from which on the log holds none of
   * theirs.
   */
  async retireQueues(queues: readonly number[]): Promise<number> {
    let end = this.#retire(queues.slice(0, MAX_RETIRED));
    for (let from = MAX_RETIRED; from < queues.length; from += MAX_RETIRED) {
      end = this.#retire(queues.slice(from, from + MAX_RETIRED));
    }
    return end;
  }

  #retire(queues: readonly number[]): Promise<number> {
    const ids = Buffer.alloc(queues.length * 4);
    for (const [i, queue] of queues.entries()) ids.writeInt32LE(queue, i * 4);
    const count = queues.length;
    return new Promise((resolve) => {
      const put: Put = {
        type: RETIRE_QUEUES,
        queue: 0,
        count,
        payload: ids,
        resolve: (_, end) => resolve(end),
      };
      this.#waiting.push(put);
      this.#send();
    });
  }

  /** Takes the writer's answers and resolves what is durable. To be called when the bell rings. */
  drain(): void {
    const { replies, positions } = this.#parts;
    while (replies.next()) this.#take(replies.view, replies.offset);
    replies.release();
    if (positions.halted) return;
    this.#release();
    if (this.#answered.length > 0) {
      // First say what is awaited, then look once more: a sync in between is not missed.
      positions.set(PUTS_AWAITED, this.#lastEnd);
      this.#release();
    }
    this.#send();
  }

  /** Resolves what is as durable as promised. */
  #release(): void {
    const { positions, syncFlush } = this.#parts;
    const durable = syncFlush ? positions.get(FLUSHED) : Number.POSITIVE_INFINITY;
    let released = 0;
    while (released < this.#answered.length && (this.#answered[released] as Answered).end <= durable) {
      const { resolve, result, end } = this.#answered[released] as Answered;
      resolve(result, end);
      released++;
    }
    if (released > 0) this.#answered = this.#answered.slice(released);
  }

  /** Puts not yet resolved. */
  get underWay(): number {
    return this.#waiting.length + this.#sent.length + this.#answered.length;
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

  #send(): void {
    while (
      this.#waiting.length > 0 &&
      this.#sent.length < MAX_PUTS &&
      this.#sendPut(this.#waiting[0] as Put)
    ) {
      this.#sent.push(this.#waiting.shift() as Put);
    }
    this.#parts.send.publish();
  }

  #sendPut({ type, queue, count, payload }: Put): boolean {
    const { send, slabs } = this.#parts;
    const inSlab = payload.length > MAX_RING_RECORD;
    const slab = inSlab ? slabs.take() : NO_SLAB;
    if (inSlab && slab === NO_SLAB) return false;
    const at = send.claimOrAwait(type, APPEND_HEADER + (inSlab ? 0 : payload.length));
    if (at === FULL) {
      if (inSlab) slabs.free(slab);
      return false;
    }
    if (inSlab) slabs.bulk(slab).bytes.set(payload);
    else send.bytes.set(payload, at + APPEND_HEADER);
    writeAppendHead(send.view, at, this.#sequence++, queue, payload.length, count, slab);
    return true;
  }

  #take(view: DataView, at: number): void {
    const put = this.#sent.shift() as Put;
    const status = view.getInt32(at + REPLY_STATUS, true);
    const physicalOffset = view.getFloat64(at + REPLY_PHYSICAL_OFFSET, true);
    const result: PutResult =
      status === APPENDED_OK
        ? {
            status: ResponseCode.SUCCESS,
            remark: undefined,
            queueOffset: view.getFloat64(at + REPLY_QUEUE_OFFSET, true),
            physicalOffset,
            messageId: encodeMessageId(this.#parts.storeHost, physicalOffset),
          }
        : refused(...appendFailure(status));
    const end = status === APPENDED_OK ? view.getFloat64(at + REPLY_END, true) : 0;
    this.#lastEnd = Math.max(this.#lastEnd, end);
    this.#answered.push({ end, result, resolve: put.resolve });
  }
}

function refused(status: number, remark: string): PutResult {
  return { status, remark, queueOffset: -1, physicalOffset: -1, messageId: '' };
}
