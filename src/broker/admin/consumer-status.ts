/** INVOKE_BROKER_TO_GET_CONSUMER_STATUS (223): asks a group's clients for their positions (221) and collects them. */

import { isBlank } from '../../lib/names.ts';
import { RequestCode, ResponseCode } from '../../protocol/codes.ts';
import { requestCommand } from '../../protocol/command.ts';
import { asObject, parseBody } from '../../protocol/json-fields.ts';
import { RequestError, requiredText, succeedWith, textField } from '../../protocol/request-fields.ts';
import type { RocketJson } from '../../protocol/rocketmq-json.ts';
import type { BrokerHandler } from '../context.ts';
import { checkAsked, KNOWS_RESET_AND_STATUS, tooOld } from './reset-on-clients.ts';

const TIMEOUT_MS = 5_000;

/** `clientAddr` (a client id in spite of its name) limits it to one client. Who does not answer is left out. */
export const consumerStatus: BrokerHandler = async (context, request) => {
  const topic = requiredText(request, 'topic');
  const group = requiredText(request, 'group');
  const only = textField(request, 'clientAddr');
  const members = context.clients.consumers.get(group)?.members() ?? [];
  if (members.length === 0) {
    throw new RequestError(
      ResponseCode.SYSTEM_ERROR,
      `No Any Consumer online in the consumer group: [${group}]`,
    );
  }
  const old = members.find((member) => member.version < KNOWS_RESET_AND_STATUS);
  if (old !== undefined) throw tooOld(old.version);
  const consumerTable = new Map<string, RocketJson>();
  const asked = members.filter((member) => only === undefined || isBlank(only) || member.clientId === only);
  checkAsked(asked.length, 'name one with clientAddr');
  await Promise.all(
    asked.map(async (member) => {
      const question = requestCommand(RequestCode.GET_CONSUMER_STATUS_FROM_CLIENT, { topic, group });
      try {
        const answer = await member.connection.request(question, TIMEOUT_MS);
        const queues = asObject(parseBody(answer.body))?.['messageQueueTable'];
        if (answer.code === ResponseCode.SUCCESS && queues !== undefined) {
          consumerTable.set(member.clientId, queues);
        }
      } catch (error) {
        const { clientId, connection } = member;
        const who = { group, clientId, client: connection.remoteAddress, reason: (error as Error).message };
        context.log.warn(who, 'a consumer did not tell its status');
      }
    }),
  );
  return succeedWith(request, { consumerTable });
};
