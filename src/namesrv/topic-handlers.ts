/** What clients and admin tools ask about topics and clusters. */

import { ResponseCode } from '../protocol/codes.ts';
import { type RemotingCommand, responseTo } from '../protocol/command.ts';
import { requiredText } from '../protocol/request-fields.ts';
import { ORDER_TOPIC_NAMESPACE } from './kv-config.ts';
import { optionalBoolean } from './request-fields.ts';
import {
  allTopics,
  clusterInfo,
  nearbyRoute,
  routeOf,
  systemTopics,
  topicsOfCluster,
  topicsWithUnitFlags,
  type UnitFlags,
} from './route-views.ts';
import { isReady, type NameServerHandler, success, successWithJson } from './state.ts';

/** MQVersion ordinal of V4_9_4, the first client that reads quoted integer keys. */
const V4_9_4 = 401;

/** 105 */
export const getTopicRoute: NameServerHandler = (state, request) => {
  const topic = requiredText(request, 'topic');
  if (!isReady(state)) return responseTo(request, ResponseCode.SYSTEM_ERROR, 'name server not ready');
  const route = routeOf(state.routes, topic, state.config.supportActingMaster);
  if (route === undefined) {
    const remark = `No topic route info in name server for the topic: ${topic}`;
    return responseTo(request, ResponseCode.TOPIC_NOT_EXIST, remark);
  }
  const orderTopicConf = state.config.orderMessageEnable
    ? state.kvConfig.get(ORDER_TOPIC_NAMESPACE, topic)
    : undefined;
  const complete = orderTopicConf === undefined ? route : { ...route, orderTopicConf };
  const zone = optionalBoolean(request, '__ZONE_MODE') === true ? request.fields['__ZONE_NAME'] : undefined;
  const standard = request.version >= V4_9_4 || optionalBoolean(request, 'acceptStandardJsonOnly') === true;
  return successWithJson(request, zone ? nearbyRoute(complete, zone) : complete, { standard });
};

/** 106 */
export const getClusterInfo: NameServerHandler = (state, request) =>
  successWithJson(request, clusterInfo(state.routes));

/** 206 */
export const getAllTopics: NameServerHandler = (state, request) =>
  state.config.enableAllTopicList ? successWithJson(request, allTopics(state.routes)) : disabled(request);

/** 224 */
export const getTopicsByCluster: NameServerHandler = (state, request) => {
  if (!state.config.enableTopicList) return disabled(request);
  return successWithJson(request, topicsOfCluster(state.routes, requiredText(request, 'cluster')));
};

/** 304 */
export const getSystemTopics: NameServerHandler = (state, request) =>
  successWithJson(request, systemTopics(state.routes));

/** 311 */
export const getUnitTopics = unitTopics(({ unit }) => unit);
/** 312 */
export const getUnitSubTopics = unitTopics(({ unitSub }) => unitSub);
/** 313 */
export const getUnitSubNonUnitTopics = unitTopics(({ unit, unitSub }) => unitSub && !unit);

/** 216: in one cluster, or everywhere. */
export const deleteTopic: NameServerHandler = (state, request, connection) => {
  const topic = requiredText(request, 'topic');
  const clusterName = request.fields['clusterName'];
  if (clusterName) state.routes.deleteTopicInCluster(topic, clusterName);
  else state.routes.topics.deleteTopic(topic);
  const where = clusterName ? { topic, cluster: clusterName } : { topic };
  state.log.info({ ...where, client: connection.remoteAddress }, 'topic taken out of the routes by request');
  return success(request);
};

/** 205 */
export const wipeWritePerm: NameServerHandler = (state, request, connection) => {
  const broker = requiredText(request, 'brokerName');
  const count = state.routes.wipeWritePerm(broker);
  const who = { broker, topics: count, client: connection.remoteAddress };
  state.log.info(who, 'no messages are to be sent to this broker any more: its topics may only be read');
  return success(request, { wipeTopicCount: String(count) });
};

/** 327 */
export const addWritePerm: NameServerHandler = (state, request, connection) => {
  const broker = requiredText(request, 'brokerName');
  const count = state.routes.addWritePerm(broker);
  const who = { broker, topics: count, client: connection.remoteAddress };
  state.log.info(who, 'messages may be sent to this broker again');
  return success(request, { addTopicCount: String(count) });
};

function unitTopics(matches: (flags: UnitFlags) => boolean): NameServerHandler {
  return (state, request) =>
    state.config.enableTopicList
      ? successWithJson(request, topicsWithUnitFlags(state.routes, matches))
      : disabled(request);
}

function disabled(request: RemotingCommand): RemotingCommand {
  return responseTo(request, ResponseCode.SYSTEM_ERROR, 'disable');
}
