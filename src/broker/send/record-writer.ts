/**
 * Turns a send into stored records, written straight into the ring (or a slab): body, topic and properties are copied
 * once, from the socket's buffer to where the writer takes them.
 */

import { queueOfLevel } from '../../delivery/delay/levels.ts';
import { ONLY_QUEUE } from '../../delivery/transaction/half-message.ts';
import { sentSysFlag } from '../../delivery/waiting-form.ts';
import { type Bytes, copyBytes, copyWords } from '../../lib/copy-words.ts';
import { ABSENT } from '../../protocol/field-table.ts';
import type { RequestView } from '../../protocol/request-view.ts';
import { type RecordHead, withHostFlags, writeHead, writeTopicLength } from '../../record/encode.ts';
import { MAX_PROPERTIES, PROPERTY_VALUE_END, QUEUE_ID, recordSize } from '../../record/layout.ts';
import type { HostAddress } from '../../record/message-id.ts';
import {
  hasNul,
  PROPERTY_REAL_QUEUE_ID,
  PROPERTY_REAL_TOPIC,
  PROPERTY_TRANSACTION_ID,
} from '../../record/properties.ts';
import { PropertyScan } from '../../record/property-scan.ts';
import type { TopicView } from '../view/network-view.ts';
import { ITEM_BODY, ITEM_BODY_LENGTH, ITEM_FLAG } from './batch-item.ts';
import type { SendFields } from './send-fields.ts';

/** The record was written. */
export const WRITTEN = 0;
/** Properties longer than RocketMQ allows. */
export const PROPERTIES_TOO_LONG = -1;
/** A NUL byte among the properties. */
export const PROPERTIES_WITH_NUL = -3;
/** A delayed, timed or transactional message, or one that already has a broker's properties: for `GeneralSends`. */
export const UNUSUAL = -2;

/** Where a message waits. */
export interface Parking {
  readonly topic: TopicView;
  /** Delay levels that there are; 0: it is the half topic. */
  readonly levels: number;
}

const ZERO = 0x30;
const TRUE = 'true';
/** The bit in which lower case letters differ. */
const LOWER_CASE = 0x20;
/** Longest unique key of a half message that is written here. */
const LONGEST_HALF_KEY = 256;
/** What names the real topic and queue and the transaction's id, without topic and id, whatever the queue's number. */
const REAL_BYTES = 64;

export class RecordWriter {
  /**
   * Of the record written last: its queue, its size, and where in the target its unique key and WAIT stand (length 0:
   * not).
   */
  queueId = 0;
  size = 0;
  uniqueKeyOffset = 0;
  uniqueKeyLength = 0;
  /** The unique key is known to mean itself between JSON quotes. */
  plainKey = false;
  waitOffset = 0;
  waitLength = 0;
  readonly #scan = new PropertyScan();
  /** The properties copied last hold a NUL byte. */
  #nul = false;
  readonly #head: RecordHead;
  /** Properties that the broker adds to every message: MSG_REGION, TRACE_ON, CLUSTER. */
  #suffix: DataView = new DataView(new ArrayBuffer(0));
  /** A view's own is a call each time. */
  #suffixLength = 0;
  readonly #makeUniqueKey: () => string;

