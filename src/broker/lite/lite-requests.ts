/**
 * Pops of lite topics and the subscriptions to them (200070, 200071) in a network thread: fields are read and checked
 * here in RocketMQ's order, then their owner, the delivery agent, is asked.
 */
import type { LiteNotice, LiteQuestion, LiteSubscriptions } from '../../delivery/lite/lite-questions.ts';
import { limitRemark, MAX_CLIENT_ID, MAX_LITE_SUBSCRIPTION_BYTES } from '../../lib/limits.ts';
import { LITE_QUEUE_ID, liteNamesIn } from '../../lib/lite-names.ts';
import { isBlank } from '../../lib/names.ts';
import type { Connection } from '../../net/connection.ts';
import { RequestCode, ResponseCode } from '../../protocol/codes.ts';
import { encodeCommand } from '../../protocol/command-codec.ts';
import { CUT_ALL, CUT_BLOCKED } from '../../protocol/frame-cutter.ts';
import { newOnewayRequest } from '../../protocol/outgoing.ts';
import type { RequestView } from '../../protocol/request-view.ts';
import { LITE_SUBSCRIBE, POP_LITE, QUESTION_PARKS } from '../../ring/question-records.ts';
import { type DeliveryQuestions, readJson } from '../delivery-questions.ts';
import {
  attemptProblem,
  bindProblem,
  checkGroup,
  checkTopic,
  isRefusal,
  missingField,
  pollTimeOf,
  popProblem,
  type Refusal,
  refusal,
} from '../pop/pop-checks.ts';
import type { PopRequestParts } from '../pop/pop-requests.ts';
import type { NetworkView, TopicView } from '../view/network-view.ts';
import { parseLiteSubscriptions } from './lite-subscriptions.ts';

/** What `rules` of a group without attributes are. */
const NO_RULES = { exclusive: false, resetOnTakeOver: false, resetOnUnsubscribe: false, wildcard: false };
const WILDCARD_REMARK =
  'subscribe lite operation is not supported for this group: it has all lite topics (lite.sub.wildcard)';
const NUMBERS = ['maxMsgNum', 'invisibleTime', 'pollTime'];

export interface LiteRequestParts {
  view: NetworkView;
  questions: DeliveryQuestions;
  /** Parks the frame until control has made the group. */
  awaitGroup: PopRequestParts['awaitGroup'];
}

export class LiteRequests {
  readonly #parts: LiteRequestParts;
  #opaque = 0;

  constructor(parts: LiteRequestParts) {
    this.#parts = parts;
  }

  /** CUT_ALL or CUT_BLOCKED. */
  handle(connection: Connection, request: RequestView, offset: number, length: number): number {
    return request.code === RequestCode.POP_LITE_MESSAGE
      ? this.#pop(connection, request, offset, length)
      : this.#subscribe(connection, request);
  }

  #pop(connection: Connection, request: RequestView, offset: number, length: number): number {
    const topic = this.#topicOf(request);
    if (isRefusal(topic)) return this.#refuse(connection, request, topic);
    const group = checkGroup(this.#parts.view, request);
    const name = request.text('consumerGroup');
    if (group === undefined) return this.#parts.awaitGroup(connection, request, name, offset, length);
    const problem = isRefusal(group) ? group : bindProblem(group.config.lite, name, topic.name);
    if (problem !== undefined) return this.#refuse(connection, request, problem);
    const question: LiteQuestion = {
      ...{ clientId: request.text('clientId'), group: request.text('consumerGroup') },
      ...{ topic: request.text('topic'), queueId: LITE_QUEUE_ID, order: true },
      maxCount: request.integer('maxMsgNum'),
      invisibleTime: request.integer('invisibleTime'),
      pollTime: pollTimeOf(request),
      attemptId: request.text('attemptId') || undefined,
    };
    return this.#ask(connection, request, POP_LITE, question, QUESTION_PARKS);
  }

