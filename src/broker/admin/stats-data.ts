/** VIEW_BROKER_STATS_DATA (315): one counter over the last minute, hour and day. */

import { ResponseCode } from '../../protocol/codes.ts';
import { RequestError, requiredText, succeedWith } from '../../protocol/request-fields.ts';
import type { BrokerHandler } from '../context.ts';

export const statsData: BrokerHandler = (context, request) => {
  const name = requiredText(request, 'statsName');
  const key = requiredText(request, 'statsKey');
  const stats = context.stats.get(name, key);
  if (stats === undefined) {
    throw new RequestError(ResponseCode.SYSTEM_ERROR, `The stats <${name}> <${key}> not exist`);
  }
  return succeedWith(request, {
    statsDay: stats.day,
    statsHour: stats.hour,
    statsMinute: stats.minute,
  });
};
