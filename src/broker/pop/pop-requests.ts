/**
 * Pops and what belongs to them (200050 to 200055, 200151) in a network thread: fields are read and checked here, then
 * their owner, the delivery agent, is asked.
 */
import type {
  AckGroup,
  ChangeQuestion,
  LookQuestion,
  PollingQuestion,
  PopQuestion,
} from '../../delivery/pop/pop-questions.ts';
import { limitRemark, MAX_BATCH_ACK_BYTES } from '../../lib/limits.ts';
import { popRetryTopicOf } from '../../lib/names.ts';
import type { Connection } from '../../net/connection.ts';
import { RequestCode, ResponseCode } from '../../protocol/codes.ts';
import { CUT_ALL, CUT_BLOCKED } from '../../protocol/frame-cutter.ts';
import type { RequestView } from '../../protocol/request-view.ts';
import {
  ACK_NAMES,
  emptyAck,
  POP,
  POP_ACK,
  POP_ACKS,
  POP_CHANGE,
  POP_NOTIFICATION,
  POP_PEEK,
  POP_POLLING,
  QUESTION_PARKS,
  writeAck,
} from '../../ring/question-records.ts';
import { FULL } from '../../ring/spsc-ring.ts';
import type { QueueDirectory } from '../../store/queue/queue-directory.ts';
import type { DeliveryQuestions } from '../delivery-questions.ts';
import type { AnnouncedSubscriptions } from '../pull/announced-subscriptions.ts';
import type { NetworkView, TopicView } from '../view/network-view.ts';
import { parseBatchAcks } from './batch-acks.ts';
import {
  attemptProblem,
  checkFilter,
  checkGroup,
  checkTopic,
  invisibleProblem,
  isRefusal,
  MAX_POPPED,
  missingField,
  pollTimeOf,
  popProblem,
  READ,
  type Refusal,
  refusal,
  type Target,
} from './pop-checks.ts';
import { PoppedMessage } from './popped-message.ts';
import { ORDERED } from './receipt.ts';

export interface PopRequestParts {
  view: NetworkView;
  questions: DeliveryQuestions;
  directory: QueueDirectory;
  subscriptions: AnnouncedSubscriptions;
  reviveTopic: Uint8Array;
  /** Parks the frame until control has made the group. */
  awaitGroup: (
    connection: Connection,
    request: RequestView,
    name: string,
    offset: number,
    length: number,
  ) => number;
}

export class PopRequests {
  readonly #parts: PopRequestParts;
  readonly #ack = emptyAck();
  readonly #popped: PoppedMessage;

  constructor(parts: PopRequestParts) {
    this.#parts = parts;
    this.#popped = new PoppedMessage(parts.view, parts.directory);
  }

  /** CUT_ALL or CUT_BLOCKED; the request's frame is bytes[offset, +length). */
  handle(connection: Connection, request: RequestView, offset: number, length: number): number {
    switch (request.code) {
      case RequestCode.POP_MESSAGE:
        return this.#pop(connection, request, offset, length);
      case RequestCode.ACK_MESSAGE:
        return this.#acknowledge(connection, request);
      case RequestCode.BATCH_ACK_MESSAGE:
        return this.#acknowledgeAll(connection, request);
      case RequestCode.CHANGE_MESSAGE_INVISIBLETIME:
        return this.#change(connection, request);
      case RequestCode.POLLING_INFO:
        return this.#polling(connection, request, offset, length);
      default:
        return this.#look(connection, request, offset, length);
    }
  }

