// A consumer that pops, made of raw frames, apart from any code of the broker under test.
//
// What makes a message acknowledgeable, its handle: eight fields with a blank between them.
//   | start offset | pop time | invisible time | revive queue | 0 topic, 1 or 2 retry topic | broker | queue | offset |

import { RawConnection, type RawRequest, type RawResponse } from './raw.ts';
import { decodeRecords, type StoredRecord } from './records.ts';
import type { Broker } from './servers.ts';

const POP = 200_050;
const ACK = 200_051;
const PEEK = 200_052;
const CHANGE_INVISIBLE_TIME = 200_053;
const NOTIFICATION = 200_054;
const POLLING_INFO = 200_055;
const BATCH_ACK = 200_151;

/** The number of the revive queue that ordered pops tell. */
export const ORDERED = 999;

export type Fields = Readonly<Record<string, string | number | undefined>>;

export interface PoppedMessage extends StoredRecord {
  readonly handle: string;
  /** Where it lies: its topic or the retry topic of the group. */
  readonly source: string;
}

export interface PopAnswer {
  readonly code: number;
  readonly remark: string | undefined;
  readonly fields: Readonly<Record<string, string>>;
  readonly messages: readonly PoppedMessage[];
}

export interface NewHandle {
  readonly code: number;
  readonly remark: string | undefined;
  readonly fields: Readonly<Record<string, string>>;
  readonly handle: string;
}

/** Some offsets of a pop, as BATCH_ACK_MESSAGE names them. */
export interface Batch {
  readonly messages: readonly PoppedMessage[];
  /** These fields instead of those of the first message's handle. */
  readonly fields?: Readonly<Record<string, unknown>>;
}

export class Popper {
  readonly connection: RawConnection;
  readonly group: string;
  readonly #broker: Broker;

  private constructor(connection: RawConnection, group: string, broker: Broker) {
    this.connection = connection;
    this.group = group;
    this.#broker = broker;
  }

  static async open(broker: Broker, group: string): Promise<Popper> {
    return new Popper(await RawConnection.open(broker.address), group, broker);
  }

  async pop(topic: string, fields: Fields = {}): Promise<PopAnswer> {
    return this.read(topic, await this.connection.request(this.popRequest(topic, fields)));
  }

  /** Does not wait for the answer: `answered` is to be asked for it. */
  begin(topic: string, fields: Fields = {}): number {
    return this.connection.send(this.popRequest(topic, fields));
  }

  async answered(topic: string, opaque: number): Promise<PopAnswer> {
    return this.read(topic, await this.connection.response(opaque));
  }

