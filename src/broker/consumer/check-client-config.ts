/** CHECK_CLIENT_CONFIG (46): a starting consumer asks whether the broker understands its expression. */

import { expressionProblem, noPropertyFilter } from '../../clients/parsed-filters.ts';
import { isTagType, subscriptionFromJson } from '../../clients/subscription.ts';
import { ResponseCode } from '../../protocol/codes.ts';
import { asObject, parseBody } from '../../protocol/json-fields.ts';
import { RequestError, succeed } from '../../protocol/request-fields.ts';
import type { BrokerHandler } from '../context.ts';

export const checkClientConfig: BrokerHandler = (context, request) => {
  const body = asObject(parseBody(request.body));
  const subscription = subscriptionFromJson(body?.['subscriptionData'], context.clock.now());
  if (subscription === undefined || isTagType(subscription.expressionType)) return succeed(request);
  const { expressionType, subString } = subscription;
  if (!context.settings.enablePropertyFilter) {
    throw new RequestError(ResponseCode.SYSTEM_ERROR, noPropertyFilter(expressionType));
  }
  const problem = expressionProblem(expressionType, subString);
  if (problem !== undefined) throw new RequestError(ResponseCode.SUBSCRIPTION_PARSE_FAILED, problem);
  return succeed(request);
};
