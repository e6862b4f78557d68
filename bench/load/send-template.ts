/**
 * One SEND_MESSAGE_V2 frame as a byte template: everything that differs between two messages has a fixed width and a
 * known place, so that making the next frame means writing digits, never encoding a header.
 */

export const REQUEST_SEND_V2 = 310;

/** Opaques lie in [OPAQUE_BASE, OPAQUE_BASE + OPAQUE_SPAN): always ten digits, always a positive int32. */
export const OPAQUE_BASE = 1_000_000_000;
export const OPAQUE_SPAN = 1_000_000_000;

export const TOPIC_DIGITS = 5;
export const COUNTER_DIGITS = 8;

export type HeaderFormat = 'json' | 'binary';

export interface SendShape {
  header: HeaderFormat;
  bodyBytes: number;
  /** Topics are named `<topic>_00000`, `<topic>_00001`, … when there is more than one, else `<topic>`. */
  topic: string;
  topics: number;
  tag: string;
  /** Adds a KEYS property, `K` and the counter, which the broker has to index besides the unique key. */
  keys: boolean;
  /** First part of every unique key, 24 characters: who sent, which run, which connection. */
  keyPrefix: string;
}

export interface SendTemplate {
  bytes: Uint8Array;
  header: HeaderFormat;
  opaqueAt: number;
  bornAt: number;
  queueAt: number;
  /** -1 when there is a single topic. */
  topicAt: number;
  /** Places of the message counter: in the unique key and, if asked for, in KEYS. */
  counterAt: number[];
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

/** Name, value and their separators; in JSON the two control characters are escaped. */
function layProperties(layout: Layout, shape: SendShape): number[] {
  const [is, end] = shape.header === 'json' ? ['\\u0001', '\\u0002'] : ['\x01', '\x02'];
  const counterAt: number[] = [];
  if (shape.keys) {
    counterAt.push(layout.add(`KEYS${is}K`).mark(ZERO_COUNTER));
    layout.add(end);
  }
  counterAt.push(layout.add(`UNIQ_KEY${is}${shape.keyPrefix}`).mark(ZERO_COUNTER));
  layout.add(`${end}WAIT${is}true${end}TAGS${is}${shape.tag}${end}`);
  return counterAt;
}

interface HeaderLayout extends Omit<SendTemplate, 'bytes' | 'header'> {
  header: Uint8Array;
}

/** The field order and the constant fields are those of the Java client 5.5.0. */
function layJsonHeader(shape: SendShape): HeaderLayout {
  const layout = new Layout();
  layout.add(`{"code":${REQUEST_SEND_V2},"extFields":{"a":"ringmq_bench","b":"${shape.topic}`);
  const topicAt = shape.topics > 1 ? layout.add('_').mark('0'.repeat(TOPIC_DIGITS)) : -1;
  const queueAt = layout.add('","c":"TBW102","d":"4","e":"').mark('0');
  const bornAt = layout.add('","f":"0","g":"').mark(ZERO_MILLIS);
  const counterAt = layProperties(layout.add('","h":"0","i":"'), shape);
  layout.add('","j":"0","k":"false","m":"false","n":"bench"},"flag":0,"language":"JAVA","opaque":');
  const opaqueAt = layout.mark(String(OPAQUE_BASE));
  layout.add(',"serializeTypeCurrentRPC":"JSON","version":513}');
  return { header: Buffer.from(layout.text, 'latin1'), opaqueAt, bornAt, queueAt, topicAt, counterAt };
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
  field('a', 'ringmq_bench');
  const topicValueAt = field('b', topic);
  field('c', 'TBW102');
  field('d', '4');
  const queueAt = field('e', '0');
  field('f', '0');
  const bornAt = field('g', ZERO_MILLIS);
  field('h', '0');
  const properties = new Layout();
  const countersInProperties = layProperties(properties, shape);
  const propertiesAt = field('i', properties.text);
  field('j', '0');
  field('k', 'false');
  field('m', 'false');
  field('n', 'bench');
  // code 2, language 1 (JAVA), version 2, opaque 4, flag 4, remark length 4, length of the fields 4
  const fixed = uint(2, REQUEST_SEND_V2) + uint(1, 0) + uint(2, 513) + uint(4, 0) + uint(4, 0) + uint(4, 0);
  return {
    header: Buffer.from(fixed + uint(4, layout.text.length) + layout.text, 'latin1'),
    opaqueAt: 5,
    bornAt: BINARY_FIXED_BYTES + bornAt,
    queueAt: BINARY_FIXED_BYTES + queueAt,
    topicAt: shape.topics > 1 ? BINARY_FIXED_BYTES + topicValueAt + shape.topic.length + 1 : -1,
    counterAt: countersInProperties.map((at) => BINARY_FIXED_BYTES + propertiesAt + at),
  };
}

/** Letters and digits in a fixed mixture; the brokers compress nothing, so only the size matters. */
function fillBody(target: Uint8Array): void {
  for (let index = 0; index < target.length; index++)
    target[index] = 0x41 + ((index * 7 + (index >> 5)) % 26);
}

const PREFIX_BYTES = 8;

export function buildSendTemplate(shape: SendShape): SendTemplate {
  const { header, ...places } = shape.header === 'json' ? layJsonHeader(shape) : layBinaryHeader(shape);
  const bytes = new Uint8Array(PREFIX_BYTES + header.length + shape.bodyBytes);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, bytes.length - 4);
  view.setUint32(4, header.length | ((shape.header === 'json' ? 0 : 1) << 24));
  bytes.set(header, PREFIX_BYTES);
  fillBody(bytes.subarray(PREFIX_BYTES + header.length));
  return {
    bytes,
    header: shape.header,
    opaqueAt: PREFIX_BYTES + places.opaqueAt,
    bornAt: PREFIX_BYTES + places.bornAt,
    queueAt: PREFIX_BYTES + places.queueAt,
    topicAt: places.topicAt < 0 ? -1 : PREFIX_BYTES + places.topicAt,
    counterAt: places.counterAt.map((at) => PREFIX_BYTES + at),
  };
}
