/**
 * One SEND_MESSAGE_V2 or SEND_BATCH_MESSAGE frame as a byte template: everything that differs between two messages has
 * a fixed width and a known place, so that making the next frame means writing digits, never encoding a header.
 */
import { buildBatchBody } from './batch-body.ts';
import { type DuePlan, dueProperty } from './due.ts';
import { batchKeyPrefix } from './unique-key.ts';

export const REQUEST_SEND_V2 = 310;
export const REQUEST_SEND_BATCH = 320;

/** Opaques lie in [OPAQUE_BASE, OPAQUE_BASE + OPAQUE_SPAN): always ten digits, always a positive int32. */
export const OPAQUE_BASE = 1_000_000_000;
export const OPAQUE_SPAN = 1_000_000_000;

export const PRODUCER_GROUP = 'ringmq_bench';
export const TOPIC_DIGITS = 5;
export const COUNTER_DIGITS = 8;

export type HeaderFormat = 'json' | 'binary';

export interface SendShape {
  header: HeaderFormat;
  /** Of each message. */
  bodyBytes: number;
  /** Messages in a request (1); more than one make it a SEND_BATCH_MESSAGE. */
  batch?: number;
  /** Topics are named `<topic>_00000`, `<topic>_00001`, … when there is more than one, else `<topic>`. */
  topic: string;
  topics: number;
  tag: string;
  /** Adds a KEYS property, `K` and the counter, which the broker has to index besides the unique key. */
  keys: boolean;
  /** First part of every unique key, 24 characters: who sent, which run, which connection. */
  keyPrefix: string;
  /** When the message is to come; single sends only. */
  due?: DuePlan;
  /** Client id of who waits for a reply: makes the message a request, whose correlation id is its unique key. */
  replyTo?: string;
  /** A half message, which stays invisible until it is committed; single sends only. */
  half?: boolean;
}

export interface SendTemplate {
  bytes: Uint8Array;
  header: HeaderFormat;
  opaqueAt: number;
  bornAt: number;
  queueAt: number;
  /** -1 when there is a single topic. */
  topicAt: number;
  /** Messages in the frame; message m has its places `m * messageStride` behind those of the first. */
  messages: number;
  messageStride: number;
  /** Places of the first message's counter: in the unique key and, if asked for, in KEYS. */
  counterAt: number[];
  /** Place of TIMER_DELIVER_MS, when each message has another one; else -1. */
  deliverTimeAt: number;
  /** Place of the counter in the key of the batch itself, which is that of its first message; -1 in a single send. */
  batchCounterAt: number;
}

/** ASCII text that remembers where its variable parts lie. */
class Layout {
  text = '';
  add(part: string): this {
    this.text += part;
    return this;
  }
  mark(part: string): number {
    const at = this.text.length;
    this.text += part;
    return at;
  }
}

const ZERO_COUNTER = '0'.repeat(COUNTER_DIGITS);
const ZERO_MILLIS = '0'.repeat(13);

type Separators = readonly [is: string, end: string];
const RAW: Separators = ['\x01', '\x02'];
const ESCAPED: Separators = ['\\u0001', '\\u0002'];

/** Places of what changes in the properties. */
interface PropertyPlaces {
  counterAt: number[];
  deliverTimeAt: number;
}

/** Properties of a message: in the header of a single send, where JSON escapes the separators, or in a batch item. */
function layProperties(layout: Layout, shape: SendShape, [is, end]: Separators): PropertyPlaces {
  const counterAt: number[] = [];
  if (shape.keys) {
    counterAt.push(layout.add(`KEYS${is}K`).mark(ZERO_COUNTER));
    layout.add(end);
  }
  counterAt.push(layout.add(`UNIQ_KEY${is}${shape.keyPrefix}`).mark(ZERO_COUNTER));
  layout.add(`${end}WAIT${is}true${end}TAGS${is}${shape.tag}${end}`);
  if (shape.replyTo !== undefined) {
    counterAt.push(layout.add(`CORRELATION_ID${is}${shape.keyPrefix}`).mark(ZERO_COUNTER));
    layout.add(`${end}REPLY_TO_CLIENT${is}${shape.replyTo}${end}TTL${is}3000${end}`);
  }
  if (shape.half === true) layout.add(`TRAN_MSG${is}true${end}PGROUP${is}${PRODUCER_GROUP}${end}`);
  return { counterAt, deliverTimeAt: layDue(layout, shape, [is, end]) };
}