  constructor(storeHost: HostAddress, suffix: string, makeUniqueKey: () => string) {
    this.mark(suffix);
    this.#makeUniqueKey = makeUniqueKey;
    this.#head = {
      queueId: 0,
      flag: 0,
      sysFlag: 0,
      bornTimestamp: 0,
      bornHost: storeHost,
      storeHost,
      reconsumeTimes: 0,
      preparedTransactionOffset: 0,
    };
  }

  /** From here on the broker adds these properties. */
  mark(suffix: string): void {
    const bytes = Buffer.from(suffix);
    this.#suffix = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    this.#suffixLength = bytes.length;
  }

  /** Upper bound of the record's size; `parking`: see `write`. */
  bound(
    request: RequestView,
    fields: SendFields,
    topic: TopicView,
    parking: Parking | undefined,
    bornHost: HostAddress,
  ): number {
    const properties =
      fields.properties === ABSENT ? 0 : (request.fields.valueLength[fields.properties] as number);
    const sysFlag = withHostFlags(fields.sysFlag, bornHost, this.#head.storeHost);
    // The longest addition is a unique key (42 bytes), the suffix and a missing separator.
    const added = 64 + this.#suffixLength;
    if (parking === undefined)
      return recordSize(request.bodyLength, topic.bytes.length, properties + added, sysFlag);
    const real = REAL_BYTES + topic.bytes.length + LONGEST_HALF_KEY;
    return recordSize(request.bodyLength, parking.topic.bytes.length, properties + added + real, sysFlag);
  }

  /**
   * Writes the record of a single send at `at`. `parking`: where it waits, if it seems to; UNUSUAL if that is not so.
   */
  write(
    target: Bytes,
    at: number,
    request: RequestView,
    fields: SendFields,
    topic: TopicView,
    parking: Parking | undefined,
    queueId: number,
    bornHost: HostAddress,
  ): number {
    const { bodyLength } = request;
    const name = parking?.topic ?? topic;
    this.#fillHead(fields, queueId, fields.flag, bornHost);
    const bodyAt = writeHead(target.bytes, target.view, at, this.#head, 0, name.bytes.length, bodyLength);
    copyBytes(request, request.bodyOffset, target, bodyAt, bodyLength);
    const propertiesAt = this.#writeTopic(target, bodyAt + bodyLength, name);
    const found = this.#copyProperties(target, propertiesAt, request, fields);
    if (this.#nul) return PROPERTIES_WITH_NUL;
    this.queueId = parking === undefined ? queueId : parkingQueue(parking, found, target.bytes, propertiesAt);
    if (found.timer || found.brokerOwned || this.queueId < 0) return UNUSUAL;
    if (parking === undefined && (found.delayLength > 0 || found.transactional)) return UNUSUAL;
    if (parking !== undefined) target.view.setInt32(at + QUEUE_ID, this.queueId);
    this.waitOffset = propertiesAt + found.waitOffset;
    this.waitLength = found.waitLength;
    this.uniqueKeyOffset = propertiesAt + found.uniqueKeyOffset;
    this.uniqueKeyLength = found.uniqueKeyLength;
    let end = this.#addProperties(target, propertiesAt, found);
    if (parking !== undefined) end = this.#addReal(target.bytes, end, topic, queueId, parking.levels === 0);
    if (end - propertiesAt > MAX_PROPERTIES) return PROPERTIES_TOO_LONG;
    target.view.setInt16(propertiesAt - 2, end - propertiesAt);
    this.size = end - at;
    target.view.setInt32(at, this.size);
    return WRITTEN;
  }

  /**
   * Writes item `item` of a batch body as a record at `at`; returns the offset of the next item. Items were checked
   * by `BatchBody`.
   */
  writeItem(
    target: Bytes,
    at: number,
    request: RequestView,
    item: number,
    fields: SendFields,
    topic: TopicView,
    queueId: number,
    bornHost: HostAddress,
  ): number {
    const { view } = request;
    const bodyLength = view.getInt32(item + ITEM_BODY_LENGTH);
    const bodyFrom = item + ITEM_BODY;
    const propertiesLength = view.getInt16(bodyFrom + bodyLength);
    const propertiesFrom = bodyFrom + bodyLength + 2;
    this.#fillHead(fields, queueId, view.getInt32(item + ITEM_FLAG), bornHost);
    const bodyAt = writeHead(target.bytes, target.view, at, this.#head, 0, topic.bytes.length, bodyLength);
    copyBytes(request, bodyFrom, target, bodyAt, bodyLength);
    const propertiesAt = this.#writeTopic(target, bodyAt + bodyLength, topic);
    copyBytes(request, propertiesFrom, target, propertiesAt, propertiesLength);
    target.view.setInt16(propertiesAt - 2, propertiesLength);
    this.size = propertiesAt + propertiesLength - at;
    target.view.setInt32(at, this.size);
    return propertiesFrom + propertiesLength;
  }

  #fillHead(fields: SendFields, queueId: number, flag: number, bornHost: HostAddress): void {
    const head = this.#head;
    head.queueId = queueId;
    head.flag = flag;
    head.sysFlag = sentSysFlag(fields.sysFlag);
    head.bornTimestamp = fields.bornTimestamp;
    head.bornHost = bornHost;
    head.reconsumeTimes = fields.reconsumeTimes;
  }

  /** Writes topic length and topic; returns where the properties go, behind their length. */
  #writeTopic({ view }: Bytes, at: number, name: Bytes): number {
    const { length } = name.bytes;
    const to = writeTopicLength(view, at, length);
    copyWords(name.view, 0, view, to, length);
    return to + length + 2;
  }

  /** Copies the producer's properties to `at`; what was found in them, with offsets that count from `at`. */
  #copyProperties(
    { bytes, view }: Bytes,
    at: number,
    request: RequestView,
    { properties: field }: SendFields,
  ): PropertyScan {
    const { fields } = request;
    const known = field === ABSENT ? undefined : request.template?.properties(field);
    this.plainKey = known?.plainKey === true;
    if (known !== undefined) {
      this.#nul = known.nul;
      known.copy(request.view, fields.valueStart(field), view, at);
      return known.scan;
    }
    const length = field === ABSENT ? 0 : fields.copyTo(field, bytes, at);
    this.#nul = hasNul(view, at, at + length);
    this.#scan.scan(bytes, view, at, at + length, at);
    return this.#scan;
  }

  /** Puts the broker's own properties behind the producer's, which begin at `from`; returns the end. */
  #addProperties({ bytes, view }: Bytes, from: number, found: PropertyScan): number {
    let at = from + found.length;
    if (!found.terminated && at > from) bytes[at++] = PROPERTY_VALUE_END;
    if (found.uniqueKeyLength === 0) {
      const text = `UNIQ_KEY\x01${this.#makeUniqueKey()}\x02`;
      this.#addText(bytes, at, text);
      this.uniqueKeyOffset = at + 9;
      this.uniqueKeyLength = text.length - 10;
      this.plainKey = true;
      at += text.length;
    }
    copyWords(this.#suffix, 0, view, at, this.#suffixLength);
    return at + this.#suffixLength;
  }

  /** Where the message is to go, and of half a transaction by what that is known: its unique key. */
  #addReal(bytes: Uint8Array, from: number, topic: TopicView, queueId: number, isHalf: boolean): number {
    let at = this.#addText(bytes, from, `${PROPERTY_REAL_TOPIC}\x01`);
    bytes.set(topic.bytes, at);
    at += topic.bytes.length;
    at = this.#addText(bytes, at, `\x02${PROPERTY_REAL_QUEUE_ID}\x01${queueId}\x02`);
    if (!isHalf) return at;
    at = this.#addText(bytes, at, `${PROPERTY_TRANSACTION_ID}\x01`);
    bytes.copyWithin(at, this.uniqueKeyOffset, this.uniqueKeyOffset + this.uniqueKeyLength);
    at += this.uniqueKeyLength;
    bytes[at++] = PROPERTY_VALUE_END;
    return at;
  }

  #addText(bytes: Uint8Array, at: number, text: string): number {
    for (let i = 0; i < text.length; i++) bytes[at + i] = text.charCodeAt(i);
    return at + text.length;
  }
}

