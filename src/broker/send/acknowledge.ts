/**
 * Acknowledging: takes the writer's answers in order and lets each reply go when its message is as durable as the
 * flush mode promises. Completes every send once: by position, or by its deadline.
 */

import { assert } from '../../lib/assert.ts';
import type { Connection } from '../../net/connection.ts';
import {
  type PendingSends,
  SEND_BINARY,
  SEND_DONE,
  SEND_NO_WAIT,
  SEND_ONEWAY,
} from '../../net/pending-sends.ts';
import { AT_ONCE, LOST, ONEWAY } from '../../protocol/call-kinds.ts';
import { ResponseCode } from '../../protocol/codes.ts';
import { responseTo, SERIALIZE_BINARY, SERIALIZE_JSON } from '../../protocol/command.ts';
import { encodeCommand } from '../../protocol/command-codec.ts';
import {
  REPLY_END,
  REPLY_PHYSICAL_OFFSET,
  REPLY_QUEUE_OFFSET,
  REPLY_SEQUENCE,
  REPLY_STATUS,
} from '../../ring/append-records.ts';
import { type Counters, counterPlace } from '../../ring/counters.ts';
import {
  FLUSHED,
  type Positions,
  REPLICATED,
  SLAVES_ENOUGH,
  SLAVES_STATE,
  SLAVES_UNNEEDED,
} from '../../ring/positions.ts';
import type { RingConsumer } from '../../ring/spsc-ring.ts';
import type { Watermark } from '../../ring/watermark.ts';
import { APPENDED_OK } from '../../store/log/commit-log.ts';
import { appendFailure } from '../../store/put/append-failure.ts';
import { countRefusal } from '../refusals.ts';
import type { Calls } from '../stats/calls.ts';
import type { RefusalCounts } from './refused-sends.ts';
import type { SendReply } from './send-reply.ts';
import type { SlowSends } from './slow-sends.ts';

/** RocketMQ's syncFlushTimeout: a reply waits no longer for the disk. */
const SYNC_FLUSH_TIMEOUT_MS = 5000;

const SENDS_DONE = counterPlace('sendsDone');
const SEND_MAX = counterPlace('sendMaxMicros');

export interface AcknowledgeParts {
  replies: RingConsumer;
  sends: PendingSends;
  positions: Positions;
  /** What may be acknowledged. */
  confirmed: Watermark;
  /** How long a reply waits for slaves, ms. */
  slaveTimeout: number;
  reply: SendReply;
  counters: Counters;
  calls: Calls;
  refusals: RefusalCounts;
  slow: SlowSends;
  /** The connection in a slot if it is still of this generation. */
  connectionOf: (slot: number, generation: number) => Connection | undefined;
  /** Has output; flush it at the end of the turn. */
  touched: (connection: Connection) => void;
}

export class Acknowledger {
  readonly #parts: AcknowledgeParts;
  /** Ms of the monotonic clock when the drain began. */
  #now = 0;

  constructor(parts: AcknowledgeParts) {
    this.#parts = parts;
  }

  /** Whether the writer has answered. Where more is waited for nobody stays awake to ask: the flusher rings. */
  get pending(): boolean {
    return this.#parts.replies.pending;
  }

  /** Takes answers and releases replies; returns how many sends were completed. */
  drain(now: number): number {
    const { replies, sends, positions } = this.#parts;
    this.#now = now;
    while (replies.next()) this.#take(replies.view, replies.offset);
    replies.release();
    if (positions.halted) return 0;
    const confirmed = this.#parts.confirmed.position;
    const head = sends.head;
    while (sends.head !== sends.answered) {
      const index = sends.indexOf(sends.head);
      const end = sends.end[index] as number;
      const code = end <= confirmed ? ResponseCode.SUCCESS : this.#giveUp(index, end, now);
      if (code === undefined) break;
      this.#complete(index, code);
      sends.head = (sends.head + 1) | 0;
    }
    return (sends.head - head) | 0;
  }

