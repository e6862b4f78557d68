/** What is checked of pops and what belongs to them before their owner is asked: RocketMQ's checks in its order. */
import { expressionProblem, TAG } from '../../clients/parsed-filters.ts';
import type { PopFilter } from '../../delivery/pop/pop-questions.ts';
import { limitRemark, MAX_ATTEMPT_ID, MAX_EXPRESSION } from '../../lib/limits.ts';
import { ResponseCode } from '../../protocol/codes.ts';
import { ABSENT } from '../../protocol/field-table.ts';
import type { RequestView } from '../../protocol/request-view.ts';
import { type GroupView, lookUp, type NetworkView, type TopicView } from '../view/network-view.ts';

export interface Refusal {
  code: number;
  remark: string;
}

export interface Target {
  topic: TopicView;
  group: GroupView;
  /** Below 0: all queues. */
  queueId: number;
}

const MAX_INT32 = 0x7f_ff_ff_ff;

export function refusal(code: number, remark: string): Refusal {
  return { code, remark };
}

export function isRefusal(outcome: object | undefined): outcome is Refusal {
  return outcome !== undefined && 'code' in outcome && 'remark' in outcome;
}

/** The first of these fields that is missing, or no number where one has to stand. */
export function missingField(
  request: RequestView,
  texts: readonly string[],
  numbers: readonly string[],
): Refusal | undefined {
  const missing =
    texts.find((name) => !request.has(name)) ??
    numbers.find((name) => !Number.isSafeInteger(request.integer(name)));
  if (missing === undefined) return undefined;
  return refusal(ResponseCode.SYSTEM_ERROR, `the custom field <${missing}> is null`);
}

/** Each queue that an ordered group has popped holds one. */
export function attemptProblem(request: RequestView): Refusal | undefined {
  const { fields } = request;
  const place = fields.find('attemptId');
  if (place === ABSENT || (fields.valueLength[place] as number) <= MAX_ATTEMPT_ID) return undefined;
  const remark = limitRemark('bytes in an attemptId', MAX_ATTEMPT_ID, 'MAX_ATTEMPT_ID');
  return refusal(ResponseCode.INVALID_PARAMETER, remark);
}

/** The topic that is named, whose queue may be read. */
export function checkTopic(view: NetworkView, request: RequestView, what: string): TopicView | Refusal {
  const place = request.fields.find('topic');
  const topic = lookUp(view.topics, request.fields, place);
  if (topic === undefined) {
    return refusal(
      ResponseCode.TOPIC_NOT_EXIST,
      `topic[${request.fields.text(place)}] not exist, apply first please!`,
    );
  }
  const { name } = topic;
  if ((topic.perm & 4) === 0) {
    return refusal(ResponseCode.NO_PERMISSION, `the topic[${name}] ${what} is forbidden`);
  }
  const queueId = request.integer('queueId');
  if (queueId >= topic.readQueueNums || queueId < -MAX_INT32) {
    const remark = `queueId[${queueId}] is illegal, topic:[${name}] topicConfig.readQueueNums:[${topic.readQueueNums}]`;
    return refusal(ResponseCode.INVALID_PARAMETER, remark);
  }
  return topic;
}

/** The group may consume; undefined when this thread does not know it. */
export function checkGroup(view: NetworkView, request: RequestView): GroupView | Refusal | undefined {
  const group = lookUp(view.groups, request.fields, request.fields.find('consumerGroup'));
  if (group === undefined || group.config.consumeEnable) return group;
  return refusal(ResponseCode.NO_PERMISSION, `subscription group no permission, ${group.config.name}`);
}

/** Undefined: every message. */
export function checkFilter(request: RequestView): PopFilter | Refusal | undefined {
  const { fields } = request;
  const place = fields.find('exp');
  if (place === ABSENT || fields.valueLength[place] === 0) return undefined;
  if ((fields.valueLength[place] as number) > MAX_EXPRESSION) {
    const remark = limitRemark('bytes in a subscription expression', MAX_EXPRESSION, 'MAX_EXPRESSION');
    return refusal(ResponseCode.SUBSCRIPTION_PARSE_FAILED, remark);
  }
  const expression = fields.text(place);
  const type = (request.has('expType') ? request.text('expType') : '') || TAG;
  const problem = expressionProblem(type, expression);
  if (problem !== undefined) return refusal(ResponseCode.SUBSCRIPTION_PARSE_FAILED, problem);
  return type === TAG && expression.trim() === '*' ? undefined : { type, expression };
}