  #pop(connection: Connection, request: RequestView, offset: number, length: number): number {
    const numbers = ['queueId', 'maxMsgNums', 'invisibleTime', 'pollTime', 'initMode'];
    const problem =
      missingField(request, ['consumerGroup', 'topic'], numbers) ??
      attemptProblem(request) ??
      popProblem(this.#parts.view.settings, request, 'maxMsgNums');
    if (problem !== undefined) return this.#refuse(connection, request, problem);
    const target = this.#target(request, 'peeking message');
    if (target === undefined) return this.#awaitGroup(connection, request, offset, length);
    const filter = isRefusal(target) ? undefined : checkFilter(request);
    if (isRefusal(target)) return this.#refuse(connection, request, target);
    if (isRefusal(filter)) return this.#refuse(connection, request, filter);
    const { topic, group } = target;
    const question: PopQuestion = {
      topic: topic.name,
      group: group.config.name,
      queueId: target.queueId,
      filter,
      queues: topic.readQueueNums,
      pollTime: pollTimeOf(request),
      order: isTrue(request, 'order'),
      attemptId: request.text('attemptId') || undefined,
      maxCount: Math.max(1, request.integer('maxMsgNums')),
      invisibleTime: request.integer('invisibleTime'),
      fromNewest: request.integer('initMode') !== 0,
      priority: topic.priority && !isTrue(request, 'order'),
    };
    this.#parts.subscriptions.tell({
      group: question.group,
      topic: question.topic,
      subVersion: 0,
      expression: filter?.expression ?? '*',
      expressionType: filter?.type ?? 'TAG',
    });
    return this.#ask(connection, request, POP, question, QUESTION_PARKS);
  }

  /** Undefined: the group is not known here. */
  #target(request: RequestView, what: string): Target | Refusal | undefined {
    const { view } = this.#parts;
    const topic = checkTopic(view, request, what);
    if (isRefusal(topic)) return topic;
    const group = checkGroup(view, request);
    if (group === undefined || isRefusal(group)) return group;
    if (group.forbidden.has(topic.name)) {
      const remark = `the consumer group[${group.config.name}] is forbidden for topic[${topic.name}]`;
      return refusal(ResponseCode.NO_PERMISSION, remark);
    }
    const queueId = Math.max(-1, request.integer('queueId'));
    return { topic, group, queueId };
  }

  /** NOTIFICATION, which says whether there is something, and PEEK, which shows it and takes nothing. */
  #look(connection: Connection, request: RequestView, offset: number, length: number): number {
    const peeks = request.code === RequestCode.PEEK_MESSAGE;
    const numbers = peeks ? ['queueId', 'maxMsgNums'] : ['queueId', 'pollTime'];
    const problem =
      missingField(request, ['consumerGroup', 'topic'], numbers) ??
      attemptProblem(request) ??
      this.#forbidden();
    if (problem !== undefined) return this.#refuse(connection, request, problem);
    const target = this.#target(request, 'peeking message');
    if (target === undefined) return this.#awaitGroup(connection, request, offset, length);
    const filter = isRefusal(target) ? undefined : checkFilter(request);
    if (isRefusal(target)) return this.#refuse(connection, request, target);
    if (isRefusal(filter)) return this.#refuse(connection, request, filter);
    const { topic, group, queueId } = target;
    const question: LookQuestion = {
      ...{ topic: topic.name, group: group.config.name, queueId, queues: topic.readQueueNums, filter },
      pollTime: peeks ? 0 : pollTimeOf(request),
      order: isTrue(request, 'order'),
      attemptId: request.text('attemptId') || undefined,
      maxCount: peeks ? Math.min(Math.max(1, request.integer('maxMsgNums')), MAX_POPPED) : 1,
    };
    return this.#ask(connection, request, peeks ? POP_PEEK : POP_NOTIFICATION, question, QUESTION_PARKS);
  }

  #forbidden(): Refusal | undefined {
    const { brokerPermission, waiting } = this.#parts.view.settings;
    if ((brokerPermission & READ) !== 0) return undefined;
    return refusal(
      ResponseCode.NO_PERMISSION,
      `the broker[${waiting.brokerIp}] peeking message is forbidden`,
    );
  }

  #polling(connection: Connection, request: RequestView, offset: number, length: number): number {
    const missing = missingField(request, ['consumerGroup', 'topic'], ['queueId']) ?? this.#forbidden();
    if (missing !== undefined) return this.#refuse(connection, request, missing);
    const target = this.#target(request, 'peeking message');
    if (target === undefined) return this.#awaitGroup(connection, request, offset, length);
    if (isRefusal(target)) return this.#refuse(connection, request, target);
    const { topic, group, queueId } = target;
    const question: PollingQuestion = { topic: topic.name, group: group.config.name, queueId };
    return this.#ask(connection, request, POP_POLLING, question);
  }

  #acknowledge(connection: Connection, request: RequestView): number {
    const popped = this.#popped;
    const problem = popped.read(request, this.#reviveQueues);
    if (problem !== undefined) return this.#refuse(connection, request, problem);
    const { receipt, fields } = popped;
    const name = (popped.topic as TopicView).bytes;
    const group = bytesOf(request, fields.group);
    const { questions } = this.#parts;
    const length = ACK_NAMES + name.length + group.length;
    const at = questions.claim(connection, request, POP_ACK, length);
    if (at === FULL) return CUT_BLOCKED;
    const ack = this.#ack;
    ack.offset = fields.offset;
    ack.queueId = fields.queueId;
    ack.startOffset = receipt.startOffset;
    ack.popTime = receipt.popTime;
    ack.invisibleTime = receipt.invisibleTime;
    ack.reviveQueueId = receipt.reviveQueueId;
    ack.topicLength = name.length;
    ack.groupLength = group.length;
    const { view, bytes } = questions.up;
    writeAck(view, at, ack);
    bytes.set(name, at + ACK_NAMES);
    bytes.set(group, at + ACK_NAMES + name.length);
    questions.commit();
    return CUT_ALL;
  }

  #range(topic: TopicView, queueId: number): [min: number, max: number] {
    const queue = topic.queues[queueId];
    const { directory } = this.#parts;
    return queue === undefined ? [0, 0] : [directory.minimum(queue.id), directory.maximum(queue.id)];
  }

  get #reviveQueues(): number {
    const { view, reviveTopic } = this.#parts;
    return view.topics.get(reviveTopic, 0, reviveTopic.length)?.readQueueNums ?? 0;
  }

  /** What of it is out of range is left out, as RocketMQ does. */
  #acknowledgeAll(connection: Connection, request: RequestView): number {
    if (request.bodyLength > MAX_BATCH_ACK_BYTES) {
      const limit = limitRemark('bytes in a request with acks', MAX_BATCH_ACK_BYTES, 'MAX_BATCH_ACK_BYTES');
      return this.#refuse(connection, request, refusal(ResponseCode.MESSAGE_ILLEGAL, limit));
    }
    const { bytes, bodyOffset, bodyLength } = request;
    const acks = parseBatchAcks(bytes.subarray(bodyOffset, bodyOffset + bodyLength));
    if (typeof acks === 'string') {
      return this.#refuse(connection, request, refusal(ResponseCode.NO_MESSAGE, acks));
    }
    const valid: AckGroup[] = [];
    for (const { retry, ...ack } of acks) {
      const name = retry ? popRetryTopicOf(ack.topic, ack.group) : ack.topic;
      const topic = this.#parts.view.topics.getByName(name);
      if (topic === undefined || this.#parts.view.groups.getByName(ack.group) === undefined) continue;
      const [min, max] = this.#range(topic, ack.queueId);
      const offsets = ack.offsets.filter((offset) => offset >= min && offset <= max);
      const isKnown = ack.reviveQueueId < this.#reviveQueues || ack.reviveQueueId === ORDERED;
      if (offsets.length > 0 && isKnown) valid.push({ ...ack, topic: name, offsets });
    }
    return this.#ask(connection, request, POP_ACKS, { acks: valid });
  }

  #change(connection: Connection, request: RequestView): number {
    const popped = this.#popped;
    const problem =
      popped.read(request, this.#reviveQueues) ??
      missingField(request, [], ['invisibleTime']) ??
      invisibleProblem(this.#parts.view.settings, request);
    if (problem !== undefined) return this.#refuse(connection, request, problem);
    const { receipt, fields } = popped;
    const { startOffset, popTime, reviveQueueId } = receipt;
    const question: ChangeQuestion = {
      ...{ topic: (popped.topic as TopicView).name, group: request.text('consumerGroup') },
      ...{ queueId: fields.queueId, offset: fields.offset, startOffset, popTime, reviveQueueId },
      oldInvisibleTime: receipt.invisibleTime,
      invisibleTime: request.integer('invisibleTime'),
      suspend: isTrue(request, 'suspend'),
    };
    return this.#ask(connection, request, POP_CHANGE, question);
  }

  #ask(connection: Connection, request: RequestView, type: number, question: object, flags = 0): number {
    return this.#parts.questions.ask(connection, request, type, question, flags) ? CUT_ALL : CUT_BLOCKED;
  }

  #awaitGroup(connection: Connection, request: RequestView, offset: number, length: number): number {
    return this.#parts.awaitGroup(connection, request, request.text('consumerGroup'), offset, length);
  }

  #refuse(connection: Connection, request: RequestView, { code, remark }: Refusal): number {
    this.#parts.questions.refuse(connection, request, code, remark);
    return CUT_ALL;
  }
}

/** The UTF-8 text of a field. */
function bytesOf({ fields }: RequestView, field: number): Uint8Array {
  if (fields.isEscaped(field)) return Buffer.from(fields.text(field));
  const at = fields.valueStart(field);
  return fields.bytes.subarray(at, at + (fields.valueLength[field] as number));
}

function isTrue(request: RequestView, name: string): boolean {
  return request.text(name).toLowerCase() === 'true';
}
