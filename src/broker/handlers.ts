/** The table of contents: which request code means what. Sends and pulls are served by the network threads. */

import type { ControlLog } from '../lib/log.ts';
import { RequestCode, ResponseCode } from '../protocol/codes.ts';
import { type RemotingCommand, responseTo } from '../protocol/command.ts';
import { checkTexts, RequestError } from '../protocol/request-fields.ts';
import { audited } from '../remoting/audit.ts';
import type { ClientConnection, ControlHandler } from '../remoting/connection.ts';
import { tellSlow } from '../ring/step-clock.ts';
import { brokerConfig, updateBrokerConfig } from './admin/broker-config.ts';
import { consumeDirectly, consumerRunningInfo } from './admin/call-consumer.ts';
import { allProducers, consumerConnections, producerConnections } from './admin/connections.ts';
import { consumeQueue } from './admin/consume-queue.ts';
import { allConsumeStats, consumeStats } from './admin/consume-stats.ts';
import { consumerStatus } from './admin/consumer-status.ts';
import { allGroupConfigs, groupConfig } from './admin/group-read.ts';
import { deleteGroup, groupForbidden, updateGroup, updateGroups } from './admin/group-update.ts';
import { resetMasterFlushOffset, rollBackPops, switchTimerEngine } from './admin/lone-master.ts';
import {
  allConsumerOffsets,
  allDelayOffsets,
  cloneOffsets,
  correctionOffsets,
  timerCheckpoint,
  timerMetrics,
} from './admin/offset-tables.ts';
import { setReadMode } from './admin/read-mode.ts';
import { resetOffset } from './admin/reset-offset.ts';
import { runtimeInfo } from './admin/runtime-info.ts';
import { updateStaticTopic } from './admin/static-topic.ts';
import { statsData } from './admin/stats-data.ts';
import { cleanExpiredQueues, cleanUnusedTopics, deleteExpiredFiles } from './admin/store-cleaning.ts';
import { groupsOfTopic, subscriptionOfGroup, topicsOfGroup } from './admin/subscriptions.ts';
import { consumeTimeSpan } from './admin/time-span.ts';
import { purgeTopic, topicPurges } from './admin/topic-purge.ts';
import { allTopicConfigs, systemTopics, topicConfig } from './admin/topic-read.ts';
import { topicStats } from './admin/topic-stats.ts';
import { deleteTopic, updateTopic, updateTopics } from './admin/topic-update.ts';
import { queryAssignment } from './assignment/query-assignment.ts';
import { allRequestModes, setRequestMode } from './assignment/request-mode-requests.ts';
import { coldReadInfo, removeColdThreshold, setColdThresholds } from './cold/cold-read-requests.ts';
import { checkClientConfig } from './consumer/check-client-config.ts';
import { consumerList } from './consumer/consumer-list.ts';
import { heartBeat } from './consumer/heart-beat.ts';
import { lockQueues, unlockQueues } from './consumer/lock-queues.ts';
import { queryOffset } from './consumer/query-offset.ts';
import { unregisterClient } from './consumer/unregister-client.ts';
import { updateOffset } from './consumer/update-offset.ts';
import { askerOf, type BrokerContext, type BrokerHandler } from './context.ts';
import { logFailure } from './failures.ts';
import { actedTimers } from './follow/acted-timers.ts';
import { haStatus } from './follow/ha-status.ts';
import { offsetsSince } from './follow/offsets-since.ts';
import {
  brokerLiteInfo,
  liteClientInfo,
  liteGroupInfo,
  liteTopicInfo,
  parentTopicInfo,
  triggerLiteDispatch,
} from './lite/lite-info.ts';
import { queryMessage, viewMessage } from './query/messages.ts';
import { earliestStoreTime, maxOffset, minOffset, searchOffset } from './query/queue-offsets.ts';
import { replyMessage } from './reply/reply-message.ts';
import { retryTopicSend } from './retry/retry-topic-send.ts';
import { sendBack } from './retry/send-back.ts';
import { recallMessage } from './timer/recall.ts';
import { resumeCheck } from './transaction/resume-check.ts';

