/** Finding messages: QUERY_MESSAGE (12) by key and VIEW_MESSAGE_BY_ID (33) by position in the CommitLog. */

import { ResponseCode } from '../../protocol/codes.ts';
import { responseTo } from '../../protocol/command.ts';
import {
  booleanField,
  RequestError,
  requiredInt32,
  requiredInt64,
  requiredText,
  succeed,
  textField,
} from '../../protocol/request-fields.ts';
import type { BrokerHandler } from '../context.ts';
import { messageAt } from './message-at.ts';

const UNIQUE_KEY_QUERY = '_UNIQUE_KEY_QUERY';
const KEY_INDEX = 'K';
const UNIQUE_KEY_INDEX = 'U';

export const queryMessage: BrokerHandler = async (context, request, connection) => {
  const byUniqueKey = booleanField(request, UNIQUE_KEY_QUERY, false);
  const query = {
    topic: requiredText(request, 'topic'),
    key: requiredText(request, 'key'),
    maxCount: byUniqueKey ? context.settings.defaultQueryMaxNum : requiredInt32(request, 'maxNum'),
    begin: requiredInt64(request, 'beginTimestamp'),
    end: requiredInt64(request, 'endTimestamp'),
    indexType: byUniqueKey ? UNIQUE_KEY_INDEX : textField(request, 'indexType') || KEY_INDEX,
  };
  const found = await context.queries.find(query, connection.id);
  const fields = {
    indexLastUpdateTimestamp: String(found.indexLastUpdateTimestamp),
    indexLastUpdatePhyoffset: String(found.indexLastUpdatePhyoffset),
  };
  if (found.records.length > 0) return succeed(request, fields, found.records);
  // Clients read the header fields of a miss as well.
  const remark = 'can not find message, maybe time range not correct';
  return responseTo(request, ResponseCode.QUERY_NOT_FOUND, remark, fields);
};

export const viewMessage: BrokerHandler = (context, request) => {
  const offset = requiredInt64(request, 'offset');
  const record = messageAt(context.store, offset);
  if (record === undefined) {
    throw new RequestError(
      ResponseCode.SYSTEM_ERROR,
      `can not find message by the offset, ${request.fields['offset']}`,
    );
  }
  return succeed(request, {}, record);
};
