/**
 * Sends of a network thread: check as RocketMQ does, write the record into the channel to the writer, remember whom to
 * answer.
 * The answer leaves when the writer has placed the message and it is as durable as promised (`acknowledge`).
 *
 * A message that asks for more than to be stored is written in general (`GeneralSends`), in its turn among the others
 * of its connection. Where a message to a retry topic goes is for control to say, which has the groups; who is to get a
 * reply too, as it knows the clients. Topics that are to be created are waited for.
 */

import type { WaitingRules } from '../../delivery/waiting-form.ts';
import { HALF_TOPIC, SCHEDULE_TOPIC } from '../../lib/names.ts';
import type { Connection } from '../../net/connection.ts';
import {
  type PendingSends,
  SEND_BINARY,
  SEND_NO_WAIT,
  SEND_ONEWAY,
  SEND_PLAIN_KEY,
} from '../../net/pending-sends.ts';
import { callOf } from '../../protocol/call-kinds.ts';
import { RequestCode, ResponseCode } from '../../protocol/codes.ts';
import { FLAG_ONEWAY, responseTo, SERIALIZE_BINARY } from '../../protocol/command.ts';
import { encodeCommand } from '../../protocol/command-codec.ts';
import { ABSENT } from '../../protocol/field-table.ts';
import { CUT_ALL, CUT_BLOCKED } from '../../protocol/frame-cutter.ts';
import type { RequestView } from '../../protocol/request-view.ts';
import { withHostFlags } from '../../record/encode.ts';
import { SYS_TRANSACTION_MASK, SYS_TRANSACTION_PREPARED } from '../../record/layout.ts';
import type { HostAddress } from '../../record/message-id.ts';
import { NUL_REMARK, PROPERTY_MULTI_DISPATCH } from '../../record/properties.ts';
import {
  APPEND,
  APPEND_HEADER,
  APPEND_TWICE,
  TWICE_HEADER,
  writeAppendHead,
  writeSecondQueue,
} from '../../ring/append-records.ts';
import type { ChannelSender } from '../../ring/channel.ts';
import type { Counters } from '../../ring/counters.ts';
import { FULL } from '../../ring/spsc-ring.ts';
import { TOO_FEW_COPIES_REMARK } from '../../store/put/append-failure.ts';
import { countRefusal } from '../refusals.ts';
import type { Calls } from '../stats/calls.ts';
import { lookUp, type NetworkView, type TopicView } from '../view/network-view.ts';
import { BatchBody } from './batch-body.ts';
import { namesInFull } from './full-names.ts';
import { type BrokerMarks, encodeMarks, GeneralSends } from './general-send.ts';
import { type Parking, PROPERTIES_WITH_NUL, RecordWriter, UNUSUAL, WRITTEN } from './record-writer.ts';
import type { RefusalCounts } from './refused-sends.ts';
import { SendFields } from './send-fields.ts';

const LETTER_F = 0x66;
const SECOND_QUEUE_REMARK = `messages of a batch may not have the property ${PROPERTY_MULTI_DISPATCH}`;

export interface SendParts {
  writer: ChannelSender;
  sends: PendingSends;
  view: NetworkView;
  storeHost: HostAddress;
  /** What messages say of this broker besides whether it is traced, which may change. */
  marks: Omit<BrokerMarks, 'traceOn'>;
  rules: () => WaitingRules;
  brokerName: string;
  /** Ms since the epoch. */
  wallClock: () => number;
  makeUniqueKey: () => string;
  /** Whether messages are refused that are to have copies. */
  lacksCopies: () => boolean;
  /** Largest body in bytes. */
  maxMessageSize: number;
  now: () => number;
  counters: Counters;
  calls: Calls;
  refusals: RefusalCounts;
  /** Hands the frame to control as it is: CUT_ALL or CUT_BLOCKED. */
  toControl: (connection: Connection, bytes: Uint8Array, offset: number, length: number) => number;
  /** Whether sends to the topic wait that came earlier, when it did not exist yet. */
  isAwaited: (request: RequestView, fields: SendFields) => boolean;
  /** The same of a topic by its name. */
  isTopicAwaited: (name: string) => boolean;
  /** Parks the frame until control has made the lite topic with this queue: CUT_ALL or CUT_BLOCKED. */
  awaitLite: (
    connection: Connection,
    request: RequestView,
    queue: string,
    offset: number,
    length: number,
  ) => number;
  /** Parks the frame until control has created the topic and earlier ones have run: CUT_ALL or CUT_BLOCKED. */
  awaitTopic: (
    connection: Connection,
    request: RequestView,
    fields: SendFields,
    offset: number,
    length: number,
  ) => number;
}