const HANDLERS: readonly (readonly [code: number, handler: BrokerHandler])[] = [
  // Clients
  [RequestCode.HEART_BEAT, heartBeat],
  [RequestCode.UNREGISTER_CLIENT, unregisterClient],
  [RequestCode.CHECK_CLIENT_CONFIG, checkClientConfig],
  [RequestCode.GET_CONSUMER_LIST_BY_GROUP, consumerList],
  [RequestCode.QUERY_CONSUMER_OFFSET, queryOffset],
  [RequestCode.UPDATE_CONSUMER_OFFSET, updateOffset],
  [RequestCode.LOCK_BATCH_MQ, lockQueues],
  [RequestCode.UNLOCK_BATCH_MQ, unlockQueues],
  [RequestCode.CONSUMER_SEND_MSG_BACK, sendBack],
  [RequestCode.QUERY_ASSIGNMENT, queryAssignment],
  [RequestCode.SET_MESSAGE_REQUEST_MODE, setRequestMode],
  [RequestCode.GET_ALL_MESSAGE_REQUEST_MODE, allRequestModes],
  // Sends that are not for the fast path
  [RequestCode.SEND_MESSAGE, retryTopicSend],
  [RequestCode.SEND_MESSAGE_V2, retryTopicSend],
  [RequestCode.SEND_REPLY_MESSAGE, replyMessage],
  [RequestCode.SEND_REPLY_MESSAGE_V2, replyMessage],
  [RequestCode.RECALL_MESSAGE, recallMessage],
  [RequestCode.RESUME_CHECK_HALF_MESSAGE, resumeCheck],
  // Positions and messages
  [RequestCode.SEARCH_OFFSET_BY_TIMESTAMP, searchOffset],
  [RequestCode.GET_MAX_OFFSET, maxOffset],
  [RequestCode.GET_MIN_OFFSET, minOffset],
  [RequestCode.GET_EARLIEST_MSG_STORETIME, earliestStoreTime],
  [RequestCode.QUERY_MESSAGE, queryMessage],
  [RequestCode.VIEW_MESSAGE_BY_ID, viewMessage],
  [RequestCode.QUERY_CONSUME_QUEUE, consumeQueue],
  // Topics
  [RequestCode.UPDATE_AND_CREATE_TOPIC, updateTopic],
  [RequestCode.UPDATE_AND_CREATE_TOPIC_LIST, updateTopics],
  [RequestCode.UPDATE_AND_CREATE_STATIC_TOPIC, updateStaticTopic],
  [RequestCode.DELETE_TOPIC_IN_BROKER, deleteTopic],
  [RequestCode.PURGE_TOPIC, purgeTopic],
  [RequestCode.GET_TOPIC_PURGES, topicPurges],
  [RequestCode.GET_ACTED_TIMERS, actedTimers],
  [RequestCode.GET_OFFSETS_SINCE, offsetsSince],
  [RequestCode.GET_ALL_TOPIC_CONFIG, allTopicConfigs],
  [RequestCode.GET_TOPIC_CONFIG, topicConfig],
  [RequestCode.GET_SYSTEM_TOPIC_LIST_FROM_BROKER, systemTopics],
  [RequestCode.GET_TOPIC_STATS_INFO, topicStats],
  // Groups
  [RequestCode.UPDATE_AND_CREATE_SUBSCRIPTIONGROUP, updateGroup],
  [RequestCode.UPDATE_AND_CREATE_SUBSCRIPTIONGROUP_LIST, updateGroups],
  [RequestCode.DELETE_SUBSCRIPTIONGROUP, deleteGroup],
  [RequestCode.GET_ALL_SUBSCRIPTIONGROUP_CONFIG, allGroupConfigs],
  [RequestCode.GET_SUBSCRIPTIONGROUP_CONFIG, groupConfig],
  [RequestCode.UPDATE_AND_GET_GROUP_FORBIDDEN, groupForbidden],
  // Progress
  [RequestCode.GET_CONSUME_STATS, consumeStats],
  [RequestCode.GET_BROKER_CONSUME_STATS, allConsumeStats],
  [RequestCode.QUERY_CONSUME_TIME_SPAN, consumeTimeSpan],
  [RequestCode.INVOKE_BROKER_TO_RESET_OFFSET, resetOffset],
  [RequestCode.INVOKE_BROKER_TO_GET_CONSUMER_STATUS, consumerStatus],
  [RequestCode.CLONE_GROUP_OFFSET, cloneOffsets],
  [RequestCode.QUERY_CORRECTION_OFFSET, correctionOffsets],
  [RequestCode.GET_ALL_CONSUMER_OFFSET, allConsumerOffsets],
  [RequestCode.GET_ALL_DELAY_OFFSET, allDelayOffsets],
  [RequestCode.GET_TIMER_CHECK_POINT, timerCheckpoint],
  [RequestCode.GET_TIMER_METRICS, timerMetrics],
  // Who is connected
  [RequestCode.GET_CONSUMER_CONNECTION_LIST, consumerConnections],
  [RequestCode.GET_PRODUCER_CONNECTION_LIST, producerConnections],
  [RequestCode.GET_ALL_PRODUCER_INFO, allProducers],
  [RequestCode.QUERY_TOPIC_CONSUME_BY_WHO, groupsOfTopic],
  [RequestCode.QUERY_TOPICS_BY_CONSUMER, topicsOfGroup],
  [RequestCode.QUERY_SUBSCRIPTION_BY_CONSUMER, subscriptionOfGroup],
  [RequestCode.GET_CONSUMER_RUNNING_INFO, consumerRunningInfo],
  [RequestCode.CONSUME_MESSAGE_DIRECTLY, consumeDirectly],
  // Lite topics
  [RequestCode.GET_BROKER_LITE_INFO, brokerLiteInfo],
  [RequestCode.GET_PARENT_TOPIC_INFO, parentTopicInfo],
  [RequestCode.GET_LITE_TOPIC_INFO, liteTopicInfo],
  [RequestCode.GET_LITE_CLIENT_INFO, liteClientInfo],
  [RequestCode.GET_LITE_GROUP_INFO, liteGroupInfo],
  [RequestCode.TRIGGER_LITE_DISPATCH, triggerLiteDispatch],
  // The broker itself
  [RequestCode.UPDATE_BROKER_CONFIG, updateBrokerConfig],
  [RequestCode.GET_BROKER_CONFIG, brokerConfig],
  [RequestCode.UPDATE_COLD_DATA_FLOW_CTR_CONFIG, setColdThresholds],
  [RequestCode.REMOVE_COLD_DATA_FLOW_CTR_CONFIG, removeColdThreshold],
  [RequestCode.GET_COLD_DATA_FLOW_CTR_INFO, coldReadInfo],
  [RequestCode.SET_COMMITLOG_READ_MODE, setReadMode],
  [RequestCode.GET_BROKER_RUNTIME_INFO, runtimeInfo],
  [RequestCode.VIEW_BROKER_STATS_DATA, statsData],
  [RequestCode.CLEAN_EXPIRED_CONSUMEQUEUE, cleanExpiredQueues],
  [RequestCode.CLEAN_UNUSED_TOPIC, cleanUnusedTopics],
  [RequestCode.DELETE_EXPIRED_COMMITLOG, deleteExpiredFiles],
  [RequestCode.GET_BROKER_HA_STATUS, haStatus],
  [RequestCode.RESET_MASTER_FLUSH_OFFSET, resetMasterFlushOffset],
  [RequestCode.SWITCH_TIMER_ENGINE, switchTimerEngine],
  [RequestCode.POP_ROLLBACK, rollBackPops],
];

