/**
 * UPDATE_AND_CREATE_SUBSCRIPTIONGROUP (200), its list form (225), DELETE_SUBSCRIPTIONGROUP (207) and
 * UPDATE_AND_GET_GROUP_FORBIDDEN (353). Answered when it is on disk.
 */

import {
  groupNameProblem,
  illegalGroup,
  isGroupName,
  isTopicName,
  topicNameProblem,
} from '../../lib/names.ts';
import { type GroupConfig, groupConfigFromJson } from '../../metadata/group-config.ts';
import { ResponseCode } from '../../protocol/codes.ts';
import { asArray, asObject, parseBody } from '../../protocol/json-fields.ts';
import {
  booleanField,
  RequestError,
  requiredText,
  succeed,
  succeedWith,
  textField,
} from '../../protocol/request-fields.ts';
import { askerOf, type BrokerHandler } from '../context.ts';

export const updateGroup: BrokerHandler = async (context, request, connection) => {
  const config = groupConfigFromJson(parseBody(request.body));
  if (config === undefined) return succeed(request);
  checkName(config);
  context.groups.update(config, askerOf(request, connection));
  await context.groups.saved();
  return succeed(request);
};

export const updateGroups: BrokerHandler = async (context, request, connection) => {
  const body = asObject(parseBody(request.body));
  const configs = asArray(body?.['groupConfigList']).flatMap((value) => groupConfigFromJson(value) ?? []);
  for (const config of configs) checkName(config);
  for (const config of configs) context.groups.update(config, askerOf(request, connection));
  await context.groups.saved();
  return succeed(request);
};

export const deleteGroup: BrokerHandler = async (context, request, connection) => {
  const group = requiredText(request, 'groupName');
  context.groups.delete(group, askerOf(request, connection));
  context.stats.removeGroup(group);
  if (booleanField(request, 'cleanOffset', false)) {
    context.offsets.removeGroup(group);
    context.offsets.persist();
  }
  await Promise.all([context.groups.saved(), context.offsets.saved()]);
  return succeed(request);
};

/** Without `readable` it only tells. */
export const groupForbidden: BrokerHandler = async (context, request, connection) => {
  const group = requiredText(request, 'group');
  const topic = requiredText(request, 'topic');
  if (textField(request, 'readable') !== undefined) {
    if (!isGroupName(group)) throw new RequestError(ResponseCode.INVALID_PARAMETER, illegalGroup(group));
    const problem = isTopicName(topic) ? undefined : topicNameProblem(topic);
    if (problem !== undefined) throw new RequestError(ResponseCode.INVALID_PARAMETER, problem);
    const readable = booleanField(request, 'readable', true);
    context.groups.setMayRead(group, topic, readable);
    const what = readable ? 'group may read a topic again' : 'group may not read a topic any more';
    context.log.info({ group, topic, ...askerOf(request, connection) }, what);
    await context.groups.saved();
  }
  return succeedWith(request, { group, readable: context.groups.mayRead(group, topic), topic });
};

function checkName(config: GroupConfig): void {
  const problem = groupNameProblem(config.groupName);
  if (problem !== undefined) throw new RequestError(ResponseCode.INVALID_PARAMETER, problem);
}
