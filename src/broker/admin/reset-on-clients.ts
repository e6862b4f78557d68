/** Resetting a group's offsets through its online clients: RESET_CONSUMER_CLIENT_OFFSET (220), one-way to each. */

import type { MessageQueue } from '../../clients/queue-locks.ts';
import { limitRemark, MAX_ASKED_CLIENTS } from '../../lib/limits.ts';
import { RequestCode, ResponseCode } from '../../protocol/codes.ts';
import type { RemotingCommand } from '../../protocol/command.ts';
import { newOnewayRequest } from '../../protocol/outgoing.ts';
import { RequestError, succeedWith } from '../../protocol/request-fields.ts';
import { writeRocketJson } from '../../protocol/rocketmq-json.ts';
import type { BrokerContext } from '../context.ts';
import { Slices } from './slices.ts';

/** MQVersion ordinal of V3_0_7_SNAPSHOT, the first client that knows 220 and 221. */
export const KNOWS_RESET_AND_STATUS = 28;

export interface ClientReset {
  topic: string;
  group: string;
  /** -1: the maximum offset; else ms since the epoch. */
  timestamp: number;
  /** False: never forwards. */
  isForced: boolean;
  /** C++ clients read a list instead of a map with objects as keys. */
  isCpp: boolean;
}

/** Rejects with a RequestError when the topic or a stored offset is missing, or nobody is online who understands. */
export async function resetOnClients(
  context: BrokerContext,
  request: RemotingCommand,
  reset: ClientReset,
): Promise<RemotingCommand> {
  checkAsked(context.clients.consumers.get(reset.group)?.members().length ?? 0);
  const offsetTable = await newOffsets(context, reset);
  const body = Buffer.from(writeRocketJson({ offsetTable: reset.isCpp ? asList(offsetTable) : offsetTable }));
  const members = context.clients.consumers.get(reset.group)?.members() ?? [];
  if (members.length === 0) {
    throw new RequestError(
      ResponseCode.CONSUMER_NOT_ONLINE,
      `Consumer not online, so can not reset offset, Group: ${reset.group} Topic: ${reset.topic} ` +
        `Timestamp: ${reset.timestamp}`,
    );
  }
  const fields = {
    topic: reset.topic,
    group: reset.group,
    timestamp: String(reset.timestamp),
    isForce: String(reset.isForced),
  };
  for (const member of members) {
    if (member.version < KNOWS_RESET_AND_STATUS) throw tooOld(member.version);
    member.connection.send(newOnewayRequest(RequestCode.RESET_CONSUMER_CLIENT_OFFSET, fields, body));
  }
  return succeedWith(request, { offsetTable });
}

/** Throws a RequestError when a request would turn to too many clients; `advice` says what else to ask. */
export function checkAsked(clients: number, advice?: string): void {
  if (clients <= MAX_ASKED_CLIENTS) return;
  const remark = limitRemark('clients to ask or tell', MAX_ASKED_CLIENTS, 'MAX_ASKED_CLIENTS');
  throw new RequestError(ResponseCode.SYSTEM_ERROR, advice === undefined ? remark : `${remark}; ${advice}`);
}

export function tooOld(version: number): RequestError {
  return new RequestError(
    ResponseCode.SYSTEM_ERROR,
    `the client does not support this feature. version=${version}`,
  );
}

async function newOffsets(context: BrokerContext, reset: ClientReset): Promise<Map<MessageQueue, number>> {
  const { topic, group, timestamp, isForced } = reset;
  const config = context.topics.get(topic);
  if (config === undefined) {
    throw new RequestError(
      ResponseCode.TOPIC_NOT_EXIST,
      `[reset-offset] reset offset failed, no topic in this broker. topic=${topic}`,
    );
  }
  const { store } = context;
  const offsets = new Map<MessageQueue, number>();
  await new Slices(context.clock).each(config.writeQueueNums, (queueId) => {
    const consumed = context.offsets.query(group, topic, queueId);
    if (consumed === -1) {
      throw new RequestError(ResponseCode.SYSTEM_ERROR, `THe consumer group <${group}> not exist`);
    }
    const found =
      timestamp === -1
        ? store.maxOffset(topic, queueId)
        : store.offsetByTime(topic, queueId, timestamp, 'LOWER');
    const wanted = Math.max(0, found);
    offsets.set(
      { brokerName: context.settings.brokerName, queueId, topic },
      isForced || wanted < consumed ? wanted : consumed,
    );
  });
  return offsets;
}

function asList(offsets: ReadonlyMap<MessageQueue, number>) {
  return [...offsets].map(([queue, offset]) => ({ ...queue, offset }));
}
