/**
 * Requests that a slave leaves to its master: what would write messages, or change what it takes over. RocketMQ's
 * slaves refuse the same topics and groups, and put no message either.
 */
import { RequestCode, ResponseCode } from '../../protocol/codes.ts';
import { SLAVE_TAKES_NO_MESSAGES } from '../../store/put/append-failure.ts';

/** Of the data path: they would have messages written. */
const DELIVERED: ReadonlySet<number> = new Set([
  RequestCode.END_TRANSACTION,
  RequestCode.POP_MESSAGE,
  RequestCode.ACK_MESSAGE,
  RequestCode.BATCH_ACK_MESSAGE,
  RequestCode.CHANGE_MESSAGE_INVISIBLETIME,
  RequestCode.NOTIFICATION,
  RequestCode.PEEK_MESSAGE,
  RequestCode.POLLING_INFO,
  RequestCode.POP_LITE_MESSAGE,
  RequestCode.LITE_SUBSCRIPTION_CTL,
]);

/** Of the control path. */
const CONFIGURED: ReadonlySet<number> = new Set([
  RequestCode.UPDATE_AND_CREATE_TOPIC,
  RequestCode.UPDATE_AND_CREATE_TOPIC_LIST,
  RequestCode.UPDATE_AND_CREATE_STATIC_TOPIC,
  RequestCode.DELETE_TOPIC_IN_BROKER,
  RequestCode.PURGE_TOPIC,
  RequestCode.UPDATE_AND_CREATE_SUBSCRIPTIONGROUP,
  RequestCode.UPDATE_AND_CREATE_SUBSCRIPTIONGROUP_LIST,
  RequestCode.DELETE_SUBSCRIPTIONGROUP,
  RequestCode.CONSUMER_SEND_MSG_BACK,
]);

/** Code and remark for a request that a slave does not serve; undefined = it does. */
export function leftToMaster(code: number): [code: number, remark: string] | undefined {
  if (DELIVERED.has(code)) return [ResponseCode.SERVICE_NOT_AVAILABLE, SLAVE_TAKES_NO_MESSAGES];
  if (!CONFIGURED.has(code)) return undefined;
  return code === RequestCode.CONSUMER_SEND_MSG_BACK
    ? [ResponseCode.SERVICE_NOT_AVAILABLE, SLAVE_TAKES_NO_MESSAGES]
    : [
        ResponseCode.NO_PERMISSION,
        "Can't modify topic or subscription group from slave broker, please execute it from master broker.",
      ];
}
