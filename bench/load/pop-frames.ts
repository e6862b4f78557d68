/**
 * The frames of a consumer that pops: fields and their order as the Java client 5.5.0 has them. A frame is a copy of a
 * template with some digits written in place.
 */
import { RequestCode } from '../../src/protocol/codes.ts';
import { writeDecimal, writeMillis } from './digits.ts';
import { OPAQUE_BASE, OPAQUE_SPAN } from './send-template.ts';

/** What the pops and acknowledgements of a group have in common. */
export interface PopShape {
  group: string;
  topic: string;
  /** It comes back in every acknowledgement. */
  brokerName: string;
  /** Messages that one pop may bring. */
  batch: number;
}

/** The Java push consumer's: how long messages are its own, and how long the broker may hold a pop. */
const INVISIBLE_MILLIS = 60_000;
const POLL_MILLIS = 15_000;

/** Opaques of pops lie above those of acknowledgements and have ten digits too. */
export const POP_OPAQUE_BASE = OPAQUE_BASE + OPAQUE_SPAN;
export const POP_OPAQUE_SPAN = 100_000_000;

const PREFIX_BYTES = 8;
const OPAQUE_DIGITS = 10;
const ZERO_MILLIS = '0'.repeat(13);

function frameOf(code: number, fields: readonly (readonly [name: string, value: string])[]): Buffer {
  const text = fields.map(([name, value]) => `"${name}":"${value}"`).join(',');
  const rest = `"flag":0,"language":"JAVA","opaque":${OPAQUE_BASE},"serializeTypeCurrentRPC":"JSON","version":513`;
  const header = `{"code":${code},"extFields":{${text}},${rest}}`;
  const frame = Buffer.alloc(PREFIX_BYTES + header.length);
  frame.writeInt32BE(frame.length - 4, 0);
  frame.writeInt32BE(header.length, 4);
  frame.write(header, PREFIX_BYTES, 'latin1');
  return frame;
}

function behind(frame: Buffer, text: string): number {
  return frame.lastIndexOf(text, undefined, 'latin1') + text.length;
}

/** The pop of one connection: all queues of a topic, from their start where the group is new. */
export class PopFrame {
  readonly #frame: Buffer;
  readonly #bornAt: number;
  readonly #opaqueAt: number;

  constructor({ group, topic, brokerName, batch }: PopShape) {
    this.#frame = frameOf(RequestCode.POP_MESSAGE, [
      ['pollTime', String(POLL_MILLIS)],
      ['invisibleTime', String(INVISIBLE_MILLIS)],
      ['queueId', '-1'],
      ['bornTime', ZERO_MILLIS],
      ['maxMsgNums', String(batch)],
      ['bname', brokerName],
      ['topic', topic],
      ['expType', 'TAG'],
      ['exp', '*'],
      ['consumerGroup', group],
      ['initMode', '0'],
      ['order', 'false'],
    ]);
    this.#bornAt = behind(this.#frame, '"bornTime":"');
    this.#opaqueAt = behind(this.#frame, '"opaque":');
  }

  /** The request; its bytes are those of the one before, which must have been written. */
  fill(opaque: number, bornMillis: number): Buffer {
    writeMillis(this.#frame, this.#bornAt, bornMillis);
    // an opaque is below 2^31, as the digits of a number must be
    writeDecimal(this.#frame, this.#opaqueAt, OPAQUE_DIGITS, opaque);
    return this.#frame;
  }
}

/** What the messages of one pop and one queue have in common in their acknowledgements. */
export interface PopPlace {
  queueId: number;
  startOffset: number;
  /** As they came in the answer. */
  popTime: string;
  invisibleTime: string;
  reviveQueueId: string;
}

/** What is written lies in slabs that are used up from begin to end: the socket may still read from it later. */
const SLAB_BYTES = 256 << 10;
/** Offsets with more digits than an int32 has are not written in place. */
const WRITABLE = 1e9;

/** Acknowledgements of messages, one frame each, gathered to be written at once. */
export class AckFrames {
  readonly #shape: PopShape;
  #place: PopPlace | undefined;
  #template: Buffer = Buffer.alloc(0);
  /** Offsets with the digits of the template. */
  #from = 0;
  #to = 0;
  #digits = 0;
  #offsetAt = 0;
  /** Where it stands again, as the end of the extra info. */
  #offsetAgainAt = 0;
  #opaqueAt = 0;
  #slab: Buffer = Buffer.alloc(0);
  /** What was not yet taken: [first, used). */
  #first = 0;
  #used = 0;

  constructor(shape: PopShape) {
    this.#shape = shape;
  }

  /** What follows are messages of this pop and queue. */
  begin(place: PopPlace): void {
    this.#place = place;
    this.#to = 0;
  }

  add(opaque: number, offset: number): void {
    if (offset < this.#from || offset >= this.#to) this.#encode(offset);
    const { length } = this.#template;
    if (this.#slab.length - this.#used < length) this.#newSlab();
    const slab = this.#slab;
    const at = this.#used;
    slab.set(this.#template, at);
    writeDecimal(slab, at + this.#offsetAt, this.#digits, offset);
    writeDecimal(slab, at + this.#offsetAgainAt, this.#digits, offset);
    writeDecimal(slab, at + this.#opaqueAt, OPAQUE_DIGITS, opaque);
    this.#used = at + length;
  }

  /** The frames since the last time; undefined when there are none. */
  take(): Buffer | undefined {
    if (this.#used === this.#first) return undefined;
    const frames = this.#slab.subarray(this.#first, this.#used);
    this.#first = this.#used;
    return frames;
  }

  #newSlab(): void {
    const slab = Buffer.allocUnsafe(SLAB_BYTES);
    slab.set(this.#slab.subarray(this.#first, this.#used));
    this.#slab = slab;
    this.#used -= this.#first;
    this.#first = 0;
  }

  #encode(offset: number): void {
    if (offset >= WRITABLE) throw new Error(`acknowledgements of offset ${offset} are not provided for`);
    const { group, topic, brokerName } = this.#shape;
    const { queueId, startOffset, popTime, invisibleTime, reviveQueueId } = this.#place as PopPlace;
    const info = [startOffset, popTime, invisibleTime, reviveQueueId, 0, brokerName, queueId, offset];
    this.#template = frameOf(RequestCode.ACK_MESSAGE, [
      ['queueId', String(queueId)],
      ['offset', String(offset)],
      ['bname', brokerName],
      ['topic', topic],
      ['consumerGroup', group],
      ['extraInfo', info.join(' ')],
    ]);
    this.#digits = String(offset).length;
    this.#from = this.#digits === 1 ? 0 : 10 ** (this.#digits - 1);
    this.#to = 10 ** this.#digits;
    this.#offsetAt = behind(this.#template, '"offset":"');
    this.#offsetAgainAt = behind(this.#template, '"},"flag"') - '"},"flag"'.length - this.#digits;
    this.#opaqueAt = behind(this.#template, '"opaque":');
  }
}
