/** What admin tools ask about key-value entries and settings. */

import { ResponseCode } from '../protocol/codes.ts';
import { responseTo } from '../protocol/command.ts';
import { parsePropertiesBody } from '../protocol/properties-body.ts';
import { requiredText } from '../protocol/request-fields.ts';
import { formatConfig, updateConfig } from './config.ts';
import { requiredName } from './request-fields.ts';
import { type NameServerHandler, success, successWithJson } from './state.ts';

/** 100 */
export const putKv: NameServerHandler = async (state, request, connection) => {
  const { namespace, key } = request.fields;
  if (namespace === undefined || key === undefined) {
    return responseTo(request, ResponseCode.SYSTEM_ERROR, 'namespace or key is null');
  }
  const value = requiredText(request, 'value');
  await state.kvConfig.put(requiredName(request, 'namespace'), requiredName(request, 'key'), value);
  state.log.info({ namespace, key, value, client: connection.remoteAddress }, 'key-value entry set');
  return success(request);
};

/** 101 */
export const getKv: NameServerHandler = (state, request) => {
  const namespace = requiredText(request, 'namespace');
  const key = requiredText(request, 'key');
  const value = state.kvConfig.get(namespace, key);
  if (value !== undefined) return success(request, { value });
  const remark = `No config item, Namespace: ${namespace} Key: ${key}`;
  return responseTo(request, ResponseCode.QUERY_NOT_FOUND, remark);
};

/** 102: deleting what is not there succeeds. */
export const deleteKv: NameServerHandler = async (state, request, connection) => {
  const namespace = requiredText(request, 'namespace');
  const key = requiredText(request, 'key');
  const isThere = state.kvConfig.get(namespace, key) !== undefined;
  await state.kvConfig.delete(namespace, key);
  if (isThere)
    state.log.info({ namespace, key, client: connection.remoteAddress }, 'key-value entry deleted');
  return success(request);
};

/** 219 */
export const listKv: NameServerHandler = (state, request) => {
  const namespace = requiredText(request, 'namespace');
  const table = state.kvConfig.list(namespace);
  if (table !== undefined) return successWithJson(request, { table });
  return responseTo(request, ResponseCode.QUERY_NOT_FOUND, `No config item, Namespace: ${namespace}`);
};

/** 318 */
export const updateSettings: NameServerHandler = (state, request, connection) => {
  const changes = parsePropertiesBody(request.body);
  const update = updateConfig(state.config, changes);
  switch (update.outcome) {
    case 'updated':
      state.configured();
      state.log.info(
        { changes: Object.fromEntries(changes), client: connection.remoteAddress },
        'configuration changed',
      );
      return success(request);
    case 'blackListed':
      return responseTo(request, ResponseCode.NO_PERMISSION, 'Can not update config in black list.');
    case 'refused':
      return responseTo(request, ResponseCode.SYSTEM_ERROR, update.reason);
  }
};

/** 319 */
export const getSettings: NameServerHandler = (state, request) => {
  const text = formatConfig(state.config);
  return responseTo(request, ResponseCode.SUCCESS, undefined, {}, Buffer.from(text));
};
