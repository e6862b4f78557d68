/** What is wrong with a pull, as RocketMQ checks it, in its order. */
import { ResponseCode } from '../../protocol/codes.ts';
import type { SettingsDelta } from '../view/deltas.ts';
import type { GroupView, TopicView } from '../view/network-view.ts';
import type { PullFields } from './pull-fields.ts';
import type { Refusal } from './pull-filters.ts';

const READ_ELSEWHERE =
  'this broker is a slave that is not read (slaveReadEnable=false): ask its master, or set slaveReadEnable=true.';

/** `text`: the text of a field. Undefined when the pull may be answered. */
export function pullRefusal(
  settings: SettingsDelta,
  fields: PullFields,
  group: GroupView | undefined,
  topic: TopicView | undefined,
  text: (field: number) => string,
): Refusal | undefined {
  if ((settings.brokerPermission & 4) === 0) {
    return { code: ResponseCode.NO_PERMISSION, remark: 'the broker pulling message is forbidden' };
  }
  if (group === undefined || !group.config.consumeEnable) {
    return {
      code: ResponseCode.NO_PERMISSION,
      remark: `subscription group no permission, ${text(fields.group)}`,
      forbiddenType: 2,
    };
  }
  if (topic === undefined) {
    return {
      code: ResponseCode.TOPIC_NOT_EXIST,
      remark: `topic[${text(fields.topic)}] not exist, apply first please!`,
    };
  }
  if (settings.readElsewhere) {
    return { code: ResponseCode.SERVICE_NOT_AVAILABLE, remark: READ_ELSEWHERE };
  }
  if ((topic.perm & 4) === 0) {
    return {
      code: ResponseCode.NO_PERMISSION,
      remark: `the topic[${topic.name}] pulling message is forbidden`,
      forbiddenType: 3,
    };
  }
  if (fields.queueId < 0 || fields.queueId >= topic.readQueueNums) {
    return {
      code: ResponseCode.INVALID_PARAMETER,
      remark: `queueId[${fields.queueId}] is illegal, topic:[${topic.name}] topicConfig.readQueueNums:[${topic.readQueueNums}]`,
    };
  }
  return undefined;
}
