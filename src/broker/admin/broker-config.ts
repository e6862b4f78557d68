/** The broker's configuration: UPDATE_BROKER_CONFIG (25) and GET_BROKER_CONFIG (26), as properties text. */

import { availableParallelism } from 'node:os';
import { formatJavaProperties } from '../../lib/java-properties.ts';
import type { Asker } from '../../metadata/config-table.ts';
import { ResponseCode } from '../../protocol/codes.ts';
import { parsePropertiesBody } from '../../protocol/properties-body.ts';
import { RequestError, succeed } from '../../protocol/request-fields.ts';
import { writeRocketJson } from '../../protocol/rocketmq-json.ts';
import { askerOf, type BrokerContext, type BrokerHandler } from '../context.ts';

export const updateBrokerConfig: BrokerHandler = (context, request, connection) => {
  const changes = parsePropertiesBody(request.body);
  if (changes.size === 0) return succeed(request);
  change(context, changes, askerOf(request, connection));
  // Name servers show each topic's permissions cut down to the broker's.
  if (changes.has('brokerPermission')) context.topics.touch();
  return succeed(request);
};

/** Throws a RequestError, and changes nothing, when one of the changes may not be made. */
export function change(context: BrokerContext, changes: ReadonlyMap<string, string>, by: Asker): void {
  const forbidden = context.settings.configBlackList.split(';');
  if (forbidden.some((name) => changes.has(name))) {
    throw new RequestError(ResponseCode.NO_PERMISSION, 'Can not update config in black list.');
  }
  try {
    context.properties.update(changes);
  } catch (error) {
    // Whoever asked is told; nothing is wrong here that a log should say.
    throw new RequestError(ResponseCode.SYSTEM_ERROR, (error as Error).message);
  }
  context.log.info({ changes: Object.fromEntries(changes), ...by }, 'configuration changed');
}

/** What tools read of every broker, and nobody can set here. */
const FACTS: readonly (readonly [string, string])[] = [
  ['clientCallbackExecutorThreads', String(availableParallelism())],
];

export const brokerConfig: BrokerHandler = (context, request) =>
  succeed(
    request,
    { version: writeRocketJson(context.properties.version) },
    Buffer.from(formatJavaProperties([...context.properties.all(), ...FACTS]), 'utf8'),
  );