/** Place of a time that differs from message to message, or -1. */
function layDue(layout: Layout, { due }: SendShape, [is, end]: Separators): number {
  const property = due === undefined ? undefined : dueProperty(due);
  if (due === undefined || property === undefined) return -1;
  const [name, value] = property;
  const at = layout.add(`${name}${is}`).mark(value);
  layout.add(end);
  return due.deliverAt > 0 && due.spreadMillis > 0 ? at : -1;
}

/** What the header of a request has as properties; those of a batch are few, its messages have their own. */
function layHeaderProperties(layout: Layout, shape: SendShape, separators: Separators): PropertyPlaces {
  if (batchOf(shape) === 1) return layProperties(layout, shape, separators);
  const [is, end] = separators;
  const counterAt = layout.add(`UNIQ_KEY${is}${batchKeyPrefix(shape.keyPrefix)}`).mark(ZERO_COUNTER);
  layout.add(`${end}WAIT${is}true${end}`);
  return { counterAt: [counterAt], deliverTimeAt: -1 };
}

function batchOf(shape: SendShape): number {
  return shape.batch ?? 1;
}

function requestCode(shape: SendShape): number {
  return batchOf(shape) === 1 ? REQUEST_SEND_V2 : REQUEST_SEND_BATCH;
}

/** The flag of the Java client's half messages; brokers go by TRAN_MSG. */
const SYS_FLAG_PREPARED = 4;

function sysFlag({ half }: SendShape): string {
  return half === true ? String(SYS_FLAG_PREPARED) : '0';
}

interface HeaderLayout extends PropertyPlaces {
  header: Uint8Array;
  opaqueAt: number;
  bornAt: number;
  queueAt: number;
  topicAt: number;
}

/** The field order and the constant fields are those of the Java client 5.5.0. */
function layJsonHeader(shape: SendShape): HeaderLayout {
  const layout = new Layout();
  layout.add(`{"code":${requestCode(shape)},"extFields":{"a":"${PRODUCER_GROUP}","b":"${shape.topic}`);
  const topicAt = shape.topics > 1 ? layout.add('_').mark('0'.repeat(TOPIC_DIGITS)) : -1;
  const queueAt = layout.add('","c":"TBW102","d":"4","e":"').mark('0');
  const bornAt = layout.add(`","f":"${sysFlag(shape)}","g":"`).mark(ZERO_MILLIS);
  const places = layHeaderProperties(layout.add('","h":"0","i":"'), shape, ESCAPED);
  layout.add(`","j":"0","k":"false","m":"${batchOf(shape) > 1}","n":"bench"},`);
  layout.add('"flag":0,"language":"JAVA","opaque":');
  const opaqueAt = layout.mark(String(OPAQUE_BASE));
  layout.add(',"serializeTypeCurrentRPC":"JSON","version":513}');
  return { header: Buffer.from(layout.text, 'latin1'), opaqueAt, bornAt, queueAt, topicAt, ...places };
}

const BINARY_FIXED_BYTES = 21;

function uint(width: number, value: number): string {
  const bytes = Buffer.alloc(width);
  bytes.writeUIntBE(value, 0, width);
  return bytes.toString('latin1');
}