/** The queue of the parking in which the message waits; -1 when it does not wait there. */
function parkingQueue(
  { levels }: Parking,
  found: PropertyScan,
  bytes: Uint8Array,
  propertiesAt: number,
): number {
  const { delayOffset, delayLength, transactional, transactionOffset, transactionLength } = found;
  if (levels > 0) {
    const level = transactional ? 0 : levelIn(bytes, propertiesAt + delayOffset, delayLength);
    return level >= 1 && level <= levels ? queueOfLevel(level) : -1;
  }
  const { uniqueKeyLength } = found;
  const isHalf = delayLength === 0 && isTrue(bytes, propertiesAt + transactionOffset, transactionLength);
  return isHalf && uniqueKeyLength > 0 && uniqueKeyLength <= LONGEST_HALF_KEY ? ONLY_QUEUE : -1;
}

/** A delay level as clients write it; 0 for all that needs a closer look. */
function levelIn(bytes: Uint8Array, at: number, length: number): number {
  const first = (bytes[at] as number) - ZERO;
  if (length === 1) return first >= 1 && first <= 9 ? first : 0;
  const second = (bytes[at + 1] as number) - ZERO;
  return length === 2 && first >= 1 && first <= 9 && second >= 0 && second <= 9 ? 10 * first + second : 0;
}

/** Whether the text is "true" in any case. */
function isTrue(bytes: Uint8Array, at: number, length: number): boolean {
  if (length !== TRUE.length) return false;
  for (let i = 0; i < TRUE.length; i++)
    if (((bytes[at + i] as number) | LOWER_CASE) !== TRUE.charCodeAt(i)) return false;
  return true;
}
