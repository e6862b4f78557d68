/**
 * Requests that a slave leaves to its master: what would write messages, or change what it takes over. RocketMQ's
 * slaves refuse the same topics and groups, and put no message either.
 */
import { DELIVERY_REQUESTS } from '../../protocol/call-kinds.ts';
import { RequestCode, ResponseCode } from '../../protocol/codes.ts';
import { SLAVE_TAKES_NO_MESSAGES } from '../../store/put/append-failure.ts';

/** They would have messages written: what delivery does, which does not run here, and a message that is given back. */
const WRITES: ReadonlySet<number> = new Set([...DELIVERY_REQUESTS, RequestCode.CONSUMER_SEND_MSG_BACK]);

/** They would change what is taken over. */
const CONFIGURES: ReadonlySet<number> = new Set([
  RequestCode.UPDATE_AND_CREATE_TOPIC,
  RequestCode.UPDATE_AND_CREATE_TOPIC_LIST,
  RequestCode.UPDATE_AND_CREATE_STATIC_TOPIC,
  RequestCode.DELETE_TOPIC_IN_BROKER,
  RequestCode.PURGE_TOPIC,
  RequestCode.UPDATE_AND_CREATE_SUBSCRIPTIONGROUP,
  RequestCode.UPDATE_AND_CREATE_SUBSCRIPTIONGROUP_LIST,
  RequestCode.DELETE_SUBSCRIPTIONGROUP,
]);

const CONFIGURED_BY_MASTER =
  "Can't modify topic or subscription group from slave broker, please execute it from master broker.";

/** Code and remark for a request that a slave does not serve; undefined = it does. */
export function leftToMaster(code: number): [code: number, remark: string] | undefined {
  if (WRITES.has(code)) return [ResponseCode.SERVICE_NOT_AVAILABLE, SLAVE_TAKES_NO_MESSAGES];
  return CONFIGURES.has(code) ? [ResponseCode.NO_PERMISSION, CONFIGURED_BY_MASTER] : undefined;
}