/** Key length 2, key, value length 4, value; the same fields as in JSON. */
function layBinaryHeader(shape: SendShape): HeaderLayout {
  const layout = new Layout();
  const field = (name: string, value: string): number => {
    layout.add(uint(2, name.length) + name + uint(4, value.length));
    return layout.mark(value);
  };
  const topic = shape.topics > 1 ? `${shape.topic}_${'0'.repeat(TOPIC_DIGITS)}` : shape.topic;
  field('a', PRODUCER_GROUP);
  const topicValueAt = field('b', topic);
  field('c', 'TBW102');
  field('d', '4');
  const queueAt = field('e', '0');
  field('f', sysFlag(shape));
  const bornAt = field('g', ZERO_MILLIS);
  field('h', '0');
  const properties = new Layout();
  const places = layHeaderProperties(properties, shape, RAW);
  const propertiesAt = field('i', properties.text);
  field('j', '0');
  field('k', 'false');
  field('m', String(batchOf(shape) > 1));
  field('n', 'bench');
  // code 2, language 1 (JAVA), version 2, opaque 4, flag 4, remark length 4, length of the fields 4
  const fixed =
    uint(2, requestCode(shape)) + uint(1, 0) + uint(2, 513) + uint(4, 0) + uint(4, 0) + uint(4, 0);
  return {
    header: Buffer.from(fixed + uint(4, layout.text.length) + layout.text, 'latin1'),
    opaqueAt: 5,
    bornAt: BINARY_FIXED_BYTES + bornAt,
    queueAt: BINARY_FIXED_BYTES + queueAt,
    topicAt: shape.topics > 1 ? BINARY_FIXED_BYTES + topicValueAt + shape.topic.length + 1 : -1,
    counterAt: places.counterAt.map((at) => BINARY_FIXED_BYTES + propertiesAt + at),
    deliverTimeAt: moved(places.deliverTimeAt, BINARY_FIXED_BYTES + propertiesAt),
  };
}

/** Letters in a fixed mixture; the brokers compress nothing, so only the size matters. */
function messageBody(length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, index) => 0x41 + ((index * 7 + (index >> 5)) % 26));
}

interface BodyLayout {
  body: Uint8Array;
  messageStride: number;
  /** Places in the body. */
  counterAt: number[];
}

function layBody(shape: SendShape): BodyLayout {
  const body = messageBody(shape.bodyBytes);
  const messages = batchOf(shape);
  if (messages === 1) return { body, messageStride: 0, counterAt: [] };
  const layout = new Layout();
  const { counterAt } = layProperties(layout, shape, RAW);
  const items = buildBatchBody(messages, body, Buffer.from(layout.text, 'latin1'));
  const places = counterAt.map((at) => items.propertiesAt + at);
  return { body: items.bytes, messageStride: items.itemBytes, counterAt: places };
}

const PREFIX_BYTES = 8;

/** A place, seen from further ahead; -1 stays "nowhere". */
function moved(at: number, by: number): number {
  return at < 0 ? -1 : at + by;
}

export function buildSendTemplate(shape: SendShape): SendTemplate {
  const { header, ...places } = shape.header === 'json' ? layJsonHeader(shape) : layBinaryHeader(shape);
  const { body, messageStride, counterAt } = layBody(shape);
  const bodyAt = PREFIX_BYTES + header.length;
  const bytes = new Uint8Array(bodyAt + body.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, bytes.length - 4);
  view.setUint32(4, header.length | ((shape.header === 'json' ? 0 : 1) << 24));
  bytes.set(header, PREFIX_BYTES);
  bytes.set(body, bodyAt);
  const inHeader = places.counterAt.map((at) => PREFIX_BYTES + at);
  const messages = batchOf(shape);
  return {
    bytes,
    header: shape.header,
    opaqueAt: PREFIX_BYTES + places.opaqueAt,
    bornAt: PREFIX_BYTES + places.bornAt,
    queueAt: PREFIX_BYTES + places.queueAt,
    topicAt: moved(places.topicAt, PREFIX_BYTES),
    deliverTimeAt: moved(places.deliverTimeAt, PREFIX_BYTES),
    messages,
    messageStride,
    counterAt: messages === 1 ? inHeader : counterAt.map((at) => bodyAt + at),
    batchCounterAt: messages === 1 ? -1 : (inHeader[0] as number),
  };
}