  /** The parent of the lite topics, or what is wrong whatever the group is. */
  #topicOf(request: RequestView): TopicView | Refusal {
    const { view } = this.#parts;
    const problem =
      missingField(request, ['clientId', 'consumerGroup', 'topic'], NUMBERS) ??
      clientProblem(request.text('clientId')) ??
      attemptProblem(request) ??
      popProblem(view.settings, request, 'maxMsgNum');
    if (problem !== undefined) return problem;
    const topic = checkTopic(view, request, 'peeking message');
    if (isRefusal(topic) || topic.lite) return topic;
    const remark = `the topic [${topic.name}] message type not match: its message.type is not LITE`;
    return refusal(ResponseCode.INVALID_PARAMETER, remark);
  }

  #subscribe(connection: Connection, request: RequestView): number {
    const asked = this.#entries(request);
    return isRefusal(asked)
      ? this.#refuse(connection, request, asked)
      : this.#ask(connection, request, LITE_SUBSCRIBE, asked);
  }

  #entries(request: RequestView): LiteSubscriptions | Refusal {
    const { bytes, bodyOffset, bodyLength } = request;
    if (bodyLength === 0) return refusal(ResponseCode.ILLEGAL_OPERATION, 'Request body is null.');
    if (bodyLength > MAX_LITE_SUBSCRIPTION_BYTES) {
      const bound = MAX_LITE_SUBSCRIPTION_BYTES;
      const remark = limitRemark(
        'bytes in subscriptions to lite topics',
        bound,
        'MAX_LITE_SUBSCRIPTION_BYTES',
      );
      return refusal(ResponseCode.ILLEGAL_OPERATION, remark);
    }
    const asked = parseLiteSubscriptions(bytes.subarray(bodyOffset, bodyOffset + bodyLength));
    if (isRefusal(asked)) return asked;
    const entries = asked.map((entry) => {
      const config = this.#parts.view.groups.getByName(entry.group)?.config;
      return {
        entry: { ...entry, rules: config?.lite ?? NO_RULES },
        mayConsume: config?.consumeEnable === true,
      };
    });
    if (entries.some(({ entry, mayConsume }) => entry.action.endsWith('_ADD') && !mayConsume))
      return refusal(ResponseCode.ILLEGAL_OPERATION, 'Consumer group is not allowed to consume.');
    if (entries.some(({ entry }) => entry.action === 'PARTIAL_ADD' && entry.rules.wildcard))
      return refusal(ResponseCode.ILLEGAL_OPERATION, WILDCARD_REMARK);
    return { entries: entries.map(({ entry }) => entry) };
  }

  /** An answer LITE_NOTICE of the owner: see AnswerTaker. */
  readonly tell = (connection: Connection, _: unknown, bytes: Uint8Array, at: number, to: number): void => {
    const { clientId, group, queue } = readJson<LiteNotice>(bytes, at, to);
    this.#opaque = (this.#opaque + 1) & 0x7fffffff;
    const fields = { liteTopic: liteNamesIn(queue)?.liteTopic ?? '', consumerGroup: group, clientId };
    const notice = newOnewayRequest(RequestCode.NOTIFY_UNSUBSCRIBE_LITE, fields);
    connection.append(encodeCommand({ ...notice, opaque: this.#opaque }));
  };

  #ask(connection: Connection, request: RequestView, type: number, question: object, flags = 0): number {
    return this.#parts.questions.ask(connection, request, type, question, flags) ? CUT_ALL : CUT_BLOCKED;
  }

  #refuse(connection: Connection, request: RequestView, { code, remark }: Refusal): number {
    this.#parts.questions.refuse(connection, request, code, remark);
    return CUT_ALL;
  }
}

function clientProblem(clientId: string): Refusal | undefined {
  if (!isBlank(clientId) && clientId.length <= MAX_CLIENT_ID) return undefined;
  const limit = limitRemark('characters in a client id', MAX_CLIENT_ID, 'MAX_CLIENT_ID');
  return refusal(ResponseCode.INVALID_PARAMETER, isBlank(clientId) ? 'the clientId is blank' : limit);
}
