/**
 * Sends whose properties ask for something: a delay, a time, a transaction, a priority, or that bring properties which
 * only a broker may set. They are read into a map, checked, and written in general; network threads do that for what
 * producers send, control for what consumers send to retry topics.
 */
import { recallHandleOf } from '../../delivery/timer/rewrite.ts';
import {
  type Refusal,
  sentSysFlag,
  type WaitingRules,
  waitingForm,
  waitingProblem,
} from '../../delivery/waiting-form.ts';
import { LITE_QUEUE_ID, liteQueueOf, liteTopicProblem } from '../../lib/lite-names.ts';
import { TIMER_TOPIC } from '../../lib/names.ts';
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
  PROPERTY_LITE_TOPIC,
  PROPERTY_MSG_REGION,
  PROPERTY_MULTI_DISPATCH,
  PROPERTY_MULTI_QUEUE_OFFSET,
  PROPERTY_TRACE_ON,
  PROPERTY_UNIQUE_KEY,
  PROPERTY_WAIT,
  parseProperties,
} from '../../record/properties.ts';
import { secondDigitsIn, setSecondQueue } from '../../record/second-queue.ts';
import type { NetworkView, TopicView } from '../view/network-view.ts';
import { queueByPriority } from './priority.ts';
import type { SendFields } from './send-fields.ts';

const LITE_WAITS_REMARK = 'a message to a lite topic cannot be delayed, timed or part of a transaction';

/** What a broker says of itself in every message. */
export interface BrokerMarks {
  readonly regionId: string;
  readonly traceOn: boolean;
  readonly clusterName: string;
}

/** The properties of a send, or why it cannot be taken. */
export function readProperties(text: string): Map<string, string> | Refusal {
  if (text.includes('\0')) return { code: ResponseCode.MESSAGE_ILLEGAL, remark: NUL_REMARK };
  return parseProperties(text);
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
  /** The queue of its topic to which it goes, now or when it is due. */
  readonly queueId: number;
  readonly uniqueKey: string;
  /** By what a timed message can be recalled; undefined for others. */
  readonly recallHandle: string | undefined;
  /** The producer does not wait for the flush. */
  readonly noWait: boolean;
  /** Of a lite topic: id of its queue, and where in `bytes` the number in that queue goes. */
  readonly second: { readonly queue: number; readonly digitsAt: number } | undefined;
}

/** The message goes to a lite topic that is not known here: the name of its queue. */
export interface AwaitsLite {
  readonly liteQueue: string;
}

export interface GeneralSendParts {
  view: NetworkView;
  storeHost: HostAddress;
  marks: () => BrokerMarks;
  makeUniqueKey: () => string;
  rules: () => WaitingRules;
  brokerName: string;
  /** Ms since the epoch. */
  wallClock: () => number;
  /** Whether messages for it wait that came earlier, when it was not known. */
  isAwaited: (topic: string) => boolean;
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
    { name: topic, writeQueueNums, lite }: TopicView,
    wantedQueue: number,
    bornHost: HostAddress,
  ): GeneralRecord | AwaitsLite | Refusal {
    const { marks, makeUniqueKey, storeHost, view, illegalRemark, brokerName } = this.#parts;
    const { flag, bornTimestamp, reconsumeTimes } = fields;
    const properties = readProperties(
      fields.properties === ABSENT ? '' : request.fields.text(fields.properties),
    );
    if (!(properties instanceof Map)) return properties;
    const [rules, now] = [this.#parts.rules(), this.#parts.wallClock()];
    for (const name of [PROPERTY_MULTI_DISPATCH, PROPERTY_MULTI_QUEUE_OFFSET]) properties.delete(name);
    const problem = waitingProblem({ properties, reconsumeTimes }, rules, now);
    if (problem !== undefined) return problem;
    const second = lite ? this.#secondQueue(topic, properties) : undefined;
    if (second !== undefined && !('queue' in second)) return second;
    const queueId = queueByPriority(properties, wantedQueue, writeQueueNums);
    markProperties(properties, marks(), makeUniqueKey);
    const sent = { topic, queueId, sysFlag: sentSysFlag(fields.sysFlag), reconsumeTimes, properties };
    const message = waitingForm(sent, rules, now);
    if (second !== undefined && message.topic !== topic)
      return { code: ResponseCode.MESSAGE_ILLEGAL, remark: LITE_WAITS_REMARK };
    const uniqueKey = properties.get(PROPERTY_UNIQUE_KEY) ?? '';
    const encoded = Buffer.from(encodeProperties(message.properties));
    if (encoded.length > MAX_PROPERTIES) return { code: ResponseCode.MESSAGE_ILLEGAL, remark: illegalRemark };
    const target = view.topics.getByName(message.topic);
    const queue = target?.queues[message.queueId];
    if (target === undefined || queue === undefined) {
      const remark = `no queue ${message.queueId} in ${message.topic}`;
      return { code: ResponseCode.TOPIC_NOT_EXIST, remark };
    }
    const { sysFlag } = message;
    const head = {
      queueId: message.queueId,
      flag,
      sysFlag,
      bornTimestamp,
      bornHost,
      storeHost,
      reconsumeTimes,
      preparedTransactionOffset: 0,
    };
    const { bodyOffset, bodyLength } = request;
    const body = request.bytes.subarray(bodyOffset, bodyOffset + bodyLength);
    const bytes = encodeRecord(head, target.bytes, body, encoded);
    return {
      bytes,
      // The properties stand at the record's end.
      second: second && {
        queue: second.queue,
        digitsAt: bytes.length - encoded.length + secondDigitsIn(encoded),
      },
      queue: queue.id,
      queueId,
      uniqueKey,
      recallHandle:
        message.topic === TIMER_TOPIC
          ? recallHandleOf(topic, brokerName, message.properties, uniqueKey)
          : undefined,
      noWait: properties.get(PROPERTY_WAIT)?.toLowerCase() === 'false',
    };
  }

  /** Names it in the properties; undefined for a message that goes to no lite topic. */
  #secondQueue(
    topic: string,
    properties: Map<string, string>,
  ): { queue: number } | AwaitsLite | Refusal | undefined {
    const liteTopic = properties.get(PROPERTY_LITE_TOPIC);
    if (liteTopic === undefined) return undefined;
    const problem = liteTopicProblem(topic, liteTopic);
    if (problem !== undefined) return { code: ResponseCode.MESSAGE_ILLEGAL, remark: problem };
    const liteQueue = liteQueueOf(topic, liteTopic);
    const queue = this.#parts.view.topics.getByName(liteQueue)?.queues[LITE_QUEUE_ID];
    if (queue === undefined || this.#parts.isAwaited(liteQueue)) return { liteQueue };
    setSecondQueue(properties, liteQueue);
    return { queue: queue.id };
  }
}
