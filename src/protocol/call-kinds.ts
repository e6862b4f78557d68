/**
 * Kinds of calls, as threads count them: which request, how it was answered, and on which way. Each kind is the number
 * of a row in a table, so that who counts one makes no key of it. Requests and answers that are not listed have a row
 * in common: there are as many rows as there are lines here, whatever clients send.
 */
import { RequestCode, ResponseCode } from './codes.ts';

/** What network threads ask the delivery agent. */
export const DELIVERY_REQUESTS: readonly number[] = [
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
];

/** What other threads than control answer. */
const REQUESTS: readonly number[] = [
  RequestCode.SEND_MESSAGE,
  RequestCode.SEND_MESSAGE_V2,
  RequestCode.SEND_BATCH_MESSAGE,
  RequestCode.SEND_REPLY_MESSAGE,
  RequestCode.SEND_REPLY_MESSAGE_V2,
  RequestCode.PULL_MESSAGE,
  RequestCode.LITE_PULL_MESSAGE,
  ...DELIVERY_REQUESTS,
];

/** What those are answered with; SUCCESS is the first. */
const ANSWERS: readonly number[] = [
  ResponseCode.SUCCESS,
  ResponseCode.SYSTEM_ERROR,
  ResponseCode.SYSTEM_BUSY,
  ResponseCode.FLUSH_DISK_TIMEOUT,
  ResponseCode.SLAVE_NOT_AVAILABLE,
  ResponseCode.FLUSH_SLAVE_TIMEOUT,
  ResponseCode.MESSAGE_ILLEGAL,
  ResponseCode.SERVICE_NOT_AVAILABLE,
  ResponseCode.NO_PERMISSION,
  ResponseCode.TOPIC_NOT_EXIST,
  ResponseCode.PULL_NOT_FOUND,
  ResponseCode.PULL_RETRY_IMMEDIATELY,
  ResponseCode.PULL_OFFSET_MOVED,
  ResponseCode.SUBSCRIPTION_PARSE_FAILED,
  ResponseCode.SUBSCRIPTION_NOT_EXIST,
  ResponseCode.SUBSCRIPTION_NOT_LATEST,
  ResponseCode.SUBSCRIPTION_GROUP_NOT_EXIST,
  ResponseCode.INVALID_PARAMETER,
  ResponseCode.NO_MESSAGE,
  ResponseCode.POLLING_FULL,
  ResponseCode.POLLING_TIMEOUT,
  ResponseCode.ILLEGAL_OPERATION,
  ResponseCode.LMQ_QUOTA_EXCEEDED,
  ResponseCode.LITE_SUBSCRIPTION_QUOTA_EXCEEDED,
];

/** Ways of calls: answered without a wait for messages, after one; one-way; to a connection that is closed. */
export const AT_ONCE = 0;
export const LONG_POLLING = 1;
export const ONEWAY = 2;
export const LOST = 3;
const WAYS = 4;

/** Of a request that is not listed; the code of what is not listed. */
export const OTHER_CALL = REQUESTS.length;
export const OTHER_CODE = -1;
const OTHER_ANSWER = ANSWERS.length;

export const CALL_ROWS = (REQUESTS.length + 1) * (ANSWERS.length + 1) * WAYS;

const CALLS = new Map(REQUESTS.map((code, number) => [code, number]));
const ANSWER_NUMBERS = new Map(ANSWERS.map((code, number) => [code, number]));

/** Of the codes up to here the number is found by index: sends and pulls are among them. */
const LOW_CODES = 512;
const LOW_CALLS = Uint8Array.from({ length: LOW_CODES }, (_, code) => CALLS.get(code) ?? OTHER_CALL);

/** Number of a request; it fits into a byte. */
export function callOf(code: number): number {
  return code >= 0 && code < LOW_CODES ? (LOW_CALLS[code] as number) : (CALLS.get(code) ?? OTHER_CALL);
}

/** The row of a call with this number that is answered with `code`. */
export function callRow(call: number, code: number, way: number): number {
  const answer = code === ResponseCode.SUCCESS ? 0 : (ANSWER_NUMBERS.get(code) ?? OTHER_ANSWER);
  return (call * (ANSWERS.length + 1) + answer) * WAYS + way;
}

export interface CallKind {
  /** OTHER_CODE: of none that is listed. */
  readonly request: number;
  readonly answer: number;
  readonly way: number;
}

/** What a row counts. */
export function callKind(row: number): CallKind {
  const place = Math.floor(row / WAYS);
  const [call, answer] = [Math.floor(place / (ANSWERS.length + 1)), place % (ANSWERS.length + 1)];
  return { request: REQUESTS[call] ?? OTHER_CODE, answer: ANSWERS[answer] ?? OTHER_CODE, way: row % WAYS };
}
