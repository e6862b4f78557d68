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

/** How often a message may be redelivered, and who says so. */
export interface RetryLimit {
  readonly most: number;
  readonly by: string;
}

/** The client's own limit wins if it gave one, whatever its value: 0 and -1 mean no redelivery at all. */
export function retryLimit(
  group: GroupConfig,
  clientVersion: number,
  requested: number | undefined,
): RetryLimit {
  return clientVersion >= KNOWS_MAX_RECONSUME_TIMES && requested !== undefined
    ? { most: requested, by: 'maxReconsumeTimes of the consumer' }
    : { most: group.retryMaxTimes, by: 'retryMaxTimes of the group' };
}

/** Said in a dead letter whose redeliveries have used up the limit. */
export function usedUp(redeliveries: number, { most, by }: RetryLimit): string {
  return `not consumed after ${redeliveries} of at most ${Math.max(0, most)} redeliveries (${by})`;
}
