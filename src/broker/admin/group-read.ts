/** Group configurations: GET_ALL_SUBSCRIPTIONGROUP_CONFIG (201) and GET_SUBSCRIPTIONGROUP_CONFIG (352). */
import { groupConfigToJson } from '../../control/group-config.ts';
import {
  checkAnswerSize,
  int32Field,
  RequestError,
  requiredText,
  succeed,
  succeedWith,
  textField,
} from '../../control/request-fields.ts';
import { ResponseCode } from '../../protocol/codes.ts';
import type { BrokerHandler } from '../context.ts';
import { builtOnce } from './built-once.ts';
import { pageOf } from './paging.ts';

/** Callers without any header field get the whole table. */
export const allGroupConfigs: BrokerHandler = (context, request) => {
  const page = pageOf(
    context.settings,
    textField(request, 'dataVersion'),
    int32Field(request, 'groupSeq'),
    int32Field(request, 'maxGroupNum'),
  );
  const { groups } = context;
  const count = { totalGroupNum: groups.size };
  if (page === undefined) {
    const body = builtOnce(groups, () => groups.toJson());
    checkAnswerSize(body.length, 'ask for it in pages with groupSeq and maxGroupNum');
    return succeed(request, count, body);
  }
  return succeedWith(request, groups.toJson(groups.page(page.first, page.count, page.dataVersion)), count);
};

export const groupConfig: BrokerHandler = (context, request) => {
  const group = requiredText(request, 'group');
  const config = context.groups.get(group);
  if (config === undefined) {
    throw new RequestError(
      ResponseCode.SUBSCRIPTION_GROUP_NOT_EXIST,
      `No group in this broker. group: ${group}`,
    );
  }
  return succeedWith(request, groupConfigToJson(config));
};
