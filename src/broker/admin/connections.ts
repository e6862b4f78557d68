/**
 * Who is connected: GET_CONSUMER_CONNECTION_LIST (203), GET_PRODUCER_CONNECTION_LIST (204), GET_ALL_PRODUCER_INFO
 * (328).
 */
import type { ClientInfo } from '../../clients/producers.ts';
import { timeOf } from '../../lib/clock.ts';
import { ResponseCode } from '../../protocol/codes.ts';
import { checkAnswerSize, RequestError, requiredText, succeedWith } from '../../protocol/request-fields.ts';
import type { BrokerHandler } from '../context.ts';

export const consumerConnections: BrokerHandler = (context, request) => {
  const name = requiredText(request, 'consumerGroup');
  const group = context.clients.consumers.get(name);
  if (group === undefined) {
    throw new RequestError(ResponseCode.CONSUMER_NOT_ONLINE, `the consumer group[${name}] not online`);
  }
  return succeedWith(request, {
    connectionSet: group.members().map(connectionToJson),
    consumeFromWhere: group.consumeFromWhere,
    consumeType: group.consumeType,
    messageModel: group.messageModel,
    subscriptionTable: group.subscriptions,
  });
};

export const producerConnections: BrokerHandler = (context, request) => {
  const name = requiredText(request, 'producerGroup');
  const members = context.clients.producers.members(name);
  if (members === undefined) {
    throw new RequestError(ResponseCode.SYSTEM_ERROR, `the producer group[${name}] not exist`);
  }
  return succeedWith(request, { connectionSet: members.map(connectionToJson) });
};

/** Bytes of a producer in the answer, beside its client id. */
const LEAST_PRODUCER = 90;

export const allProducers: BrokerHandler = (context, request) => {
  const data = new Map<string, unknown[]>();
  let bytes = 0;
  for (const [group, members] of context.clients.producers.groups()) {
    for (const { clientId } of members) bytes += LEAST_PRODUCER + clientId.length;
    checkAnswerSize(bytes, 'ask for the groups one by one');
    data.set(
      group,
      members.map((member) => ({
        clientId: member.clientId,
        language: member.language,
        lastUpdateTimestamp: timeOf(context.clock, member.lastHeartbeat),
        // The slash is how Java prints a socket address.
        remoteIP: `/${member.connection.remoteAddress}`,
        version: member.version,
      })),
    );
  }
  return succeedWith(request, { data });
};

function connectionToJson(client: ClientInfo) {
  return {
    clientAddr: client.connection.remoteAddress,
    clientId: client.clientId,
    language: client.language,
    version: client.version,
  };
}