  #take(view: DataView, at: number): void {
    const { sends, positions } = this.#parts;
    assert(view.getInt32(at + REPLY_SEQUENCE, true) === sends.answered, 'the writer answered out of order');
    const index = sends.indexOf(sends.answered);
    const status = view.getInt32(at + REPLY_STATUS, true);
    sends.status[index] = status;
    sends.queueOffset[index] = view.getFloat64(at + REPLY_QUEUE_OFFSET, true);
    sends.physicalOffset[index] = view.getFloat64(at + REPLY_PHYSICAL_OFFSET, true);
    sends.end[index] = status === APPENDED_OK ? view.getFloat64(at + REPLY_END, true) : 0;
    sends.answeredAt[index] = this.#now;
    sends.answered = (sends.answered + 1) | 0;
    const noWait = ((sends.flags[index] as number) & SEND_NO_WAIT) !== 0;
    // It is appended, and asks for no more.
    if (noWait && !positions.halted) this.#complete(index, ResponseCode.SUCCESS);
  }

  /**
   * What a producer is told whose message is stored, but not known in time to be what was promised; undefined = it is
   * waited for. Slaves that are not there are not waited for.
   */
  #giveUp(index: number, end: number, now: number): number | undefined {
    const { sends, positions, confirmed, slaveTimeout } = this.#parts;
    const missing = confirmed.missing(end);
    const waited = now - (sends.sentAt[index] as number);
    if (missing === REPLICATED) {
      if (!positions.differs(SLAVES_STATE, SLAVES_UNNEEDED)) return ResponseCode.SUCCESS;
      if (positions.differs(SLAVES_STATE, SLAVES_ENOUGH)) return ResponseCode.SLAVE_NOT_AVAILABLE;
      return waited > slaveTimeout ? ResponseCode.FLUSH_SLAVE_TIMEOUT : undefined;
    }
    if (waited <= SYNC_FLUSH_TIMEOUT_MS) return undefined;
    return missing === FLUSHED ? ResponseCode.FLUSH_DISK_TIMEOUT : ResponseCode.SUCCESS;
  }

  #complete(index: number, code: number): void {
    const { sends } = this.#parts;
    const flags = sends.flags[index] as number;
    if ((flags & SEND_DONE) !== 0) return;
    sends.flags[index] = flags | SEND_DONE;
    const sentAt = sends.sentAt[index] as number;
    this.#parts.slow.done(sentAt, sends.answeredAt[index] as number, this.#now);
    this.#count((this.#now - sentAt) * 1000);
    const status = sends.status[index] as number;
    if (status !== APPENDED_OK) {
      this.#fail(index, status);
      return;
    }
    if ((flags & SEND_ONEWAY) !== 0) {
      this.#called(index, code, ONEWAY);
      return;
    }
    const connection = this.#connectionOf(index);
    this.#called(index, code, connection === undefined ? LOST : AT_ONCE);
    if (connection === undefined) return;
    this.#parts.reply.write(connection, sends, index, code);
    this.#parts.touched(connection);
  }

  #connectionOf(index: number): Connection | undefined {
    const { sends, connectionOf } = this.#parts;
    return connectionOf(sends.slot[index] as number, sends.generation[index] as number);
  }

  #count(micros: number): void {
    const { counters } = this.#parts;
    counters.add(SENDS_DONE);
    counters.latency(micros);
    counters.raiseTo(SEND_MAX, micros);
  }

  #called(index: number, code: number, way: number): void {
    const { sends, calls } = this.#parts;
    calls.done(sends.call[index] as number, code, way, this.#now - (sends.sentAt[index] as number));
  }

  /** Counts it, also when there is nobody to be told. */
  #fail(index: number, status: number): void {
    const { sends, counters, refusals } = this.#parts;
    const flags = sends.flags[index] as number;
    const connection = this.#connectionOf(index);
    const [code, remark] = appendFailure(status);
    countRefusal(counters, code);
    refusals.note(code, remark, connection?.remoteAddress ?? '', () => '');
    const isOneway = (flags & SEND_ONEWAY) !== 0;
    this.#called(index, code, isOneway ? ONEWAY : connection === undefined ? LOST : AT_ONCE);
    if (connection === undefined || isOneway) return;
    const request = {
      opaque: sends.opaque[index] as number,
      serializeType: (flags & SEND_BINARY) !== 0 ? SERIALIZE_BINARY : SERIALIZE_JSON,
    };
    connection.append(encodeCommand(responseTo(request, code, remark)));
    this.#parts.touched(connection);
  }
}
