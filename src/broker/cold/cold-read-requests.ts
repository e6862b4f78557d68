/** What operators set and see of cold reads: requests 2001 to 2003. Thresholds last as long as the broker runs. */
import { isGroupName } from '../../lib/names.ts';
import { quote } from '../../lib/quote.ts';
import { ResponseCode } from '../../protocol/codes.ts';
import { parsePropertiesBody } from '../../protocol/properties-body.ts';
import { RequestError, succeed, succeedWith } from '../../protocol/request-fields.ts';
import type { BrokerHandler } from '../context.ts';

const LONG = /^\d{1,19}$/;

/** UPDATE_COLD_DATA_FLOW_CTR_CONFIG: `group=bytes` a line; all of them or none. */
export const setColdThresholds: BrokerHandler = (context, request) => {
  const thresholds = new Map<string, number>();
  for (const [group, text] of parsePropertiesBody(request.body)) {
    if (!isGroupName(group) || !LONG.test(text.trim())) {
      throw new RequestError(
        ResponseCode.SYSTEM_ERROR,
        `${quote(group)}=${quote(text)} is no group with a number of bytes; nothing was changed`,
      );
    }
    thresholds.set(group, Number(text));
  }
  context.coldReads.setThresholds(thresholds);
  return succeed(request);
};

/** REMOVE_COLD_DATA_FLOW_CTR_CONFIG: the body is the group's name. */
export const removeColdThreshold: BrokerHandler = (context, request) => {
  context.coldReads.removeThreshold(Buffer.from(request.body ?? []).toString('utf8'));
  return succeed(request);
};

/** GET_COLD_DATA_FLOW_CTR_INFO. */
export const coldReadInfo: BrokerHandler = ({ coldReads, settings }, request) => {
  const runtimeTable = new Map(
    [...coldReads.usage].map(([group, { bytes, since, last }]) => [
      group,
      { coldAcc: bytes, createTimeMills: since, lastColdReadTimeMills: last },
    ]),
  );
  return succeedWith(request, {
    cgColdReadThreshold: settings.cgColdReadThreshold,
    configTable: coldReads.thresholds,
    globalAcc: coldReads.bytes,
    globalColdReadThreshold: settings.globalColdReadThreshold,
    runtimeTable,
  });
};
