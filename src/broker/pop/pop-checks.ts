/** What is checked of pops and what belongs to them before their owner is asked: RocketMQ's checks in its order. */
import { expressionProblem, TAG } from '../../clients/parsed-filters.ts';
import type { PopFilter } from '../../delivery/pop/pop-questions.ts';
import { limitRemark, MAX_ATTEMPT_ID, MAX_EXPRESSION, MAX_SUSPEND_MS } from '../../lib/limits.ts';
import type { LiteGroup } from '../../metadata/lite-group.ts';
import { ResponseCode } from '../../protocol/codes.ts';
import { ABSENT } from '../../protocol/field-table.ts';
import type { RequestView } from '../../protocol/request-view.ts';
import type { SettingsDelta } from '../view/deltas.ts';
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

/** Messages of one pop. */
export const MAX_POPPED = 32;
/** Of a permission. */
export const READ = 4;
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

/** What is wrong with a pop whatever its topic and group are; `count`: the field that says how many messages. */
export function popProblem(
  settings: SettingsDelta,
  request: RequestView,
  count: string,
): Refusal | undefined {
  const { brokerPermission, waiting } = settings;
  const broker = `the broker[${waiting.brokerIp}]`;
  if ((brokerPermission & READ) === 0) {
    return refusal(ResponseCode.NO_PERMISSION, `${broker} pop message is forbidden`);
  }
  if (request.integer(count) > MAX_POPPED) {
    const remark = `${broker} pop message's num is greater than ${MAX_POPPED}`;
    return refusal(ResponseCode.INVALID_PARAMETER, remark);
  }
  if (!waiting.timerWheelEnable) {
    const remark = `${broker} pop message is forbidden because timerWheelEnable is false`;
    return refusal(ResponseCode.SYSTEM_ERROR, remark);
  }
  return invisibleProblem(settings, request);
}

/** The checkpoint waits in the timer until the message is visible again. */
export function invisibleProblem({ waiting }: SettingsDelta, request: RequestView): Refusal | undefined {
  const most = waiting.timerMaxDelaySec * 1_000;
  const invisibleTime = request.integer('invisibleTime');
  if (invisibleTime > 0 && invisibleTime <= most) return undefined;
  const remark = `the invisibleTime of ${invisibleTime} ms must be above 0 and at most ${most} (timerMaxDelaySec)`;
  return refusal(ResponseCode.INVALID_PARAMETER, remark);
}

/** Ms for which the request waits for messages. */
export function pollTimeOf(request: RequestView): number {
  return Math.min(Math.max(0, request.integer('pollTime')), MAX_SUSPEND_MS);
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
  if ((topic.perm & READ) === 0) {
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

/** Why the group does not consume the lite topics of this parent; undefined: it does. */
export function bindProblem(lite: LiteGroup | undefined, group: string, topic: string): Refusal | undefined {
  if (lite?.bindTopic === topic) return undefined;
  const remark = `subscription bind topic not match, ${group}: its attribute lite.bind.topic is not ${topic}`;
  return refusal(ResponseCode.INVALID_PARAMETER, remark);
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
