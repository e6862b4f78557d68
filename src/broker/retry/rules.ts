/** What sending back (36) and sending to a retry topic have in common. */
import type { GroupConfig } from '../../metadata/group-config.ts';
import { ResponseCode } from '../../protocol/codes.ts';
import { RequestError } from '../../protocol/request-fields.ts';

/** MQVersion ordinal of V3_4_9: older clients say nothing usable about their own maximum. */
const KNOWS_MAX_RECONSUME_TIMES = 121;

const FAQ = 'See https://rocketmq.apache.org/docs/bestPractice/06FAQ for further details.';

export function groupMissing(group: string): RequestError {
  return new RequestError(
    ResponseCode.SUBSCRIPTION_GROUP_NOT_EXIST,
    `subscription group not exist, ${group} \n${FAQ}`,
  );
}

/** The client's own limit wins if it gave one, whatever its value: 0 and -1 mean no redelivery at all. */
export function maxReconsumeTimes(
  group: GroupConfig,
  clientVersion: number,
  requested: number | undefined,
): number {
  return clientVersion >= KNOWS_MAX_RECONSUME_TIMES && requested !== undefined
    ? requested
    : group.retryMaxTimes;
}