export interface RequestWatch {
  /** Has a line of each administrative request. */
  audit: ControlLog;
  /** Requests that this broker leaves to another: code and remark. */
  leave?: ((code: number) => [code: number, remark: string] | undefined) | undefined;
  /** Ms for which a request may hold up the control thread before the log is told; 0 = any time. */
  slowMillis: number;
}

/** Handlers by request code. They never throw or reject. What is one-way is answered as well, and nobody gets it. */
export function createHandlers(
  context: BrokerContext,
  { audit, slowMillis, leave = () => undefined }: RequestWatch,
): ReadonlyMap<number, ControlHandler> {
  const watched = (code: number, handler: BrokerHandler) =>
    audited(code, timed(context, guarded(context, handler), slowMillis), audit);
  const served = ([code, handler]: (typeof HANDLERS)[number]) =>
    [code, watched(code, leaving(handler, leave(code)))] as const;
  return new Map(HANDLERS.map(served));
}

/** What is left to another broker is refused. */
function leaving(handler: BrokerHandler, refusal: [code: number, remark: string] | undefined): BrokerHandler {
  if (refusal === undefined) return handler;
  return () => {
    throw new RequestError(...refusal);
  };
}

/** Tells of a request that has held up the control thread. What it waits for without that is not counted. */
function timed(context: BrokerContext, handler: ControlHandler, slowMillis: number): ControlHandler {
  if (slowMillis === 0) return handler;
  const { clock, log } = context;
  return (request, connection) => {
    const began = clock.monotonic();
    const reply = handler(request, connection);
    const ms = clock.monotonic() - began;
    if (ms >= slowMillis) tellSlow(log, 'request', ms, askerOf(request, connection));
    return reply;
  };
}

/** Handlers that answer at once still do, so that requests of one connection keep their order. */
function guarded(context: BrokerContext, handler: BrokerHandler): ControlHandler {
  return (request, connection) => {
    const fail = (error: unknown) => failure(context, request, connection, error);
    try {
      checkTexts(request);
      const reply = handler(context, request, connection);
      return reply instanceof Promise ? reply.catch(fail) : reply;
    } catch (error) {
      return fail(error);
    }
  };
}

function failure(
  context: BrokerContext,
  request: RemotingCommand,
  connection: ClientConnection,
  error: unknown,
): RemotingCommand {
  logFailure(context.log, error, askerOf(request, connection));
  const code = error instanceof RequestError ? error.code : ResponseCode.SYSTEM_ERROR;
  return responseTo(request, code, error instanceof Error ? error.message : String(error));
}