  /** By default: all queues from the first message on, without waiting, invisible for a minute. */
  popRequest(topic: string, fields: Fields = {}): RawRequest {
    return this.#request(POP, {
      topic,
      queueId: -1,
      maxMsgNums: 32,
      invisibleTime: 60_000,
      pollTime: 0,
      bornTime: Date.now(),
      initMode: 0,
      expType: 'TAG',
      exp: '*',
      ...fields,
    });
  }

  /** Pops until so many messages have come, all of them visible by then or soon. */
  async popAll(topic: string, count: number, fields: Fields = {}): Promise<PoppedMessage[]> {
    const messages: PoppedMessage[] = [];
    const until = Date.now() + 30_000;
    while (messages.length < count) {
      if (Date.now() > until) throw new Error(`${messages.length} of ${count} messages of ${topic} popped`);
      const answer = await this.pop(topic, { pollTime: 2_000, ...fields });
      messages.push(...answer.messages);
    }
    return messages;
  }

  read(topic: string, { code, remark, extFields: fields = {}, body }: RawResponse): PopAnswer {
    const starts = new Map<string, string>();
    for (const entry of (fields['startOffsetInfo'] ?? '').split(';').filter((text) => text !== '')) {
      const [retry, queue, start] = entry.split(' ');
      starts.set(`${retry} ${queue}`, String(start));
    }
    const { popTime, invisibleTime, reviveQid } = fields;
    const messages = decodeRecords(body).map((record) => {
      const { queueId, queueOffset, properties } = record;
      const start = starts.get(`0 ${queueId}`);
      const own = [start, popTime, invisibleTime, reviveQid, 0, this.#broker.name, queueId, queueOffset];
      const handle = properties['POP_CK'] ?? own.join(' ');
      return { ...record, handle, source: this.#source(topic, handle) };
    });
    return { code, remark, fields, messages };
  }

  #source(topic: string, handle: string): string {
    const retry = handle.split(' ')[4];
    return retry === '0' ? topic : this.retryTopic(topic);
  }

  retryTopic(topic: string): string {
    return `%RETRY%${this.group}_${topic}`;
  }

  ack(message: PoppedMessage, fields: Fields = {}): Promise<RawResponse> {
    return this.connection.request(this.#request(ACK, { ...placeOf(message), ...fields }));
  }

  batchAck(...batches: readonly Batch[]): Promise<RawResponse> {
    const acks = batches.map((batch) => this.#batch(batch));
    const body = Buffer.from(JSON.stringify({ brokerName: this.#broker.name, acks }));
    return this.connection.request({ code: BATCH_ACK, body });
  }

  #batch({ messages: [first, ...others], fields = {} }: Batch): object {
    if (first === undefined) throw new Error('a batch without messages');
    const [start, popTime, invisible, revive, retry, , queue] = first.handle.split(' ');
    const offsets = [first, ...others].map(({ queueOffset }) => queueOffset - Number(start));
    return {
      c: this.group,
      t: first.topic,
      r: retry,
      so: Number(start),
      q: Number(queue),
      rq: Number(revive),
      pt: Number(popTime),
      it: Number(invisible),
      b: bitSet(offsets),
      ...fields,
    };
  }

  /** Makes a message visible again after so many ms. */
  async change(message: PoppedMessage, invisibleTime: number, fields: Fields = {}): Promise<NewHandle> {
    const ext = { ...placeOf(message), invisibleTime, ...fields };
    const answer = await this.connection.request(this.#request(CHANGE_INVISIBLE_TIME, ext));
    const { code, remark, extFields = {} } = answer;
    const { popTime, invisibleTime: hidden, reviveQid } = extFields;
    const [, , , , retry, broker, queue, offset] = message.handle.split(' ');
    const handle = [offset, popTime, hidden, reviveQid, retry, broker, queue, offset].join(' ');
    return { code, remark, fields: extFields, handle };
  }

  async peek(topic: string, fields: Fields = {}): Promise<PopAnswer> {
    const ext = { topic, queueId: -1, maxMsgNums: 32, ...fields };
    const answer = await this.connection.request(this.#request(PEEK, ext));
    const { code, remark, extFields = {}, body } = answer;
    const messages = decodeRecords(body).map((record) => ({ ...record, handle: '', source: topic }));
    return { code, remark, fields: extFields, messages };
  }

  notificationRequest(topic: string, fields: Fields = {}): RawRequest {
    return this.#request(NOTIFICATION, { topic, queueId: -1, pollTime: 0, bornTime: Date.now(), ...fields });
  }

  notification(topic: string, fields: Fields = {}): Promise<RawResponse> {
    return this.connection.request(this.notificationRequest(topic, fields));
  }

  pollingInfo(topic: string, fields: Fields = {}): Promise<RawResponse> {
    return this.connection.request(this.#request(POLLING_INFO, { topic, queueId: -1, ...fields }));
  }

  close(): void {
    this.connection.destroy();
  }

  #request(code: number, fields: Fields): RawRequest {
    return requestOf(code, { consumerGroup: this.group, ...fields });
  }
}

/** A field that is undefined is left out. */
export function requestOf(code: number, fields: Fields): RawRequest {
  const ext: Record<string, string | number> = {};
  for (const [name, value] of Object.entries(fields)) if (value !== undefined) ext[name] = value;
  return { code, ext };
}

function placeOf({ source, queueId, queueOffset, handle }: PoppedMessage): Fields {
  return { topic: source, queueId, offset: queueOffset, extraInfo: handle };
}

/** As Java's BitSet writes it: the lowest bit first, without zeroes at the end. */
function bitSet(bits: readonly number[]): string {
  const bytes = Buffer.alloc(bits.length === 0 ? 0 : Math.floor(Math.max(...bits) / 8) + 1);
  for (const bit of bits) bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) | (1 << (bit & 7));
  return bytes.toString('base64');
}