export class SendHandler {
  readonly #parts: SendParts;
  readonly #fields = new SendFields();
  readonly #writer: RecordWriter;
  readonly #batchBody = new BatchBody();
  readonly #generally: GeneralSends;
  /** What every answer says of the broker. */
  #identity: Readonly<Record<string, string>> = {};
  #marks: BrokerMarks;
  #turn = 0;

  constructor(parts: SendParts) {
    this.#parts = parts;
    const { regionId, clusterName } = parts.marks;
    this.#marks = { regionId, clusterName, traceOn: parts.view.settings.traceOn };
    this.#writer = new RecordWriter(parts.storeHost, '', parts.makeUniqueKey);
    const marks = () => this.#marks;
    this.#generally = new GeneralSends({
      ...{ ...parts, marks, illegalRemark: this.#illegal() },
      isAwaited: (topic) => parts.isTopicAwaited(topic),
    });
    this.#mark(this.#marks);
  }

  /** What messages and answers say of the broker from now on. */
  #mark(marks: BrokerMarks): void {
    this.#marks = marks;
    this.#writer.mark(encodeMarks(marks));
    this.#identity = { MSG_REGION: marks.regionId, TRACE_ON: String(marks.traceOn) };
  }

  /** Handles the send in `request`, whose frame stands in bytes[offset, +length) of it. CUT_ALL or CUT_BLOCKED. */
  handle(connection: Connection, request: RequestView, offset: number, length: number): number {
    const fields = this.#fields;
    const { code } = request;
    const { settings } = this.#parts.view;
    if (settings.traceOn !== this.#marks.traceOn) this.#mark({ ...this.#marks, traceOn: settings.traceOn });
    fields.locate(request.fields, !namesInFull(code));
    if (fields.problem !== undefined) {
      return this.#refuse(
        connection,
        request,
        ResponseCode.SYSTEM_ERROR,
        `the custom field <${fields.problem}> is null`,
      );
    }
    const topic = lookUp(this.#parts.view.topics, request.fields, fields.topic);
    if (topic === undefined && !settings.writable) return this.#refuseWrite(connection, request);
    if (topic === undefined || this.#parts.isAwaited(request, fields)) {
      return this.#awaitTopic(connection, request, offset, length);
    }
    if (topic.sends === 'forbidden') {
      const remark = `Sending message to topic[${topic.name}] is forbidden.`;
      return this.#refuse(connection, request, ResponseCode.NO_PERMISSION, remark);
    }
    if (!settings.writable) return this.#refuseWrite(connection, request);
    if ((settings.brokerPermission & 2) === 0 && topic.order) {
      return this.#refuse(
        connection,
        request,
        ResponseCode.NO_PERMISSION,
        'the broker sending message is forbidden',
      );
    }
    const queueId = this.#queueOf(topic, fields.queueId);
    if (queueId < 0)
      return this.#refuse(connection, request, ResponseCode.INVALID_PARAMETER, badQueue(topic, fields));
    if (this.#parts.sends.full) return CUT_BLOCKED;
    const isReply = code === RequestCode.SEND_REPLY_MESSAGE_V2 || code === RequestCode.SEND_REPLY_MESSAGE;
    if (code === RequestCode.SEND_BATCH_MESSAGE || (fields.batch && !isReply)) {
      return this.#batch(connection, request, topic, queueId);
    }
    const { bodyLength } = request;
    if (bodyLength === 0 || bodyLength > this.#parts.maxMessageSize) {
      return this.#refuse(connection, request, ResponseCode.MESSAGE_ILLEGAL, this.#illegal());
    }
    if (topic.sends === 'plain' && !isReply)
      return this.#single(connection, request, topic, queueId, offset, length);
    // A reply reaches who asked for it, stored or not.
    if (!isReply && this.#parts.lacksCopies()) return this.#refuseWithoutCopies(connection, request);
    return this.#parts.toControl(connection, request.bytes, offset, length);
  }

  #awaitTopic(connection: Connection, request: RequestView, offset: number, length: number): number {
    const problem = this.#fields.creationProblem(request.fields);
    if (problem !== undefined) {
      return this.#refuse(connection, request, ResponseCode.INVALID_PARAMETER, problem);
    }
    return this.#parts.awaitTopic(connection, request, this.#fields, offset, length);
  }

  /** Shows the writer what this turn put into its ring. */
  publish(): void {
    this.#parts.writer.publish();
  }

  #single(
    connection: Connection,
    request: RequestView,
    topic: TopicView,
    queueId: number,
    offset: number,
    length: number,
  ): number {
    const parking = this.#parking(request);
    const bound = this.#writer.bound(request, this.#fields, topic, parking, connection.host);
    const { writer } = this.#parts;
    // Only by properties far beyond their limit can a record be too long.
    if (APPEND_HEADER + bound > writer.maxPayload) {
      return this.#refuse(connection, request, ResponseCode.MESSAGE_ILLEGAL, this.#illegal());
    }
    const claimed = writer.claim(APPEND, APPEND_HEADER + bound);
    if (claimed === FULL) return CUT_BLOCKED;
    const at = claimed + APPEND_HEADER;
    const outcome = this.#writer.write(
      writer,
      at,
      request,
      this.#fields,
      topic,
      parking,
      queueId,
      connection.host,
    );
    if (outcome !== WRITTEN) {
      if (outcome === UNUSUAL) return this.#general(connection, request, topic, queueId, offset, length);
      const remark = outcome === PROPERTIES_WITH_NUL ? NUL_REMARK : this.#illegal();
      return this.#refuse(connection, request, ResponseCode.MESSAGE_ILLEGAL, remark);
    }
    const { size, uniqueKeyOffset, uniqueKeyLength, plainKey, waitOffset, waitLength } = this.#writer;
    const noWait = waitLength === 5 && writer.bytes[waitOffset] === LETTER_F;
    if (!noWait && this.#parts.lacksCopies()) return this.#refuseWithoutCopies(connection, request);
    const index = this.#remember(connection, request, queueId);
    const { sends } = this.#parts;
    sends.setKey(index, writer.bytes, uniqueKeyOffset, uniqueKeyLength);
    sends.flags[index] =
      (sends.flags[index] as number) | (noWait ? SEND_NO_WAIT : 0) | (plainKey ? SEND_PLAIN_KEY : 0);
    this.#commit(claimed, (parking?.topic ?? topic).queues[this.#writer.queueId]?.id ?? 0, size, 1);
    return CUT_ALL;
  }

  /**
   * Where the send waits, as far as its flag and the known layout of its header show: half messages, and those with a
   * delay level. Undefined for all others, and for what is to be looked at in general.
   */
  #parking(request: RequestView): Parking | undefined {
    const { properties, sysFlag } = this.#fields;
    const layout = properties === ABSENT ? undefined : request.template?.properties(properties)?.scan;
    const isPrepared = (sysFlag & SYS_TRANSACTION_MASK) === SYS_TRANSACTION_PREPARED;
    const isHalf = layout?.transactional ?? isPrepared;
    if (!isHalf && !layout?.delayLength) return undefined;
    const { maxDelayLevel, rejectTransactionMessage } = this.#parts.rules();
    if (isHalf && rejectTransactionMessage) return undefined;
    const topic = this.#parts.view.topics.getByName(isHalf ? HALF_TOPIC : SCHEDULE_TOPIC);
    return topic && { topic, levels: isHalf ? 0 : Math.min(maxDelayLevel, topic.queues.length) };
  }

  /** What was claimed before is not committed, and so is claimed anew. */
  #general(
    connection: Connection,
    request: RequestView,
    topic: TopicView,
    wantedQueue: number,
    offset: number,
    length: number,
  ): number {
    const { writer, sends, awaitLite, lacksCopies } = this.#parts;
    const record = this.#generally.record(request, this.#fields, topic, wantedQueue, connection.host);
    if ('remark' in record) return this.#refuse(connection, request, record.code, record.remark);
    if ('liteQueue' in record) return awaitLite(connection, request, record.liteQueue, offset, length);
    const { bytes, queue, second, queueId, uniqueKey, recallHandle, noWait } = record;
    if (!noWait && lacksCopies()) return this.#refuseWithoutCopies(connection, request);
    const header = second === undefined ? APPEND_HEADER : TWICE_HEADER;
    if (header + bytes.length > writer.maxPayload) {
      return this.#refuse(connection, request, ResponseCode.MESSAGE_ILLEGAL, this.#illegal());
    }
    const claimed = writer.claim(second === undefined ? APPEND : APPEND_TWICE, header + bytes.length);
    if (claimed === FULL) return CUT_BLOCKED;
    writer.bytes.set(bytes, claimed + header);
    if (second !== undefined) writeSecondQueue(writer.view, claimed, second.queue, second.digitsAt);
    // The producer is told the queue that it is to go to.
    const index = this.#remember(connection, request, queueId);
    const key = Buffer.from(uniqueKey);
    sends.setKey(index, key, 0, key.length);
    if (recallHandle !== undefined) sends.recallHandles.set(index, recallHandle);
    if (noWait) sends.flags[index] = (sends.flags[index] as number) | SEND_NO_WAIT;
    this.#commit(claimed, queue, bytes.length, 1, header);
    return CUT_ALL;
  }

  #batch(connection: Connection, request: RequestView, topic: TopicView, queueId: number): number {
    const fields = this.#fields;
    const { writer, sends, maxMessageSize, lacksCopies } = this.#parts;
    if (topic.sends === 'retry') {
      const remark = 'batch request does not support retry group or delays';
      return this.#refuse(connection, request, ResponseCode.MESSAGE_ILLEGAL, remark);
    }
    if (request.bodyLength > maxMessageSize) {
      return this.#refuse(connection, request, ResponseCode.MESSAGE_ILLEGAL, this.#illegal());
    }
    // It becomes no shorter. While there is no room for it, it is not looked at each time that there might be.
    const least = Math.min(APPEND_HEADER + request.bodyLength, writer.maxPayload);
    if (writer.claim(APPEND, least) === FULL) return CUT_BLOCKED;
    const sysFlag = withHostFlags(fields.sysFlag, connection.host, this.#parts.storeHost);
    const shape = this.#batchBody;
    const isSound = shape.measure(request, topic.bytes.length, sysFlag) && shape.count > 0;
    if (!isSound) {
      return this.#refuse(connection, request, ResponseCode.MESSAGE_ILLEGAL, this.#illegal());
    }
    if (shape.namesSecondQueue) {
      return this.#refuse(connection, request, ResponseCode.MESSAGE_ILLEGAL, SECOND_QUEUE_REMARK);
    }
    if (lacksCopies()) return this.#refuseWithoutCopies(connection, request);
    if (shape.nul) return this.#refuse(connection, request, ResponseCode.MESSAGE_ILLEGAL, NUL_REMARK);
    if (APPEND_HEADER + shape.bytes > writer.maxPayload) {
      return this.#refuse(connection, request, ResponseCode.MESSAGE_ILLEGAL, this.#illegal());
    }
    const claimed = writer.claim(APPEND, APPEND_HEADER + shape.bytes);
    if (claimed === FULL) return CUT_BLOCKED;
    const sizes = new Int32Array(shape.count);
    let at = claimed + APPEND_HEADER;
    let item = request.bodyOffset;
    for (let i = 0; i < shape.count; i++) {
      item = this.#writer.writeItem(writer, at, request, item, fields, topic, queueId, connection.host);
      sizes[i] = this.#writer.size;
      at += this.#writer.size;
    }
    const index = this.#remember(connection, request, queueId);
    sends.batchSizes.set(index, sizes);
    this.#commit(claimed, topic.queues[queueId]?.id ?? 0, shape.bytes, shape.count);
    return CUT_ALL;
  }

  /** Takes the next place among the sends under way; returns its index. */
  #remember(connection: Connection, request: RequestView, queueId: number): number {
    const { sends } = this.#parts;
    const index = sends.indexOf(sends.tail);
    sends.clear(index);
    sends.slot[index] = connection.slot;
    sends.generation[index] = connection.generation;
    sends.opaque[index] = request.opaque;
    sends.queueId[index] = queueId;
    sends.call[index] = callOf(request.code);
    sends.sentAt[index] = this.#parts.now();
    sends.flags[index] =
      ((request.flag & FLAG_ONEWAY) !== 0 ? SEND_ONEWAY : 0) |
      (request.serializeType === SERIALIZE_BINARY ? SEND_BINARY : 0);
    return index;
  }

  /** Completes the request claimed at `at`; from here on the writer answers it. */
  #commit(at: number, queue: number, bytes: number, count: number, header = APPEND_HEADER): void {
    const { writer, sends } = this.#parts;
    writeAppendHead(writer.view, at, sends.tail, queue, bytes, count);
    writer.commitPart(header + bytes);
    sends.tail = (sends.tail + 1) | 0;
  }

  /** The queue to use, or -1 when the id is out of range; a negative id means "any". */
  #queueOf(topic: TopicView, wanted: number): number {
    if (wanted >= Math.max(topic.readQueueNums, topic.writeQueueNums)) return -1;
    if (wanted >= 0) return wanted;
    this.#turn = (this.#turn + 1) & 0x7fffffff;
    return this.#turn % Math.max(topic.writeQueueNums, 1);
  }

  #illegal(): string {
    return (
      'the message is illegal, maybe msg body or properties length not matched. ' +
      `msg body length limit ${this.#parts.maxMessageSize}B, msg properties length limit 32KB.`
    );
  }

  /** No message is taken now. */
  #refuseWrite(connection: Connection, request: RequestView): number {
    const { notWritableRemark } = this.#parts.view.settings;
    return this.#refuse(connection, request, ResponseCode.SERVICE_NOT_AVAILABLE, notWritableRemark);
  }

  #refuseWithoutCopies(connection: Connection, request: RequestView): number {
    return this.#refuse(connection, request, ResponseCode.SYSTEM_ERROR, TOO_FEW_COPIES_REMARK);
  }

  #refuse(connection: Connection, request: RequestView, code: number, remark: string): number {
    countRefusal(this.#parts.counters, code);
    this.#parts.calls.refused(request, code);
    this.#parts.refusals.note(code, remark, connection.remoteAddress, () =>
      request.fields.text(this.#fields.topic),
    );
    if ((request.flag & FLAG_ONEWAY) === 0)
      connection.append(encodeCommand(responseTo(request, code, remark, this.#identity)));
    return CUT_ALL;
  }
}

function badQueue(topic: TopicView, fields: SendFields): string {
  return (
    `request queueId[${fields.queueId}] is illegal, topic: ${topic.name} has ` +
    `${topic.readQueueNums} read and ${topic.writeQueueNums} write queues`
  );
}
