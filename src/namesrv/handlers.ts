/** The table of contents of the name server: which request is served where. */

import type { ControlLog } from '../lib/log.ts';
import { RequestCode, ResponseCode } from '../protocol/codes.ts';
import { responseTo } from '../protocol/command.ts';
import { ProtocolError } from '../protocol/errors.ts';
import { checkTexts, RequestError } from '../protocol/request-fields.ts';
import { audited } from '../remoting/audit.ts';
import type { ControlHandler } from '../remoting/connection.ts';
import type { HandlerTable } from '../remoting/dispatch.ts';
import {
  brokerHeartbeat,
  getBrokerMemberGroup,
  queryDataVersion,
  registerBroker,
  registerTopic,
  unregisterBroker,
} from './broker-handlers.ts';
import { deleteKv, getKv, getSettings, listKv, putKv, updateSettings } from './config-handlers.ts';
import type { NameServerHandler, NameServerState } from './state.ts';
import {
  addWritePerm,
  deleteTopic,
  getAllTopics,
  getClusterInfo,
  getSystemTopics,
  getTopicRoute,
  getTopicsByCluster,
  getUnitSubNonUnitTopics,
  getUnitSubTopics,
  getUnitTopics,
  wipeWritePerm,
} from './topic-handlers.ts';

const handlers: readonly (readonly [number, NameServerHandler])[] = [
  [RequestCode.PUT_KV_CONFIG, putKv],
  [RequestCode.GET_KV_CONFIG, getKv],
  [RequestCode.DELETE_KV_CONFIG, deleteKv],
  [RequestCode.REGISTER_BROKER, registerBroker],
  [RequestCode.UNREGISTER_BROKER, unregisterBroker],
  [RequestCode.GET_ROUTEINFO_BY_TOPIC, getTopicRoute],
  [RequestCode.GET_BROKER_CLUSTER_INFO, getClusterInfo],
  [RequestCode.WIPE_WRITE_PERM_OF_BROKER, wipeWritePerm],
  [RequestCode.GET_ALL_TOPIC_LIST_FROM_NAMESERVER, getAllTopics],
  [RequestCode.DELETE_TOPIC_IN_NAMESRV, deleteTopic],
  [RequestCode.REGISTER_TOPIC_IN_NAMESRV, registerTopic],
  [RequestCode.GET_KVLIST_BY_NAMESPACE, listKv],
  [RequestCode.GET_TOPICS_BY_CLUSTER, getTopicsByCluster],
  [RequestCode.GET_SYSTEM_TOPIC_LIST_FROM_NS, getSystemTopics],
  [RequestCode.GET_UNIT_TOPIC_LIST, getUnitTopics],
  [RequestCode.GET_HAS_UNIT_SUB_TOPIC_LIST, getUnitSubTopics],
  [RequestCode.GET_HAS_UNIT_SUB_UNUNIT_TOPIC_LIST, getUnitSubNonUnitTopics],
  [RequestCode.UPDATE_NAMESRV_CONFIG, updateSettings],
  [RequestCode.GET_NAMESRV_CONFIG, getSettings],
  [RequestCode.QUERY_DATA_VERSION, queryDataVersion],
  [RequestCode.ADD_WRITE_PERM_OF_BROKER, addWritePerm],
  [RequestCode.GET_BROKER_MEMBER_GROUP, getBrokerMemberGroup],
  [RequestCode.BROKER_HEARTBEAT, brokerHeartbeat],
];

/** Codes of the requests that a name server serves. */
export const nameServerCodes: readonly number[] = handlers.map(([code]) => code);

/** `audit` has a line of each administrative request. */
export function nameServerHandlers(state: NameServerState, audit: ControlLog): HandlerTable {
  return new Map(handlers.map(([code, handler]) => [code, audited(code, guarded(state, handler), audit)]));
}

/** What the client did wrong becomes its answer; other errors are for the connection to log and answer. */
function guarded(state: NameServerState, handler: NameServerHandler): ControlHandler {
  return async (request, connection) => {
    try {
      checkTexts(request);
      return await handler(state, request, connection);
    } catch (error) {
      if (error instanceof RequestError) return responseTo(request, error.code, error.message);
      if (error instanceof ProtocolError)
        return responseTo(request, ResponseCode.SYSTEM_ERROR, error.message);
      throw error;
    }
  };
}
