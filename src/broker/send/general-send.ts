/**
 * Sends whose properties ask for something: a delay, a time, a transaction, or that bring properties which only a
 * broker may set. They are read into a map, checked, and written in general; network threads do that for what producers
 * send, control for what consumers send to retry topics.
 */
import { delayLevelOf, delayProblem, rewriteForDelay } from '../../delivery/delay/rewrite.ts';
import { ResponseCode } from '../../protocol/codes.ts';
import { ABSENT } from '../../protocol/field-table.ts';
import type { RequestView } from '../../protocol/request-view.ts';
import { encodeRecord } from '../../record/encode.ts';
import { MAX_PROPERTIES } from '../../record/layout.ts';
import type { HostAddress } from '../../record/message-id.ts';
import {
  encodeProperties,
  NUL_REMARK,
  PROPERTY_CLUSTER,
  PROPERTY_MSG_REGION,
  PROPERTY_TRACE_ON,
  PROPERTY_TRANSACTION,
  PROPERTY_UNIQUE_KEY,
  PROPERTY_WAIT,
  parseProperties,
} from '../../record/properties.ts';
import type { NetworkView } from '../view/network-view.ts';
import type { SendFields } from './send-fields.ts';

const TIMER_PROPERTIES = ['TIMER_DELIVER_MS', 'TIMER_DELAY_SEC', 'TIMER_DELAY_MS'];

export interface Refusal {
  readonly code: number;
  readonly remark: string;
}

/** What a broker says of itself in every message. */
export interface BrokerMarks {
  readonly regionId: string;
  readonly traceOn: boolean;
  readonly clusterName: string;
}

/** The properties of a send, or why it cannot be taken. */
export function readProperties(
  text: string,
  sysFlag: number,
  maxDelayLevel: number,
): Map<string, string> | Refusal {
  if (text.includes('\0')) return { code: ResponseCode.MESSAGE_ILLEGAL, remark: NUL_REMARK };
  const properties = parseProperties(text);
  const problem = delayProblem(properties, sysFlag, maxDelayLevel);
  if (problem !== undefined) return { code: ResponseCode.SYSTEM_ERROR, remark: problem };
  if (properties.get(PROPERTY_TRANSACTION)?.toLowerCase() === 'true') {
    const remark = 'this broker does not take transactional messages yet: send it as a plain message';
    return { code: ResponseCode.NO_PERMISSION, remark };
  }
  if (TIMER_PROPERTIES.some((name) => properties.has(name)) && delayLevelOf(properties) <= 0) {
    const remark = 'timer message is not supported by this broker yet: use a delay level (DELAY) instead';
    return { code: ResponseCode.SYSTEM_ERROR, remark };
  }
  return properties;
}

/** The marks as the properties that they are. */
export function encodeMarks(marks: BrokerMarks): string {
  const properties = new Map<string, string>();
  setMarks(properties, marks);
  return encodeProperties(properties);
}

function setMarks(properties: Map<string, string>, { regionId, traceOn, clusterName }: BrokerMarks): void {
  properties.set(PROPERTY_MSG_REGION, regionId);
  properties.set(PROPERTY_TRACE_ON, String(traceOn));
  properties.set(PROPERTY_CLUSTER, clusterName);
}

/** Adds what a broker adds to a message, in place of what it came with, but a unique key only if it has none. */
export function markProperties(
  properties: Map<string, string>,
  marks: BrokerMarks,
  makeUniqueKey: () => string,
): void {
  if (!properties.has(PROPERTY_UNIQUE_KEY)) properties.set(PROPERTY_UNIQUE_KEY, makeUniqueKey());
  setMarks(properties, marks);
}

/** A record that is ready to be appended. */
export interface GeneralRecord {
  readonly bytes: Uint8Array;
  /** Id of its queue in the queue directory. */
  readonly queue: number;
  readonly uniqueKey: string;
  /** The producer does not wait for the flush. */
  readonly noWait: boolean;
}

export interface GeneralSendParts {
  view: NetworkView;
  storeHost: HostAddress;
  marks: BrokerMarks;
  makeUniqueKey: () => string;
  maxDelayLevel: number;
  /** Said of properties that are too long. */
  illegalRemark: string;
}

export class GeneralSends {
  readonly #parts: GeneralSendParts;

  constructor(parts: GeneralSendParts) {
    this.#parts = parts;
  }

  /** The record of a single send to a queue of a topic, wherever it is parked until then; or why there is none. */
  record(
    request: RequestView,
    fields: SendFields,
    topic: string,
    queueId: number,
    bornHost: HostAddress,
  ): GeneralRecord | Refusal {
    const { marks, makeUniqueKey, maxDelayLevel, storeHost, view, illegalRemark } = this.#parts;
    const { sysFlag, flag, bornTimestamp, reconsumeTimes } = fields;
    const text = fields.properties === ABSENT ? '' : request.fields.text(fields.properties);
    const properties = readProperties(text, sysFlag, maxDelayLevel);
    if (!(properties instanceof Map)) return properties;
    markProperties(properties, marks, makeUniqueKey);
    const message = rewriteForDelay({ topic, queueId, sysFlag, properties }, maxDelayLevel);
    const encoded = Buffer.from(encodeProperties(message.properties));
    if (encoded.length > MAX_PROPERTIES) return { code: ResponseCode.MESSAGE_ILLEGAL, remark: illegalRemark };
    const target = view.topics.getByName(message.topic);
    const queue = target?.queues[message.queueId];
    if (target === undefined || queue === undefined) {
      const remark = `no queue ${message.queueId} in ${message.topic}`;
      return { code: ResponseCode.TOPIC_NOT_EXIST, remark };
    }
    const hosts = { bornHost, storeHost };
    const head = { queueId: message.queueId, flag, sysFlag, bornTimestamp, reconsumeTimes, ...hosts };
    const { bodyOffset, bodyLength } = request;
    const body = request.bytes.subarray(bodyOffset, bodyOffset + bodyLength);
    return {
      bytes: encodeRecord({ ...head, preparedTransactionOffset: 0 }, target.bytes, body, encoded),
      queue: queue.id,
      uniqueKey: properties.get(PROPERTY_UNIQUE_KEY) ?? '',
      noWait: properties.get(PROPERTY_WAIT)?.toLowerCase() === 'false',
    };
  }
}
