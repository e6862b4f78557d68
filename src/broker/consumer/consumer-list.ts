/** GET_CONSUMER_LIST_BY_GROUP (38): the client ids of a group, from which each client computes its queues. */

import { ResponseCode } from '../../protocol/codes.ts';
import { RequestError, requiredText, succeed } from '../../protocol/request-fields.ts';
import { builtOnce } from '../admin/built-once.ts';
import type { BrokerHandler } from '../context.ts';

export const consumerList: BrokerHandler = (context, request) => {
  const name = requiredText(request, 'consumerGroup');
  const group = context.clients.consumers.get(name);
  if (group === undefined) {
    throw new RequestError(ResponseCode.SYSTEM_ERROR, `no consumer for this group, ${name}`);
  }
  // After a change of the group each of its members asks.
  return succeed(
    request,
    {},
    builtOnce(group, () => ({ consumerIdList: group.clientIds() })),
  );
};
