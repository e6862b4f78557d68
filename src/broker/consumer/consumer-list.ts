/** GET_CONSUMER_LIST_BY_GROUP (38): the client ids of a group, from which each client computes its queues. */

import { ResponseCode } from '../../protocol/codes.ts';
import { RequestError, requiredText, succeedWith } from '../../protocol/request-fields.ts';
import type { BrokerHandler } from '../context.ts';

export const consumerList: BrokerHandler = (context, request) => {
  const name = requiredText(request, 'consumerGroup');
  const consumerIdList = context.clients.consumers.get(name)?.clientIds() ?? [];
  if (consumerIdList.length === 0) {
    throw new RequestError(ResponseCode.SYSTEM_ERROR, `no consumer for this group, ${name}`);
  }
  return succeedWith(request, { consumerIdList });
};
