/** What brokers ask: registration, heartbeat, and who else carries their name. */

import { MAX_HEARTBEAT_TIMEOUT_MS } from '../lib/limits.ts';
import { ResponseCode } from '../protocol/codes.ts';
import { type RemotingCommand, responseTo } from '../protocol/command.ts';
import { asArray, asObject, INT32, integerWithin, parseBody, textOr } from '../protocol/json-fields.ts';
import {
  int32Field,
  int64Field,
  offsetField,
  requiredInt32,
  requiredText,
} from '../protocol/request-fields.ts';
import { writeRocketJson } from '../protocol/rocketmq-json.ts';
import { ORDER_TOPIC_NAMESPACE } from './kv-config.ts';
import { type QueueData, sameVersion } from './model.ts';
import { decodeDataVersion, decodeRegisterBody, matchesChecksum } from './register-body.ts';
import { optionalBoolean, requiredName } from './request-fields.ts';
import { memberGroup } from './route-views.ts';
import type { BrokerIdentity, Registration } from './routes.ts';
import { type NameServerHandler, success, successWithJson } from './state.ts';

/** 103 */
export const registerBroker: NameServerHandler = (state, request, connection) => {
  if (!matchesChecksum(request.body, int32Field(request, 'bodyCrc32') ?? 0)) {
    return responseTo(request, ResponseCode.SYSTEM_ERROR, 'crc32 not match');
  }
  const result = state.routes.register(registrationOf(request), {
    connection,
    now: state.clock.monotonic(),
    deleteMissingTopics: state.config.deleteTopicWithBrokerRegistration,
  });
  if (result === undefined) return responseTo(request, ResponseCode.SYSTEM_ERROR, 'register broker failed');
  const response = success(request, { ...result });
  const table = state.kvConfig.list(ORDER_TOPIC_NAMESPACE);
  if (state.config.returnOrderTopicConfigToBroker && table !== undefined) {
    response.body = Buffer.from(writeRocketJson({ table }));
  }
  return response;
};

/** 104 */
export const unregisterBroker: NameServerHandler = (state, request) => {
  brokerIdOf(request);
  state.routes.unregister(identityOf(request));
  return success(request);
};

/** 217: one topic of brokers that have registered before. */
export const registerTopic: NameServerHandler = (state, request, connection) => {
  const topic = requiredName(request, 'topic');
  const route = asObject(parseBody(request.body));
  const queues = asArray(route?.['queueDatas']).map((item): QueueData => {
    const queue = asObject(item) ?? {};
    return {
      brokerName: textOr(queue, 'brokerName', ''),
      readQueueNums: integerWithin(queue, 'readQueueNums', INT32, 0),
      writeQueueNums: integerWithin(queue, 'writeQueueNums', INT32, 0),
      perm: integerWithin(queue, 'perm', INT32, 0),
      topicSysFlag: integerWithin(queue, 'topicSysFlag', INT32, 0),
    };
  });
  state.routes.registerTopic(topic, queues);
  state.log.info({ topic, client: connection.remoteAddress }, 'topic entered in the routes by request');
  return success(request);
};

/** 322: has the broker changed its topics since it registered? Counts as a sign of life. */
export const queryDataVersion: NameServerHandler = (state, request) => {
  const clusterName = requiredText(request, 'clusterName');
  const brokerAddr = requiredText(request, 'brokerAddr');
  const asked = decodeDataVersion(parseBody(request.body));
  const known = state.routes.live.get(clusterName, brokerAddr)?.dataVersion;
  state.routes.live.touch(clusterName, brokerAddr, state.clock.monotonic());
  const changed = known === undefined || !sameVersion(known, asked);
  const response = success(request, { changed: String(changed) });
  if (known !== undefined) response.body = Buffer.from(writeRocketJson(known));
  return response;
};

/** 901 */
export const getBrokerMemberGroup: NameServerHandler = (state, request) => {
  const cluster = requiredText(request, 'clusterName');
  return successWithJson(request, memberGroup(state.routes, cluster, requiredText(request, 'brokerName')));
};

/** 904 */
export const brokerHeartbeat: NameServerHandler = (state, request) => {
  const clusterName = requiredText(request, 'clusterName');
  const brokerAddr = requiredText(request, 'brokerAddr');
  state.routes.live.touch(clusterName, brokerAddr, state.clock.monotonic());
  return success(request);
};

function registrationOf(request: RemotingCommand): Registration {
  const compressed = optionalBoolean(request, 'compressed') ?? false;
  return {
    ...identityOf(request),
    brokerId: brokerIdOf(request),
    haServerAddr: requiredText(request, 'haServerAddr'),
    zoneName: request.fields['__ZONE_NAME'],
    heartbeatTimeoutMs: heartbeatTimeout(request),
    enableActingMaster: optionalBoolean(request, 'enableActingMaster'),
    body: decodeRegisterBody(request.body, compressed, request.version),
  };
}

function identityOf(request: RemotingCommand): BrokerIdentity {
  return {
    clusterName: requiredName(request, 'clusterName'),
    brokerName: requiredName(request, 'brokerName'),
    brokerAddr: requiredName(request, 'brokerAddr'),
  };
}

function brokerIdOf(request: RemotingCommand): number {
  return offsetField(request, 'brokerId') ?? requiredInt32(request, 'brokerId');
}

/** Undefined = the default. A broker that asks for years would stand in routes for years after its end. */
function heartbeatTimeout(request: RemotingCommand): number | undefined {
  const wanted = int64Field(request, 'heartbeatTimeoutMillis');
  return wanted === undefined ? undefined : Math.max(0, Math.min(wanted, MAX_HEARTBEAT_TIMEOUT_MS));
}
